import { EKSClient } from '@aws-sdk/client-eks';
import type { ClusterConfig } from '../core/contract/config.ts';
import { Blocked } from '../core/errors.ts';
import type { Clock, Cluster, Clusters, Identity, Secrets } from '../core/ports.ts';
import type { Agent } from 'undici';
import { agentFor, type ApiAccess, ApiClient } from './api-client.ts';
import { Discovery } from './api-discovery.ts';
import { awsClient } from './aws-client.ts';
import { ApiCluster } from './cluster.ts';
import { eksAccess } from './eks.ts';
import { accessOf } from './kubeconfig.ts';
import { RequestGate } from './request-gate.ts';

/** Endpoint and CA of a cluster stay what they are, unless it is made anew. */
const accessMaxAgeMs = 60_000;
/** Sockets may have died while Lambda was frozen between two invocations; in this time nothing was. */
const openMaxAgeMs = 2_000;

/** What all connections of this process to one cluster share. */
interface Shared {
  readonly gate: RequestGate;
  readonly discovery: Discovery;
  /** Open connections, and when the last client that got them was made. */
  open?: { readonly agent: Agent; readonly access: ApiAccess; readonly at: number };
}

/** Clusters of the stack configuration. How to reach each is remembered for a minute, its token until it expires. */
export class ConfiguredClusters implements Clusters {
  readonly #configs: readonly ClusterConfig[];
  readonly #secrets: Secrets;
  readonly #clock: Clock;
  readonly #access = new Map<string, { readonly at: number; readonly access: Promise<ApiAccess> }>();
  readonly #shared = new Map<string, Shared>();

  constructor(configs: readonly ClusterConfig[], secrets: Secrets, clock: Clock) {
    this.#configs = configs;
    this.#secrets = secrets;
    this.#clock = clock;
  }

  /**
   * Throws Blocked when the cluster is not configured or cannot be reached as configured, and for an identity that
   * cannot be taken on. Sends nothing to it yet.
   */
  async connect(
    cluster: string,
    deadline: () => number,
    { impersonate }: { readonly impersonate?: Identity | undefined } = {},
  ): Promise<Cluster> {
    const access = await this.#accessTo(cluster);
    const shared = this.#sharedOf(cluster);
    const { gate, discovery } = shared;
    const agent = this.#openTo(access, shared);
    const client = new ApiClient(access, this.#clock, deadline, { gate, agent, impersonate });
    return new ApiCluster(client, discovery);
  }

  #openTo(access: ApiAccess, shared: Shared): Agent {
    const { open } = shared;
    const at = this.#clock.now();
    const isFresh = open?.access === access && at - open.at < openMaxAgeMs;
    const agent = isFresh ? open.agent : agentFor(access);
    shared.open = { agent, access, at };
    return agent;
  }

  #sharedOf(cluster: string): Shared {
    const known = this.#shared.get(cluster);
    if (known !== undefined) return known;
    const rate = this.#configs.find(({ name }) => name === cluster)?.requestsPerSecond;
    const shared: Shared = {
      gate: new RequestGate(this.#clock, rate),
      discovery: new Discovery(this.#clock),
    };
    this.#shared.set(cluster, shared);
    return shared;
  }

  async #accessTo(cluster: string): Promise<ApiAccess> {
    const now = this.#clock.now();
    const known = this.#access.get(cluster);
    if (known !== undefined && now - known.at < accessMaxAgeMs) return known.access;
    const entry = { at: now, access: this.#find(cluster) };
    this.#access.set(cluster, entry);
    try {
      return await entry.access;
    } catch (error) {
      if (this.#access.get(cluster) === entry) this.#access.delete(cluster);
      throw error;
    }
  }

  async #find(cluster: string): Promise<ApiAccess> {
    const config = this.#configs.find(({ name }) => name === cluster);
    if (config === undefined) {
      const message = 'is not in the stack configuration; add it there, or take it out of the application';
      throw new Blocked({ subject: `cluster ${cluster}`, message });
    }
    const { access } = config;
    if (access.type === 'eks') {
      const region = access.region === undefined ? {} : { region: access.region };
      return eksAccess(cluster, access.name, new EKSClient({ ...awsClient, ...region }), this.#clock);
    }
    const { current } = await this.#secrets.get(access.secret);
    return accessOf(current, { cluster, subject: `secret ${access.secret}`, context: access.context });
  }
}
