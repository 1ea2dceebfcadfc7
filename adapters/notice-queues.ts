import { ChangeMessageVisibilityCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { LookRequest } from '../core/contract/notice-messages.ts';
import type { Outgoing } from '../core/model/notice.ts';
import type { HeldMessages, NoticeQueues } from '../core/notice-ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** Of what was heard, to look at it later: a standard queue. Of messages to channels: a FIFO queue, a group for each channel. */
export class SqsNoticeQueues implements NoticeQueues {
  readonly #urls: { readonly noticeQueue: string; readonly sendQueue: string };
  readonly #client: SQSClient;

  constructor(
    urls: { readonly noticeQueue: string; readonly sendQueue: string },
    client: SQSClient = new SQSClient(awsClient),
  ) {
    this.#urls = urls;
    this.#client = client;
  }

  async look(request: LookRequest, delaySeconds: number): Promise<void> {
    await this.#send(this.#urls.noticeQueue, request, { DelaySeconds: delaySeconds });
  }

  async send(outgoing: Outgoing): Promise<void> {
    const { channel, notice } = outgoing;
    await this.#send(this.#urls.sendQueue, outgoing, {
      MessageGroupId: channel,
      MessageDeduplicationId: `${channel}-${notice.id}`,
    });
  }

  async #send(
    QueueUrl: string,
    body: object,
    options: { DelaySeconds?: number; MessageGroupId?: string; MessageDeduplicationId?: string },
  ): Promise<void> {
    const command = new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(body), ...options });
    try {
      await this.#client.send(command);
    } catch (error) {
      throw awsFault({ subject: `queue ${QueueUrl}`, permission: 'sqs:SendMessage' }, error);
    }
  }
}

/** Messages of one queue that are kept from being seen for a while. */
export class SqsHeldMessages implements HeldMessages {
  readonly #url: string;
  readonly #client: SQSClient;

  constructor(url: string, client: SQSClient = new SQSClient(awsClient)) {
    this.#url = url;
    this.#client = client;
  }

  async hold(receiptHandle: string, seconds: number): Promise<void> {
    const command = new ChangeMessageVisibilityCommand({
      QueueUrl: this.#url,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    });
    try {
      await this.#client.send(command);
    } catch (error) {
      throw awsFault({ subject: `queue ${this.#url}`, permission: 'sqs:ChangeMessageVisibility' }, error);
    }
  }
}
