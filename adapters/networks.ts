import * as z from 'zod';
import type { ClusterConfig } from '../core/contract/config.ts';
import { Stop, messageOf } from '../core/errors.ts';
import type { Ids, Queues } from '../core/ports.ts';
import type { PreviewQueues } from '../core/preview-ports.ts';
import { SqsQueues, type SqsQueuesOptions } from './sqs-queues.ts';

const queueUrlsSchema = z.strictObject({
  runQueue: z.url(),
  laterQueue: z.url(),
  sweepQueue: z.url(),
  questionQueue: z.url().exactOptional().describe('where pull requests are previewed'),
});

type NetworkQueues = Queues & Pick<PreviewQueues, 'ask'>;

/** The variable `networks`: `own` of a function inside a network, `queues` of one outside, by the network's name. */
const networksSchema = z.strictObject({
  own: z.string().exactOptional(),
  queues: z.record(z.string(), queueUrlsSchema).default({}),
});

/**
 * Clusters that only functions inside a VPC can reach. Whoever asks for a run or a sweep sends it to the common queues
 * and knows nothing of networks: the function that reads these passes it on to the queues of the cluster's network.
 */
export class Networks {
  readonly #own: string | undefined;
  readonly #queues: ReadonlyMap<string, NetworkQueues>;
  readonly #clusters: readonly Pick<ClusterConfig, 'name' | 'network'>[];

  /** `variable`: the value of the variable `networks`; throws what is wrong with it. */
  constructor(
    variable: string,
    clusters: readonly Pick<ClusterConfig, 'name' | 'network'>[],
    ids: Ids,
    options: SqsQueuesOptions = {},
  ) {
    const { own, queues } = parse(variable);
    this.#own = own;
    this.#clusters = clusters;
    this.#queues = new Map(
      Object.entries(queues).map(([name, urls]) => [name, new SqsQueues(urls, ids, options)]),
    );
  }

  /** Whether the request was sent to the cluster's own network; if not, it is for this function. Throws Stop and Retry. */
  async passOn(cluster: string, send: (queues: NetworkQueues) => Promise<void>): Promise<boolean> {
    const network = this.#clusters.find(({ name }) => name === cluster)?.network;
    if (network === undefined || network === this.#own) return false;
    const queues = this.#queues.get(network);
    if (queues === undefined) {
      const message = `is in the network ${network}, which has no functions: add it with addNetwork where TrueUp is made, or take \`network\` out of the cluster, and deploy`;
      throw new Stop({ subject: `cluster ${cluster}`, message });
    }
    await send(queues);
    return true;
  }
}

function parse(variable: string): z.infer<typeof networksSchema> {
  try {
    return networksSchema.parse(JSON.parse(variable));
  } catch (cause) {
    throw new Error(`TRUEUP_NETWORKS: ${messageOf(cause)}; deploy the stack again`, { cause });
  }
}
