import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { handleBatch } from '../../adapters/sqs-batch.ts';
import { Blocked, Retry, Stop } from '../../core/errors.ts';
import { isHandled } from './functions.ts';

const fault = { subject: 'target a/b', message: 'is not ready' };
const event = { Records: [{ messageId: '1', body: '{}', attributes: { ApproximateReceiveCount: '1' } }] };

for (const policy of ['acknowledge', 'fail'] as const) {
  for (const error of [undefined, new Retry(fault), new Stop(fault), new Blocked(fault)]) {
    test(`a simulated message is done with as a real one is: ${policy}, ${error?.name ?? 'no fault'}`, async () => {
      const handle = async (): Promise<void> => {
        if (error !== undefined) throw error;
      };
      const { batchItemFailures } = await handleBatch(event, z.object({}), handle, policy);
      assert.equal(await isHandled(policy, handle), batchItemFailures.length === 0);
    });
  }
}
