import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { alarmKinds, alarmName } from '../../core/contract/alarms.ts';
import { flatten, ofType, sample, synthesize } from './synthesized.ts';
import type { Synthesized } from './synthesized.ts';

const stack = synthesize();
after(() => stack[Symbol.dispose]());

const alarmSchema = z.object({
  AlarmName: z.string(),
  AlarmDescription: z.string(),
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown().transform(flatten) })),
  Statistic: z.string(),
  Period: z.number(),
  EvaluationPeriods: z.number(),
  DatapointsToAlarm: z.literal(1),
  Threshold: z.number(),
  ComparisonOperator: z.literal('GreaterThanThreshold'),
  TreatMissingData: z.string(),
  AlarmActions: z.array(z.unknown().transform(flatten)),
  OKActions: z.array(z.unknown().transform(flatten)),
});

function alarmsOf({ resources }: Synthesized) {
  return ofType(resources, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) =>
    alarmSchema.parse(Properties),
  );
}
function tableOf(from: Synthesized): string[] {
  return alarmsOf(from).map((alarm) => {
    const dimensions = alarm.Dimensions.map(({ Name, Value }) => `${Name}=${Value}`).toSorted();
    const metric = `${alarm.Statistic}(${alarm.MetricName}{${dimensions.join(',')}})`;
    const over = `over ${alarm.EvaluationPeriods} x ${alarm.Period} s > ${alarm.Threshold}`;
    return `${alarm.AlarmName} ${metric} ${over} ${alarm.TreatMissingData}`;
  });
}
const alarms = alarmsOf(stack);

test('every alarm: metric, dimensions, period, threshold, missing data', () => {
  const perQueue = ['Pushes', 'Intake', 'Runs', 'Later', 'Sweeps'].flatMap((queue) => [
    `trueup-acme-dead-letters-${queue.toLowerCase()} Maximum(ApproximateNumberOfMessagesVisible{QueueName=<Queues${queue}DeadLetters>}) over 1 x 300 s > 0 notBreaching`,
    `trueup-acme-backlog-${queue.toLowerCase()} Maximum(ApproximateAgeOfOldestMessage{QueueName=<Queues${queue}Queue>}) over 1 x 300 s > 1200 notBreaching`,
  ]);
  assert.deepEqual(
    tableOf(stack).sort(),
    [
      ...perQueue,
      'trueup-acme-dead-letters-undelivered Maximum(ApproximateNumberOfMessagesVisible{QueueName=<QueuesUndelivered>}) over 1 x 300 s > 0 notBreaching',
      'trueup-acme-drift Maximum(DriftedObjects{Fleet=acme}) over 2 x 300 s > 0 notBreaching',
      'trueup-acme-degraded Maximum(DegradedTargets{Fleet=acme}) over 2 x 300 s > 0 notBreaching',
      'trueup-acme-unchecked Maximum(OldestCheckSeconds{Fleet=acme}) over 1 x 900 s > 900 breaching',
      'trueup-acme-failed-snapshots Maximum(FailedSnapshots{Fleet=acme}) over 1 x 60 s > 0 ignore',
      'trueup-acme-heal-loop Maximum(HealLoops{Fleet=acme}) over 2 x 300 s > 0 notBreaching',
      'trueup-acme-missed-drift Sum(MissedDrift{Fleet=acme}) over 1 x 300 s > 0 notBreaching',
      'trueup-acme-restored Sum(RestoredServers{Fleet=acme}) over 1 x 300 s > 0 notBreaching',
      'trueup-acme-failed-runs Maximum(FailedRuns{Fleet=acme}) over 2 x 300 s > 0 notBreaching',
      'trueup-acme-webhook-errors-failed Sum(Url5xxCount{FunctionName=<FunctionsWebhookFunction>}) over 1 x 300 s > 0 notBreaching',
      'trueup-acme-webhook-errors-throttled Sum(Throttles{FunctionName=<FunctionsWebhookFunction>}) over 1 x 300 s > 0 notBreaching',
    ].sort(),
  );
});

test('where clusters are found by their tags, an alarm of discoveries that fail', () => {
  using other = synthesize({ ...sample, discovery: [{ tags: { trueup: 'yes' } }] });
  const more = tableOf(other).filter((row) => !tableOf(stack).includes(row));
  assert.deepEqual(more, [
    'trueup-acme-failed-discovery Maximum(FailedDiscoveries{Fleet=acme}) over 2 x 300 s > 0 notBreaching',
  ]);
});

test('the period follows the sweep: a minute for a demo, an hour at most', () => {
  for (const [sweepMinutes, drift, unchecked] of [
    [1, 60, 180],
    [60, 3_600, 10_800],
  ] as const) {
    using other = synthesize({ ...sample, sweepMinutes });
    const periodOf = (name: string) => alarmsOf(other).find(({ AlarmName }) => AlarmName === name)?.Period;
    assert.equal(periodOf('trueup-acme-drift'), drift);
    assert.equal(periodOf('trueup-acme-unchecked'), unchecked);
  }
});

test('every dead-letter queue has its alarm', () => {
  const watched = new Set(
    alarms.flatMap(({ Dimensions }) =>
      Dimensions.filter(({ Name }) => Name === 'QueueName').map(({ Value }) => Value),
    ),
  );
  const withRedrive = (properties: Readonly<Record<string, unknown>>) => 'RedrivePolicy' in properties;
  for (const [id, { Properties }] of ofType(stack.resources, 'AWS::SQS::Queue')) {
    if (!withRedrive(Properties)) assert.ok(watched.has(flatten({ Ref: id })), id);
  }
});

test('every alarm tells the topic when it starts and when it ends', () => {
  for (const { AlarmName, AlarmActions, OKActions } of alarms) {
    assert.deepEqual([AlarmActions, OKActions], [['<AlarmsTopic>'], ['<AlarmsTopic>']], AlarmName);
  }
});

test('CloudWatch may publish to the topic, and nobody without TLS', () => {
  stack.template.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: 'Deny',
          Action: 'sns:Publish',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
        Match.objectLike({
          Effect: 'Allow',
          Action: 'sns:Publish',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        }),
      ]),
    },
  });
});

test('every alarm names its heading in the runbook', () => {
  for (const { AlarmName, AlarmDescription } of alarms) {
    const kind = Object.values(alarmKinds).find((each) => AlarmName.startsWith(alarmName('acme', each)));
    assert.ok(AlarmDescription.endsWith(`docs/runbook.md#${kind}`), AlarmDescription);
  }
});

const runbook = path.resolve(import.meta.dirname, '../../docs/runbook.md');
test('the runbook has a heading for every kind of alarm', { skip: !existsSync(runbook) }, () => {
  const headings = readFileSync(runbook, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .map((line) => line.replace(/^#+ */, '').toLowerCase().replaceAll(' ', '-'));
  for (const kind of Object.values(alarmKinds)) assert.ok(headings.includes(kind), kind);
});
