import { Blocked } from '../core/errors.ts';
import type { LiveCluster, LiveClusters } from '../core/live-ports.ts';
import type { Clock } from '../core/ports.ts';
import { ApiClient } from './api-client.ts';
import { Discovery } from './api-discovery.ts';
import { ApiCluster } from './cluster.ts';
import { ApiLiveCluster } from './live-cluster.ts';
import { clusterNameOf, contextNames, readLocalKubeconfig } from './local-kubeconfig.ts';
import { RequestGate } from './request-gate.ts';

/** A question of a page waits no longer. */
const patienceMs = 20_000;

interface Kubeconfigs {
  /** Later ones add what earlier ones do not name. */
  readonly files: readonly string[];
  /** The one context that is used; default: each, for the cluster that has its name. */
  readonly context?: string | undefined;
  /** Other names of a cluster that a context may have, best first, such as its ARN, which is what `aws eks update-kubeconfig` gives. */
  readonly aliases: (cluster: string) => readonly string[];
}

/** Clusters by the contexts of a person's kubeconfig, with that person's rights; read-only. */
export class KubeconfigClusters implements LiveClusters {
  readonly #kubeconfigs: Kubeconfigs;
  readonly #clock: Clock;
  readonly #contexts: readonly string[];
  readonly #opened = new Map<string, Promise<LiveCluster>>();

  private constructor(kubeconfigs: Kubeconfigs, contexts: readonly string[], clock: Clock) {
    this.#kubeconfigs = kubeconfigs;
    this.#contexts = contexts;
    this.#clock = clock;
  }

  /** Reads the names of its contexts, and asks no cluster yet. Throws Stop where the files are no kubeconfig. */
  static async open(kubeconfigs: Kubeconfigs, clock: Clock): Promise<KubeconfigClusters> {
    const names = await contextNames(kubeconfigs.files);
    const { context } = kubeconfigs;
    const contexts = context === undefined ? names : names.filter((name) => name === context);
    return new KubeconfigClusters(kubeconfigs, contexts, clock);
  }

  reaches(cluster: string): boolean {
    return this.contextOf(cluster) !== undefined;
  }

  async connect(cluster: string): Promise<LiveCluster> {
    const context = this.contextOf(cluster);
    if (context === undefined) {
      const message = `no context of the kubeconfig is named like it; name one ${cluster}, or choose it with --context`;
      throw new Blocked({ subject: `cluster ${cluster}`, message });
    }
    const opening = this.#opened.get(context) ?? this.#open(context);
    this.#opened.set(context, opening);
    try {
      return await opening;
    } catch (error) {
      // What a person mends in their kubeconfig counts from the next question on.
      this.#opened.delete(context);
      throw error;
    }
  }

  async #open(context: string): Promise<LiveCluster> {
    const { access } = await readLocalKubeconfig({ files: this.#kubeconfigs.files, context });
    const clock = this.#clock;
    const deadline = (): number => clock.now() + patienceMs;
    const client = new ApiClient(access, clock, deadline, { gate: new RequestGate(clock) });
    return new ApiLiveCluster(client, new ApiCluster(client, new Discovery(clock)));
  }

  /** Which context leads to it; undefined where none does. */
  contextOf(cluster: string): string | undefined {
    const named = this.#contexts.find((name) => clusterNameOf(name) === cluster);
    // Earlier aliases say more: a name on EKS is another cluster's too, in another account.
    const other = this.#kubeconfigs.aliases(cluster).find((alias) => this.#contexts.includes(alias));
    return named ?? other;
  }
}
