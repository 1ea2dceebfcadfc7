import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readLogsPayload } from '../../adapters/logs-payload.ts';

const packed = (text: string) => ({ awslogs: { data: gzipSync(text).toString('base64') } });

describe('what CloudWatch Logs sends', () => {
  it('is unpacked', () => {
    assert.deepEqual(readLogsPayload(packed('{"messageType":"CONTROL_MESSAGE"}')), {
      messageType: 'CONTROL_MESSAGE',
    });
  });

  it('is refused where it is something else, and never quoted', () => {
    const cases: readonly (readonly [event: unknown, words: RegExp])[] = [
      [{ Records: [] }, /awslogs/],
      [{ awslogs: { data: 'c2VjcmV0' } }, /incorrect header check/],
      [packed('{"password":"secret"'), /the payload of CloudWatch Logs is no JSON/],
    ];
    for (const [event, words] of cases) {
      assert.throws(
        () => readLogsPayload(event),
        (error) => {
          assert.ok(error instanceof Error);
          assert.match(error.message, words);
          return !error.message.includes('secret');
        },
      );
    }
  });
});
