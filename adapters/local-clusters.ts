import { Blocked } from '../core/errors.ts';
import type { Clock, Cluster, Clusters, Identity } from '../core/ports.ts';
import { ApiClient } from './api-client.ts';
import { Discovery } from './api-discovery.ts';
import { ApiCluster } from './cluster.ts';
import type { LocalContext } from './local-kubeconfig.ts';
import { RequestGate } from './request-gate.ts';

/** The one cluster of a kubeconfig's context. */
export class LocalClusters implements Clusters {
  readonly #context: LocalContext;
  readonly #clock: Clock;
  readonly #gate: RequestGate;
  readonly #discovery: Discovery;

  constructor(context: LocalContext, clock: Clock) {
    this.#context = context;
    this.#clock = clock;
    this.#gate = new RequestGate(clock);
    this.#discovery = new Discovery(clock);
  }

  /** Throws Blocked for any other cluster: its records are in the store, and how to reach it is not known here. */
  async connect(
    cluster: string,
    deadline: () => number,
    { impersonate }: { readonly impersonate?: Identity | undefined } = {},
  ): Promise<Cluster> {
    const { cluster: own, access } = this.#context;
    if (cluster !== own) {
      const message = `is not the cluster of context ${access.cluster}; choose its context with --context`;
      throw new Blocked({ subject: `cluster ${cluster}`, message });
    }
    const client = new ApiClient(access, this.#clock, deadline, { gate: this.#gate, impersonate });
    return new ApiCluster(client, this.#discovery);
  }
}
