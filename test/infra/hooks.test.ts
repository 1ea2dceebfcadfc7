import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as z from 'zod';
import { flatten, ofType, sample, synthesize } from './synthesized.ts';

/** Hooks of each kind: implied, with a secret of ours, with one that a person keeps, and without any. */
const stack = synthesize({
  ...sample,
  hooks: [
    { provider: 'github' },
    {
      provider: 'github',
      id: 'team-a',
      secret: 'acme/team-a-hook',
      redeliver: { of: 'repos/acme/shop', id: 42, tokenSecret: 'acme/redeliver' },
    },
    { provider: 'harbor' },
    { provider: 'quay', allowFrom: ['192.0.2.0/24'] },
    { provider: 'gcr', pubSub: { serviceAccount: 'push@acme.iam.gserviceaccount.com', audience: 'trueup' } },
    { provider: 'oidc', oidc: { issuer: 'https://ci.example.com', audience: 'trueup', subject: 'acme/*' } },
  ],
});
after(() => stack[Symbol.dispose]());

test('a secret is made for each hook that needs one and names none', () => {
  const names = ofType(stack.resources, 'AWS::SecretsManager::Secret').map(([, { Properties }]) =>
    flatten(Properties['Name']),
  );
  assert.deepEqual(names.sort(), [
    'trueup/acme/digest-key',
    'trueup/acme/hooks/github',
    'trueup/acme/hooks/harbor',
    'trueup/acme/hooks/quay',
  ]);
});

const policySchema = z.object({
  PolicyDocument: z.object({
    Statement: z.array(z.object({ Action: z.unknown(), Resource: z.unknown() })),
  }),
  Roles: z.array(z.unknown()),
});

function secretsOf(role: string): readonly string[] {
  return ofType(stack.resources, 'AWS::IAM::Policy')
    .map(([, { Properties }]) => policySchema.parse(Properties))
    .filter(({ Roles }) => Roles.map(flatten).includes(role))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .filter(({ Action }) => Action === 'secretsmanager:GetSecretValue')
    .flatMap(({ Resource }) => (Array.isArray(Resource) ? Resource : [Resource]))
    .map((resource) => flatten(resource).replace(/^arn:.*:secret:/, ''))
    .sort();
}

test('the webhook reads the secrets of its hooks; the token for redelivery is read elsewhere', () => {
  assert.deepEqual(secretsOf('<FunctionsWebhookRole>'), [
    '<SecretsHookgithub>',
    '<SecretsHookharbor>',
    '<SecretsHookquay>',
    'acme/team-a-hook-??????',
  ]);
  assert.deepEqual(secretsOf('<FunctionsIntakeRole>'), ['acme/redeliver-??????']);
});
