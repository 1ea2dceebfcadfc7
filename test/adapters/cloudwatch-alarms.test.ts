import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchAlarms } from '../../adapters/cloudwatch-alarms.ts';
import { Blocked } from '../../core/errors.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { testAws } from '../aws/test-aws.ts';
import { brokenAws } from './broken-aws.ts';

const { client: config, prefix } = await testAws();
const client = new CloudWatchClient(config);
const name = `${prefix}-errors`;

async function put(state: 'OK' | 'ALARM'): Promise<void> {
  await client.send(
    new PutMetricAlarmCommand({
      AlarmName: name,
      Namespace: 'Shop',
      MetricName: 'Errors',
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'ignore',
    }),
  );
  await client.send(new SetAlarmStateCommand({ AlarmName: name, StateValue: state, StateReason: 'test' }));
}

test('tells the state of alarms and since when, leaves out what is not there, and asks again after ten seconds', async () => {
  const clock = new ManualClock();
  const alarms = new CloudWatchAlarms(clock, client);
  await put('OK');
  const readings = await alarms.read([name, `${prefix}-none`]);
  assert.deepEqual([...readings.keys()], [name]);
  assert.equal(readings.get(name)?.state, 'OK');
  assert.ok(Math.abs((readings.get(name)?.since ?? 0) - Date.now()) < 120_000);
  await put('ALARM');
  assert.equal((await alarms.read([name, `${prefix}-none`])).get(name)?.state, 'OK');
  clock.advance(10_000);
  assert.equal((await alarms.read([name, `${prefix}-none`])).get(name)?.state, 'ALARM');
});

test('a refusal names the right that is missing, and is not remembered', async () => {
  const body = JSON.stringify({ __type: 'AccessDenied', message: 'no' });
  await using server = await brokenAws(() => ({ kind: 'answer', status: 403, body }), '');
  const broken = new CloudWatchClient({ ...config, endpoint: server.endpoint, maxAttempts: 1 });
  const alarms = new CloudWatchAlarms(new ManualClock(), broken);
  for (const _ of [1, 2]) {
    await assert.rejects(
      alarms.read(['errors']),
      (error) => error instanceof Blocked && error.message.includes('cloudwatch:DescribeAlarms'),
    );
  }
  assert.equal(server.seen.length, 2);
});
