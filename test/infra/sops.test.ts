import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { flatten, ofType, sample, synthesize } from './synthesized.ts';

const policySchema = z.object({
  PolicyDocument: z.object({
    Statement: z.array(
      z.object({ Action: z.union([z.string(), z.array(z.string())]), Resource: z.unknown() }),
    ),
  }),
});

test('only what applies and checks may open files of SOPS, with the keys that are named', () => {
  const kmsKey = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';
  using synthesized = synthesize({ ...sample, sops: { kmsKeys: [kmsKey], ageSecret: 'acme/age' } });
  const rights = ofType(synthesized.resources, 'AWS::IAM::Policy').flatMap(([name, { Properties }]) =>
    policySchema
      .parse(Properties)
      .PolicyDocument.Statement.flatMap(({ Action, Resource }) =>
        [Resource]
          .flat()
          .map(
            (resource) =>
              `${/Webhook|Snapshot|Reconcile|Sweep|Intake/.exec(name)?.[0]} ${String(Action)} ${flatten(resource)}`,
          ),
      ),
  );
  const secret = 'arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:acme/age-??????';
  const found = rights.filter((right) => right.includes(kmsKey) || right.includes('acme/age'));
  assert.deepEqual(found.toSorted(), [
    `Reconcile kms:Decrypt ${kmsKey}`,
    `Reconcile secretsmanager:GetSecretValue ${secret}`,
    `Sweep kms:Decrypt ${kmsKey}`,
    `Sweep secretsmanager:GetSecretValue ${secret}`,
  ]);
});
