import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { Dimension } from '@aws-sdk/client-cloudwatch';
import { dimensions, metricNamespace } from '../core/contract/metrics.ts';
import type { MetricDatum, Metrics } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

const dataPerCall = 1000;

/** Metrics of one fleet. Dimensions are Fleet alone for the fleet as a whole, Fleet and Cluster for a cluster. */
export class CloudWatchMetrics implements Metrics {
  readonly #fleet: string;
  readonly #client: CloudWatchClient;

  constructor(fleet: string, client: CloudWatchClient = new CloudWatchClient(awsClient)) {
    this.#fleet = fleet;
    this.#client = client;
  }

  async put(data: readonly MetricDatum[]): Promise<void> {
    for (let start = 0; start < data.length; start += dataPerCall) {
      const MetricData = data.slice(start, start + dataPerCall).map((datum) => this.#datum(datum));
      try {
        await this.#client.send(new PutMetricDataCommand({ Namespace: metricNamespace, MetricData }));
      } catch (error) {
        const subject = `metrics of fleet ${this.#fleet}`;
        throw awsFault({ subject, permission: 'cloudwatch:PutMetricData' }, error);
      }
    }
  }

  #datum({ name, value, unit, cluster }: MetricDatum) {
    const Dimensions: Dimension[] = [{ Name: dimensions.fleet, Value: this.#fleet }];
    if (cluster !== undefined) Dimensions.push({ Name: dimensions.cluster, Value: cluster });
    return { MetricName: name, Value: value, Unit: unit, Dimensions };
  }
}
