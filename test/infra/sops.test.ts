import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rightsIn, sample } from './synthesized.ts';

test('only what applies and checks may open files of SOPS, with the keys that are named', () => {
  const kmsKey = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';
  const rights = rightsIn({ ...sample, sops: { kmsKeys: [kmsKey], ageSecret: 'acme/age' } });
  const secret = 'arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:acme/age-??????';
  const found = rights.filter((right) => right.includes(kmsKey) || right.includes('acme/age'));
  assert.deepEqual(found.toSorted(), [
    `Reconcile kms:Decrypt ${kmsKey}`,
    `Reconcile secretsmanager:GetSecretValue ${secret}`,
    `Sweep kms:Decrypt ${kmsKey}`,
    `Sweep secretsmanager:GetSecretValue ${secret}`,
  ]);
});
