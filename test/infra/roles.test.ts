import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as z from 'zod';
import { flatten, ofType, synthesize } from './synthesized.ts';

/** What each function may do, in full: a right that is added or lost shows here as one line. */
const expected: Readonly<Record<string, readonly string[]>> = {
  Webhook: [
    'events:PutEvents <EventsBus>',
    'secretsmanager:GetSecretValue <SecretsHookgithub>',
    // Not bodies: what others sent is not for a function that the internet reaches.
    ...folder('s3:GetObject', 'deliveries'),
    ...folder('s3:PutObject', 'deliveries', 'bodies'),
    's3:ListBucket <StorageBucket> if StringLikeIfExists s3:prefix deliveries/*',
  ],
  Snapshot: [
    'cloudwatch:PutMetricData * if StringEquals cloudwatch:namespace TrueUp',
    'events:PutEvents <EventsBus>',
    'kms:GenerateDataKey <StorageSealingKey>',
    'kms:Decrypt <StorageSealingKey> if StringEquals kms:EncryptionContext:trueup:purpose lookup',
    'secretsmanager:GetSecretValue <SecretsDigestKey>',
    'secretsmanager:GetSecretValue arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:acme/platform-token-??????',
    ...folder('s3:GetObject', 'inventory', 'facts'),
    ...folder('s3:GetObject', 'deliveries', 'repositories', 'snapshots', 'desired', 'renders', 'asked'),
    ...folder('s3:PutObject', 'deliveries', 'repositories', 'snapshots', 'desired', 'renders', 'asked'),
    's3:ListBucket <StorageBucket> if StringLikeIfExists s3:prefix inventory/* facts/* deliveries/* repositories/* snapshots/* desired/* renders/* asked/*',
    ...consume('Pushes'),
    'sqs:SendMessage <QueuesRunsQueue>',
  ],
  Reconcile: [
    'cloudwatch:PutMetricData * if StringEquals cloudwatch:namespace TrueUp',
    ...clusters(),
    'events:PutEvents <EventsBus>',
    'kms:Decrypt <StorageSealingKey>',
    'secretsmanager:GetSecretValue <SecretsDigestKey>',
    'secretsmanager:GetSecretValue arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:acme/edge-kubeconfig-??????',
    ...folder('s3:GetObject', 'desired', 'snapshots', 'repositories', 'checks'),
    ...folder('s3:GetObject', 'inventory', 'leases', 'runs', 'drift', 'open-drift', 'heals'),
    ...folder('s3:PutObject', 'inventory', 'leases', 'runs', 'drift', 'open-drift', 'heals'),
    ...folder('s3:DeleteObject', 'open-drift', 'heals'),
    's3:ListBucket <StorageBucket> if StringLikeIfExists s3:prefix desired/* snapshots/* repositories/* checks/* inventory/* leases/* runs/* drift/* open-drift/* heals/*',
    ...consume('Runs'),
    ...consume('Later'),
    'sqs:SendMessage <QueuesRunsQueue>',
    'sqs:SendMessage <QueuesLaterQueue>',
  ],
  Sweep: [
    'cloudwatch:PutMetricData * if StringEquals cloudwatch:namespace TrueUp',
    ...clusters(),
    'events:PutEvents <EventsBus>',
    'kms:Decrypt <StorageSealingKey>',
    'kms:GenerateDataKey <StorageSealingKey>',
    'secretsmanager:GetSecretValue <SecretsDigestKey>',
    'secretsmanager:GetSecretValue arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:acme/edge-kubeconfig-??????',
    ...folder('s3:GetObject', 'desired', 'snapshots', 'inventory', 'leases', 'asked'),
    ...folder('s3:GetObject', 'drift', 'open-drift', 'heals', 'checks', 'memory', 'facts'),
    ...folder('s3:PutObject', 'drift', 'open-drift', 'heals', 'checks', 'memory', 'facts'),
    ...folder('s3:DeleteObject', 'open-drift', 'heals', 'facts'),
    's3:ListBucket <StorageBucket> if StringLikeIfExists s3:prefix desired/* snapshots/* inventory/* leases/* asked/* drift/* open-drift/* heals/* checks/* memory/* facts/*',
    ...consume('Sweeps'),
    'sqs:SendMessage <QueuesLaterQueue>',
    'sqs:SendMessage <QueuesSweepsQueue>',
  ],
  Intake: [
    'events:PutEvents <EventsBus>',
    ...folder('s3:GetObject', 'deliveries'),
    ...folder('s3:PutObject', 'deliveries'),
    's3:ListBucket <StorageBucket> if StringLikeIfExists s3:prefix deliveries/*',
    ...consume('Intake'),
    'sqs:SendMessage <QueuesPushesQueue>',
  ],
};

function folder(action: string, ...folders: string[]): string[] {
  return folders.map((name) => `${action} <StorageBucket>/${name}/*`);
}
function consume(queue: string): string[] {
  const actions = [
    'ChangeMessageVisibility',
    'DeleteMessage',
    'GetQueueAttributes',
    'GetQueueUrl',
    'ReceiveMessage',
  ];
  return actions.map((action) => `sqs:${action} <Queues${queue}Queue>`);
}
function clusters(): string[] {
  return [
    'eks:DescribeCluster arn:<Partition>:eks:<Region>:<AccountId>:cluster/stage-1',
    'eks:DescribeCluster arn:<Partition>:eks:eu-west-1:<AccountId>:cluster/prod-1',
  ];
}
function log(name: string): string[] {
  return ['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => `${action} <Functions${name}Log>`);
}

const oneOrMore = z.union([z.array(z.unknown()), z.unknown().transform((one) => [one])]);
const policySchema = z.object({
  PolicyDocument: z.object({
    Statement: z.array(
      z.object({
        Effect: z.literal('Allow'),
        Action: oneOrMore,
        Resource: oneOrMore,
        Condition: z.record(z.string(), z.record(z.string(), oneOrMore)).default({}),
      }),
    ),
  }),
  Roles: z.array(z.unknown()),
});

const stack = synthesize();
after(() => stack[Symbol.dispose]());

function rightsOf(role: string): string[] {
  return ofType(stack.resources, 'AWS::IAM::Policy')
    .map(([, { Properties }]) => policySchema.parse(Properties))
    .filter(({ Roles }) => Roles.map(flatten).includes(role))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .flatMap(({ Action, Resource, Condition }) => {
      const conditions = Object.entries(Condition).flatMap(([operator, keys]) =>
        Object.entries(keys).map(([key, values]) => ` if ${operator} ${key} ${values.join(' ')}`),
      );
      return Action.flatMap((action) =>
        Resource.map((resource) => `${String(action)} ${flatten(resource)}${conditions.join('')}`),
      );
    });
}

for (const [name, rights] of Object.entries(expected)) {
  test(`${name} may do exactly what it is meant to`, () => {
    const config = /^s3:GetObject .*:s3:::cdk-\w+-assets-\S+\/[0-9a-f]{64}\.json$/;
    const actual = rightsOf(`<Functions${name}Role>`);
    const own = actual.filter((right) => !config.test(right));
    assert.deepEqual(own.sort(), [...rights, ...log(name)].sort());
    assert.equal(actual.length - own.length, 1, 'reads its configuration object and no other asset');
  });
}

test('every role belongs to one function, a schedule or the rule, and none has a managed policy', () => {
  const roles = ofType(stack.resources, 'AWS::IAM::Role');
  assert.equal(roles.length, Object.keys(expected).length + 3);
  for (const [id, { Properties }] of roles) {
    assert.equal(Properties['ManagedPolicyArns'], undefined, id);
  }
  const used = ofType(stack.resources, 'AWS::Lambda::Function').map(([, { Properties }]) =>
    flatten(Properties['Role']),
  );
  assert.equal(new Set(used).size, used.length, 'one role a function');
});

test('a changed configuration is granted under a new policy, so that functions with the old key still start', () => {
  using other = synthesize({
    repositories: [{ name: 'a', url: 'https://git.example/a.git' }],
    clusters: [{ name: 'c', access: { type: 'eks', name: 'c' } }],
  });
  const policies = (of: typeof stack) =>
    ofType(of.resources, 'AWS::IAM::Policy')
      .map(([id]) => id)
      .filter((id) => id.startsWith('TrueUpConfigRead'));
  assert.equal(policies(stack).length, 1);
  assert.notDeepEqual(policies(stack), policies(other));
});
