import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import * as z from 'zod';
import { pollRequestSchema, sweepRequestSchema } from '../../core/contract/events.ts';
import { flatten, ofType, sample, synthesize } from './synthesized.ts';

const stack = synthesize();
after(() => stack[Symbol.dispose]());

const queueSchema = z.object({
  FifoQueue: z.boolean().default(false),
  DeduplicationScope: z.string().optional(),
  FifoThroughputLimit: z.string().optional(),
  ContentBasedDeduplication: z.boolean().default(false),
  SqsManagedSseEnabled: z.boolean().optional(),
  VisibilityTimeout: z.number().default(30),
  MessageRetentionPeriod: z.number().default(4 * 86_400),
  RedrivePolicy: z
    .object({ deadLetterTargetArn: z.unknown().transform(flatten), maxReceiveCount: z.number() })
    .optional(),
});
const alarmSchema = z.object({
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Value: z.unknown().transform(flatten) })).default([]),
  AlarmActions: z.array(z.unknown()),
});
const queues = new Map(
  ofType(stack.resources, 'AWS::SQS::Queue').map(([id, { Properties }]) => [
    flatten({ Ref: id }),
    queueSchema.parse(Properties),
  ]),
);
const work = [...queues].filter(([, { RedrivePolicy }]) => RedrivePolicy !== undefined);
const mappings = ofType(stack.resources, 'AWS::Lambda::EventSourceMapping').map(([, { Properties }]) =>
  z
    .object({
      EventSourceArn: z.unknown().transform(flatten),
      FunctionName: z.unknown().transform(flatten),
      BatchSize: z.number(),
      FunctionResponseTypes: z.array(z.string()),
      ScalingConfig: z.object({ MaximumConcurrency: z.number() }),
    })
    .parse(Properties),
);

test('every queue is encrypted and takes nothing without TLS', () => {
  const policies = ofType(stack.resources, 'AWS::SQS::QueuePolicy').map(([, { Properties }]) => ({
    queues: z.array(z.unknown()).parse(Properties['Queues']).map(flatten),
    text: JSON.stringify(Properties['PolicyDocument']),
  }));
  for (const [name, { SqsManagedSseEnabled }] of queues) {
    assert.equal(SqsManagedSseEnabled, true, name);
    const policy = policies.find((candidate) => candidate.queues.includes(name));
    assert.match(
      policy?.text ?? '',
      /"Effect":"Deny".*"aws:SecureTransport":"false"|"aws:SecureTransport":"false".*"Effect":"Deny"/,
      name,
    );
  }
});

test('every work queue has a dead-letter queue of its own and of its kind, which keeps messages for 14 days', () => {
  assert.deepEqual(
    work
      .map(
        ([name, { RedrivePolicy }]) =>
          `${name} ${RedrivePolicy?.maxReceiveCount} ${RedrivePolicy?.deadLetterTargetArn}`,
      )
      .sort(),
    [
      '<QueuesIntakeQueue> 5 <QueuesIntakeDeadLetters>',
      '<QueuesLaterQueue> 5 <QueuesLaterDeadLetters>',
      '<QueuesPushesQueue> 5 <QueuesPushesDeadLetters>',
      '<QueuesRunsQueue> 3 <QueuesRunsDeadLetters>',
      '<QueuesSweepsQueue> 2 <QueuesSweepsDeadLetters>',
    ],
  );
  for (const [name, { FifoQueue, RedrivePolicy }] of work) {
    const dead = queues.get(RedrivePolicy?.deadLetterTargetArn ?? '');
    assert.equal(dead?.FifoQueue, FifoQueue, name);
    assert.equal(dead.MessageRetentionPeriod, 14 * 86_400, name);
  }
});

test('a message reaches its dead-letter queue before it expires', () => {
  for (const [name, { RedrivePolicy, VisibilityTimeout, MessageRetentionPeriod }] of work) {
    assert.ok((RedrivePolicy?.maxReceiveCount ?? 0) * VisibilityTimeout < MessageRetentionPeriod, name);
  }
});

test("the run queue keeps order by group, and its deduplication is the sender's", () => {
  const runs = queues.get('<QueuesRunsQueue>');
  assert.equal(runs?.FifoQueue, true);
  assert.equal(runs.DeduplicationScope, 'messageGroup');
  assert.equal(runs.FifoThroughputLimit, 'perMessageGroupId');
  assert.equal(runs.ContentBasedDeduplication, false);
});

test('functions read one message at a time, say which failed, and end before it is shown to another', () => {
  assert.deepEqual(
    mappings.map(({ EventSourceArn, FunctionName }) => `${EventSourceArn} ${FunctionName}`).sort(),
    [
      '<QueuesIntakeQueue> <FunctionsIntakeFunction>',
      '<QueuesLaterQueue> <FunctionsReconcileFunction>',
      '<QueuesPushesQueue> <FunctionsSnapshotFunction>',
      '<QueuesRunsQueue> <FunctionsReconcileFunction>',
      '<QueuesSweepsQueue> <FunctionsSweepFunction>',
    ],
  );
  const timeouts = new Map(
    ofType(stack.resources, 'AWS::Lambda::Function').map(([id, { Properties }]) => [
      flatten({ Ref: id }),
      z.number().parse(Properties['Timeout']),
    ]),
  );
  for (const { EventSourceArn, FunctionName, BatchSize, FunctionResponseTypes } of mappings) {
    assert.equal(BatchSize, 1);
    assert.deepEqual(FunctionResponseTypes, ['ReportBatchItemFailures']);
    assert.ok(
      (queues.get(EventSourceArn)?.VisibilityTimeout ?? 0) > (timeouts.get(FunctionName) ?? Infinity),
      FunctionName,
    );
  }
});

const targetSchema = z.object({
  Arn: z.unknown().transform(flatten),
  DeadLetterConfig: z.object({ Arn: z.unknown().transform(flatten) }),
});

test('rules lead to queues or to our bus, each with a dead-letter queue', () => {
  const targets = ofType(stack.resources, 'AWS::Events::Rule').flatMap(([id, { Properties }]) =>
    z
      .array(targetSchema)
      .parse(Properties['Targets'])
      .map(
        ({ Arn, DeadLetterConfig }) =>
          `${flatten({ Ref: id })} ${'EventBusName' in Properties ? 'ours' : 'default'} ${Arn} ${DeadLetterConfig.Arn}`,
      ),
  );
  assert.deepEqual(targets.sort(), [
    '<EventsEcrIntake> ours <QueuesIntakeQueue> <QueuesUndelivered>',
    '<EventsEcrToOurBus> default <EventsBus> <QueuesUndelivered>',
    '<EventsPushes> ours <QueuesPushesQueue> <QueuesUndelivered>',
  ]);
});

test('events are archived for 30 days', () => {
  stack.template.hasResourceProperties('AWS::Events::Archive', { RetentionDays: 30 });
});

const scheduleSchema = z.object({
  ScheduleExpression: z.string(),
  FlexibleTimeWindow: z.object({ Mode: z.string(), MaximumWindowInMinutes: z.number().optional() }),
  Target: z.object({
    Arn: z.unknown().transform(flatten),
    Input: z.string(),
    DeadLetterConfig: z.object({ Arn: z.unknown().transform(flatten) }),
    RetryPolicy: z.object({ MaximumEventAgeInSeconds: z.number(), MaximumRetryAttempts: z.number() }),
  }),
});

function scheduleOf(construct: string) {
  const schedules = ofType(stack.resources, 'AWS::Scheduler::Schedule');
  const [, resource] = schedules.find(([id]) => flatten({ Ref: id }).startsWith(`<${construct}`)) ?? [];
  return scheduleSchema.parse(resource?.Properties);
}

test('a schedule sends sweep requests that the sweep function can read, with retries and a dead-letter queue', () => {
  const { ScheduleExpression, Target } = scheduleOf('Sweeps');
  assert.equal(ScheduleExpression, 'rate(5 minutes)');
  assert.equal(Target.Arn, '<QueuesSweepsQueue>');
  assert.equal(Target.DeadLetterConfig.Arn, '<QueuesUndelivered>');
  assert.deepEqual(Target.RetryPolicy, { MaximumEventAgeInSeconds: 300, MaximumRetryAttempts: 10 });
  assert.deepEqual(sweepRequestSchema.parse(JSON.parse(Target.Input)), {
    version: 1,
    scope: 'fleet',
    requestedBy: 'schedule',
  });
});

test('another asks every 15 minutes, give or take, what was missed', () => {
  const { ScheduleExpression, FlexibleTimeWindow, Target } = scheduleOf('Polls');
  assert.equal(ScheduleExpression, 'rate(15 minutes)');
  assert.deepEqual(FlexibleTimeWindow, { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 1 });
  assert.equal(Target.Arn, '<QueuesIntakeQueue>');
  assert.equal(Target.DeadLetterConfig.Arn, '<QueuesUndelivered>');
  assert.deepEqual(pollRequestSchema.parse(JSON.parse(Target.Input)), { version: 1, poll: 'fleet' });
});

test('events of CodeCommit are brought to our bus where a repository is there, and then alone', () => {
  const [repository] = sample.repositories;
  assert.ok(repository);
  const url = 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/shop';
  const commit = { name: 'commit', provider: 'codecommit' as const, url };
  using following = synthesize({ ...sample, repositories: [...sample.repositories, commit] });
  const rulesOf = ({ resources }: Pick<typeof stack, 'resources'>) =>
    ofType(resources, 'AWS::Events::Rule').map(([id]) => flatten({ Ref: id }));
  assert.deepEqual(
    rulesOf(following).filter((rule) => !rulesOf(stack).includes(rule)),
    ['<EventsCodeCommitToOurBus>', '<EventsCodeCommitIntake>'],
  );
});

test('every work queue has an alarm on the age of its oldest message, and every dead-letter queue on what lies there', () => {
  using whole = synthesize(
    {
      ...sample,
      repositories: sample.repositories.map((each) => ({ ...each, images: {}, preview: {}, reverts: {} })),
    },
    {},
    {
      add: (trueup, scope) => {
        const place = { vpcId: 'vpc-1', availabilityZones: ['a'], privateSubnetIds: ['subnet-1'] };
        trueup.addNetwork({ name: 'inside', vpc: Vpc.fromVpcAttributes(scope, 'Vpc', place) });
      },
    },
  );
  const watched = ofType(whole.resources, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => {
    const { MetricName, Dimensions, AlarmActions } = alarmSchema.parse(Properties);
    assert.equal(AlarmActions.length, 1);
    return `${MetricName} ${Dimensions.map(({ Value }) => Value).join(' ')}`;
  });
  const all = ofType(whole.resources, 'AWS::SQS::Queue').map(
    ([id, { Properties }]) => [flatten({ Ref: id }), queueSchema.parse(Properties)] as const,
  );
  assert.ok(all.length > 16);
  for (const [name, { RedrivePolicy }] of all) {
    const metric =
      RedrivePolicy === undefined ? 'ApproximateNumberOfMessagesVisible' : 'ApproximateAgeOfOldestMessage';
    assert.ok(watched.includes(`${metric} ${name}`), `${metric} ${name}`);
  }
});
