import { createHash } from 'node:crypto';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SendMessageCommandInput } from '@aws-sdk/client-sqs';
import type {
  ClusterAsk,
  PollRequest,
  PreviewDue,
  PreviewLook,
  SweepRequest,
} from '../core/contract/events.ts';
import type { RunRequest } from '../core/model/run.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import type { PreviewQueues } from '../core/preview-ports.ts';
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
  readonly previewQueue?: string;
  readonly questionQueue?: string;
}

export interface SqsQueuesOptions {
  readonly client?: SQSClient;
  /** Most runs of one cluster at once; default: as many as it has targets. */
  readonly runsPerCluster?: number | undefined;
}

/** Our work queues. A request to a queue whose URL was not given is a bug of ours and throws at once. */
export class SqsQueues implements Queues, PollQueue, PreviewQueues {
  readonly #urls: QueueUrls;
  readonly #ids: Ids;
  readonly #client: SQSClient;
  readonly #runsPerCluster: number | undefined;

  constructor(urls: QueueUrls, ids: Ids, { client, runsPerCluster }: SqsQueuesOptions = {}) {
    this.#urls = urls;
    this.#ids = ids;
    this.#client = client ?? new SQSClient(awsClient);
    this.#runsPerCluster = runsPerCluster;
  }

  async run(request: RunRequest): Promise<void> {
    await this.#send('runQueue', request, {
      MessageGroupId: groupOf(request.target, this.#runsPerCluster),
      // Unique per send: a content-based id would swallow a second, later wish for the same run.
      MessageDeduplicationId: this.#ids.next(),
    });
  }

  /** A delay above 900 s becomes 900 s: whoever handles the message looks again at the current state. */
  async runLater(request: RunRequest, delaySeconds: number): Promise<void> {
    const DelaySeconds = Math.min(longestDelay, Math.max(0, Math.ceil(delaySeconds)));
    await this.#send('laterQueue', request, { DelaySeconds, ...fairTo(request.target.cluster) });
  }

  async sweep(request: SweepRequest, delaySeconds?: number): Promise<void> {
    const delay = delaySeconds === undefined ? {} : { DelaySeconds: Math.min(longestDelay, delaySeconds) };
    await this.#send('sweepQueue', request, {
      ...delay,
      ...(request.scope !== 'fleet' && fairTo(request.cluster)),
    });
  }

  /** A delay above 900 s becomes 900 s. */
  async poll(request: PollRequest, delaySeconds: number): Promise<void> {
    await this.#send('pushQueue', request, { DelaySeconds: Math.min(longestDelay, Math.ceil(delaySeconds)) });
  }

  async ask(request: ClusterAsk): Promise<void> {
    await this.#send('questionQueue', request, fairTo(request.cluster));
  }

  async preview(request: PreviewDue | PreviewLook, delaySeconds: number): Promise<void> {
    await this.#send('previewQueue', request, { DelaySeconds: Math.min(longestDelay, delaySeconds) });
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

/** A group is one message at a time, so a cluster of so many groups has no more runs than that. */
function groupOf(target: Target, runsPerCluster: number | undefined): string {
  if (runsPerCluster === undefined) return targetKey(target);
  const hash = createHash('sha256').update(target.application).digest().readUInt32BE();
  // No application has such a name.
  return `${target.cluster}/#${hash % runsPerCluster}`;
}

/** On a standard queue a group orders nothing: SQS lets those go first that have the least under way (fair queues). */
function fairTo(cluster: string): { readonly MessageGroupId: string } {
  return { MessageGroupId: cluster };
}
