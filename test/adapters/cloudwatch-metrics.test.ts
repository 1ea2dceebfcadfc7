import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloudWatchClient, ListMetricsCommand, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchMetrics } from '../../adapters/cloudwatch-metrics.ts';
import { testAws } from '../aws/test-aws.ts';

const { client: config, prefix } = await testAws();
const client = new CloudWatchClient(config);

test('a metric of the fleet has one dimension, one of a cluster two', async () => {
  const fleet = `${prefix}-fleet`;
  const metrics = new CloudWatchMetrics(fleet, client);
  await metrics.put([
    { name: 'FailedSnapshots', value: 1, unit: 'Count' },
    { name: 'DriftedObjects', value: 3, unit: 'Count', cluster: 'prod' },
    { name: 'OldestCheckSeconds', value: 61.5, unit: 'Seconds', cluster: 'prod' },
  ]);
  const { Metrics = [] } = await client.send(new ListMetricsCommand({ Namespace: 'TrueUp' }));
  const ofFleet = Metrics.map(({ MetricName, Dimensions = [] }) => ({
    MetricName,
    dimensions: Object.fromEntries(Dimensions.map(({ Name = '', Value = '' }) => [Name, Value])),
  })).filter(({ dimensions }) => dimensions['Fleet'] === fleet);
  assert.deepEqual(
    Object.fromEntries(ofFleet.map(({ MetricName, dimensions }) => [MetricName, dimensions])),
    {
      FailedSnapshots: { Fleet: fleet },
      DriftedObjects: { Fleet: fleet, Cluster: 'prod' },
      OldestCheckSeconds: { Fleet: fleet, Cluster: 'prod' },
    },
  );
  const { Datapoints = [] } = await client.send(
    new GetMetricStatisticsCommand({
      Namespace: 'TrueUp',
      MetricName: 'OldestCheckSeconds',
      Dimensions: [
        { Name: 'Fleet', Value: fleet },
        { Name: 'Cluster', Value: 'prod' },
      ],
      StartTime: new Date(Date.now() - 600_000),
      EndTime: new Date(Date.now() + 600_000),
      Period: 60,
      Statistics: ['Maximum'],
    }),
  );
  assert.equal(Datapoints[0]?.Maximum, 61.5);
});

test('more data than fit one call, and none at all', async () => {
  const fleet = `${prefix}-large`;
  const metrics = new CloudWatchMetrics(fleet, client);
  await metrics.put([]);
  const data = Array.from({ length: 1_001 }, (_, index) => ({ cluster: `c${index}`, value: index }));
  await metrics.put(data.map((datum) => ({ name: 'DriftedObjects', unit: 'Count', ...datum }) as const));
  const Dimensions = [{ Name: 'Cluster', Value: 'c1000' }];
  const last = new ListMetricsCommand({ Namespace: 'TrueUp', MetricName: 'DriftedObjects', Dimensions });
  const { Metrics = [] } = await client.send(last);
  assert.ok(Metrics.some((metric) => metric.Dimensions?.some(({ Value }) => Value === fleet)));
});
