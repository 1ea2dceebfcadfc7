import { GetQueueAttributesCommand, SQSClient, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** Dead-letter queues, and the way back out of them. Throws Blocked where a right is missing, and Retry. */
export class DeadLetters {
  readonly #client: SQSClient;

  constructor(client: SQSClient = new SQSClient(awsClient)) {
    this.#client = client;
  }

  /** About how many messages lie in it. */
  async count(url: string): Promise<number> {
    return Number((await this.#attributes(url))['ApproximateNumberOfMessages'] ?? 0);
  }

  /** SQS begins to move each message back to the queue that it came from; it goes on by itself. */
  async moveBack(url: string): Promise<void> {
    const { QueueArn: SourceArn } = await this.#attributes(url);
    try {
      await this.#client.send(new StartMessageMoveTaskCommand({ SourceArn }));
    } catch (error) {
      // SQS asks for the right to receive and delete there, and to send to where the messages came from.
      const permission =
        'sqs:StartMessageMoveTask, sqs:ReceiveMessage, sqs:DeleteMessage and sqs:SendMessage';
      throw awsFault({ subject: `queue ${url}`, permission }, error);
    }
  }

  async #attributes(url: string): Promise<Record<string, string>> {
    const AttributeNames = ['QueueArn' as const, 'ApproximateNumberOfMessages' as const];
    try {
      const { Attributes = {} } = await this.#client.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames }),
      );
      return Attributes;
    } catch (error) {
      throw awsFault({ subject: `queue ${url}`, permission: 'sqs:GetQueueAttributes' }, error);
    }
  }
}
