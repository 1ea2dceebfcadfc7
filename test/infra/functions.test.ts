import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { outputs, stackName } from '../../core/contract/environment.ts';
import { rolesIn } from './role-rights.ts';
import { flatten, ofType, rightsIn, sample, synthesize } from './synthesized.ts';

const stack = synthesize(sample, { hookConcurrency: 10 });
after(() => stack[Symbol.dispose]());

const functionSchema = z.object({
  Timeout: z.number(),
  MemorySize: z.number(),
  EphemeralStorage: z.object({ Size: z.number() }).default({ Size: 512 }),
  ReservedConcurrentExecutions: z.number().optional(),
  LoggingConfig: z.object({ LogFormat: z.string(), LogGroup: z.unknown().transform(flatten) }),
});

test('size of each function', () => {
  const lines = ofType(stack.resources, 'AWS::Lambda::Function').map(([id, { Properties }]) => {
    const { Timeout, MemorySize, EphemeralStorage, ReservedConcurrentExecutions } =
      functionSchema.parse(Properties);
    return `${flatten({ Ref: id })} ${Timeout} s ${MemorySize} MB /tmp ${EphemeralStorage.Size} MB reserved ${ReservedConcurrentExecutions ?? '-'}`;
  });
  assert.deepEqual(lines.sort(), [
    '<FunctionsIntakeFunction> 30 s 512 MB /tmp 512 MB reserved -',
    '<FunctionsReconcileFunction> 300 s 1024 MB /tmp 512 MB reserved -',
    '<FunctionsSnapshotFunction> 300 s 2048 MB /tmp 2048 MB reserved -',
    '<FunctionsSweepFunction> 300 s 1024 MB /tmp 512 MB reserved -',
    '<FunctionsWebhookFunction> 9 s 512 MB /tmp 512 MB reserved 10',
  ]);
});

test('nothing is reserved for the webhook where an account cannot spare it', () => {
  using unreserved = synthesize(sample, { hookConcurrency: undefined });
  for (const [, { Properties }] of ofType(unreserved.resources, 'AWS::Lambda::Function')) {
    assert.equal(functionSchema.parse(Properties).ReservedConcurrentExecutions, undefined);
  }
});

test('every function logs to a group of its own, as JSON, for 30 days', () => {
  const groups = ofType(stack.resources, 'AWS::Lambda::Function').map(
    ([, { Properties }]) => functionSchema.parse(Properties).LoggingConfig,
  );
  assert.equal(new Set(groups.map(({ LogGroup }) => LogGroup)).size, 5);
  assert.ok(groups.every(({ LogFormat }) => LogFormat === 'JSON'));
  const retentions = ofType(stack.resources, 'AWS::Logs::LogGroup').map(
    ([, { Properties }]) => Properties['RetentionInDays'],
  );
  assert.deepEqual(retentions, [30, 30, 30, 30, 30]);
});

test('the webhook alone has a URL, open to all, since its signature is the authentication', () => {
  stack.template.resourceCountIs('AWS::Lambda::Url', 1);
  stack.template.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE' });
  stack.template.allResourcesProperties('AWS::Lambda::Permission', {
    Principal: '*',
    FunctionName: Match.objectLike({
      'Fn::GetAtt': [Match.stringLikeRegexp('FunctionsWebhookFunction'), 'Arn'],
    }),
  });
});

test('secrets of ours are generated, never written in the template', () => {
  const secrets = ofType(stack.resources, 'AWS::SecretsManager::Secret').map(
    ([, { Properties }]) => Properties,
  );
  assert.deepEqual(secrets.map(({ Name }) => flatten(Name)).sort(), [
    'trueup/acme/digest-key',
    'trueup/acme/hooks/github',
  ]);
  for (const { GenerateSecretString, SecretString } of secrets) {
    assert.deepEqual(GenerateSecretString, { PasswordLength: 64, ExcludePunctuation: true });
    assert.equal(SecretString, undefined);
  }
});

test('the outputs have the names that the command line reads', () => {
  const { Outputs } = z
    .object({ Outputs: z.record(z.string(), z.object({ Value: z.unknown() })) })
    .parse(stack.template.toJSON());
  assert.deepEqual(Object.keys(Outputs).sort(), Object.values(outputs).sort());
  assert.equal(flatten(Outputs[outputs.fleet]?.Value), 'acme');
  assert.equal(stackName('acme'), 'trueup-acme');
});

test('who sends to a queue that it reads may do so again and again, and nobody else', () => {
  // Lambda follows messages through SQS and gives up on the 17th call in a chain, unless told otherwise.
  const repositories = sample.repositories.map((each) => ({ ...each, images: {}, preview: {}, reverts: {} }));
  const channels = [{ name: 'chat', type: 'slack' as const, secret: 'acme/slack' }];
  const audited = { name: 'audited', access: { type: 'eks' as const, name: 'audited-1' }, audit: true };
  using whole = synthesize({
    ...sample,
    repositories,
    clusters: [...(sample.clusters ?? []), audited],
    notifications: { channels, routes: [{ channels: ['chat'] }] },
  });
  const roles = rolesIn(whole);
  const functions = ofType(whole.resources, 'AWS::Lambda::Function');
  const readers = new Map(
    ofType(whole.resources, 'AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => [
      flatten(Properties['EventSourceArn']),
      flatten(Properties['FunctionName']),
    ]),
  );
  const next = new Map(
    functions.map(([id, { Properties }]) => {
      const rights = roles.get(flatten(Properties['Role'])) ?? [];
      const sentTo = rights.filter(({ action }) => action === 'sqs:SendMessage');
      return [flatten({ Ref: id }), sentTo.flatMap(({ resource }) => readers.get(resource) ?? [])] as const;
    }),
  );
  const reach = (from: string, seen = new Set<string>()): ReadonlySet<string> => {
    for (const to of next.get(from) ?? []) if (!seen.has(to)) reach(to, seen.add(to));
    return seen;
  };
  const looping = [...next.keys()].filter((name) => reach(name).has(name));
  const allowed = functions
    .filter(([, { Properties }]) => Properties['RecursiveLoop'] === 'Allow')
    .map(([id]) => flatten({ Ref: id }));
  assert.deepEqual(allowed.toSorted(), looping.toSorted());
  assert.deepEqual(allowed.toSorted(), [
    '<FunctionsReconcileFunction>',
    '<FunctionsSweepFunction>',
    '<NoticesNotifyFunction>',
    '<PreviewFunction>',
  ]);
});

test('a role names some clusters one by one, and many of a place together: its policies have room for few', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      name: `cluster-${at}`,
      access: { type: 'eks' as const, name: `eks-${at}` },
    }));
  const described = (count: number) =>
    rightsIn({ ...sample, clusters: many(count) }).filter((right) =>
      right.startsWith('Sweep eks:DescribeCluster'),
    );
  assert.ok(described(25).every((right) => !right.endsWith('*')));
  const all = described(300);
  assert.equal(all.length, 26);
  assert.ok(all.some((right) => right.endsWith(':cluster/*')));
});
