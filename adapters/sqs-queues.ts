import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SendMessageCommandInput } from '@aws-sdk/client-sqs';
import type { PollRequest, SweepRequest } from '../core/contract/events.ts';
import type { RunRequest } from '../core/model/run.ts';
import { targetKey } from '../core/model/target.ts';
import type { Ids, PollQueue, Queues } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** The most that SQS delays a message. */
const longestDelay = 900;

/** Queue URLs; a function is given only those that it may send to. */
export interface QueueUrls {
  readonly runQueue?: string;
  readonly laterQueue?: string;
  readonly sweepQueue?: string;
  readonly pushQueue?: string;
}

/** Our work queues. A request to a queue whose URL was not given is a bug of ours and throws at once. */
export class SqsQueues implements Queues, PollQueue {
  readonly #urls: QueueUrls;
  readonly #ids: Ids;
  readonly #client: SQSClient;

  constructor(urls: QueueUrls, ids: Ids, client: SQSClient = new SQSClient(awsClient)) {
    this.#urls = urls;
    this.#ids = ids;
    this.#client = client;
  }

  async run(request: RunRequest): Promise<void> {
    await this.#send('runQueue', request, {
      MessageGroupId: targetKey(request.target),
      // Unique per send: a content-based id would swallow a second, later wish for the same run.
      MessageDeduplicationId: this.#ids.next(),
    });
  }

  /** A delay above 900 s becomes 900 s: whoever handles the message looks again at the current state. */
  async runLater(request: RunRequest, delaySeconds: number): Promise<void> {
    const DelaySeconds = Math.min(longestDelay, Math.max(0, Math.ceil(delaySeconds)));
    await this.#send('laterQueue', request, { DelaySeconds });
  }

  async sweep(request: SweepRequest): Promise<void> {
    await this.#send('sweepQueue', request, {});
  }

  /** A delay above 900 s becomes 900 s. */
  async poll(request: PollRequest, delaySeconds: number): Promise<void> {
    await this.#send('pushQueue', request, { DelaySeconds: Math.min(longestDelay, Math.ceil(delaySeconds)) });
  }

  async #send(
    queue: keyof QueueUrls,
    body: object,
    options: Pick<SendMessageCommandInput, 'MessageGroupId' | 'MessageDeduplicationId' | 'DelaySeconds'>,
  ): Promise<void> {
    const QueueUrl = this.#urls[queue];
    if (QueueUrl === undefined) throw new Error(`this function was not given the URL of ${queue}`);
    const command = new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(body), ...options });
    try {
      await this.#client.send(command);
    } catch (error) {
      throw awsFault({ subject: `queue ${QueueUrl}`, permission: 'sqs:SendMessage' }, error);
    }
  }
}
