import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Clock } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** About how many messages a queue holds. */
export interface QueueDepth {
  readonly waiting: number;
  readonly inFlight: number;
  readonly delayed: number;
}

const lookBackMs = 15 * 60_000;

/** Queues as SQS has them. Throws Blocked where that may not be asked. */
export class QueueStates {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #sqs = new SQSClient(awsClient);
  readonly #cloudWatch = new CloudWatchClient(awsClient);

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  async depth(url: string): Promise<QueueDepth> {
    try {
      const { Attributes = {} } = await this.#sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: url,
          AttributeNames: [
            'ApproximateNumberOfMessages',
            'ApproximateNumberOfMessagesNotVisible',
            'ApproximateNumberOfMessagesDelayed',
          ],
        }),
      );
      return {
        waiting: Number(Attributes['ApproximateNumberOfMessages'] ?? 0),
        inFlight: Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
        delayed: Number(Attributes['ApproximateNumberOfMessagesDelayed'] ?? 0),
      };
    } catch (error) {
      throw awsFault({ subject: `queue ${url}`, permission: 'sqs:GetQueueAttributes' }, error);
    }
  }

  /** Age of its oldest message in the last quarter of an hour, in seconds; undefined where CloudWatch has no figure. */
  async oldestSeconds(url: string): Promise<number | undefined> {
    const now = this.#clock.now();
    const name = url.slice(url.lastIndexOf('/') + 1);
    const command = new GetMetricStatisticsCommand({
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateAgeOfOldestMessage',
      Dimensions: [{ Name: 'QueueName', Value: name }],
      StartTime: new Date(now - lookBackMs),
      EndTime: new Date(now),
      Period: 300,
      Statistics: ['Maximum'],
    });
    try {
      const { Datapoints = [] } = await this.#cloudWatch.send(command);
      const newest = Datapoints.toSorted((a, b) => Number(b.Timestamp) - Number(a.Timestamp))[0];
      return newest?.Maximum;
    } catch (error) {
      throw awsFault({ subject: `metrics of ${name}`, permission: 'cloudwatch:GetMetricStatistics' }, error);
    }
  }
}
