import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partName } from '../../cli/stack-part.ts';

const cases = [
  ['TrueUpQueuesRunsDeadLetters7BAD8361', 'DeadLetters', 'runs'],
  ['TrueUpQueuesRunsQueue41F14D63', 'Queue', 'runs'],
  ['TrueUpQueuesRunsQueue41F14D63', 'DeadLetters', undefined],
  ['TrueUpQueuesUndeliveredCC03C115', 'DeadLetters', 'undelivered'],
  ['TrueUpImagesDeadLetters1B9D7764', 'DeadLetters', 'images'],
  ['TrueUpPreviewPreviewsQueueD85C4BF3', 'Queue', 'previews'],
  ['TrueUpAuditChecksDeadLettersCA971644', 'DeadLetters', 'checks'],
  ['TrueUpNetworkvaultaRunsDeadLetters56686907', 'DeadLetters', 'vault-a-runs'],
  ['TrueUpNetworkvaultaSweepFunction42CA0175', 'Function', 'vault-a-sweep'],
  ['GitOpsFunctionsWebhookFunction929CC6D7', 'Function', 'webhook'],
  ['TrueUpFunctionsWebhookFunctionUrl929CC6D7', 'Function', undefined],
] as const;

for (const [logicalId, kind, name] of cases) {
  test(`${logicalId} as ${kind}: ${name ?? 'no such part'}`, () => {
    assert.equal(partName(logicalId, kind, ['vault-a', 'other']), name);
  });
}
