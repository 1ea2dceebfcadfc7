import { EKSClient } from '@aws-sdk/client-eks';
import { placeOf } from '../core/contract/cluster-access.ts';
import type { ClusterConfig } from '../core/contract/config.ts';
import { Blocked } from '../core/errors.ts';
import type { Clock, Cluster, Clusters, Identity, Secrets } from '../core/ports.ts';
import type { FoundCluster } from '../core/model/cluster-registry.ts';
import type { Agent } from 'undici';
import { agentFor, type ApiAccess, ApiClient } from './api-client.ts';
import { Discovery } from './api-discovery.ts';
import { AssumedRoles } from './assumed-roles.ts';
import { awsClient } from './aws-client.ts';
import { ApiCluster } from './cluster.ts';
import { eksAccess } from './eks.ts';
import { accessOf } from './kubeconfig.ts';
import { RequestGate, type Traffic } from './request-gate.ts';

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

/** A cluster and how it is entered; absent `found`: by the stack configuration. */
type ServedCluster = ClusterConfig & { readonly found?: FoundCluster };

/** The clusters there are. How to reach each is remembered for a minute, its token until it expires. */
export class ConfiguredClusters implements Clusters {
  readonly #find: (cluster: string) => Promise<ServedCluster | undefined>;
  readonly #secrets: Secrets;
  readonly #clock: Clock;
  readonly #roles: AssumedRoles;
  readonly #access = new Map<string, { readonly at: number; readonly access: Promise<ApiAccess> }>();
  readonly #shared = new Map<string, Shared>();

  /** `served` as a function: asked at each connection. */
  constructor(
    served: readonly ServedCluster[] | ((cluster: string) => Promise<ServedCluster | undefined>),
    secrets: Secrets,
    clock: Clock,
    roles: AssumedRoles = new AssumedRoles('default', clock),
  ) {
    this.#find =
      typeof served === 'function' ? served : async (cluster) => served.find(({ name }) => name === cluster);
    this.#secrets = secrets;
    this.#clock = clock;
    this.#roles = roles;
  }

  /**
   * Throws Blocked when there is no such cluster or it cannot be reached as configured, and for an identity that
   * cannot be taken on. Sends nothing to it yet.
   */
  async connect(
    cluster: string,
    deadline: () => number,
    { impersonate }: { readonly impersonate?: Identity | undefined } = {},
  ): Promise<Cluster> {
    const served = await this.#servedAs(cluster);
    const access = await this.#accessTo(served);
    const shared = this.#sharedOf(served);
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

  /** What this process has asked of a cluster so far. */
  traffic(cluster: string): Traffic {
    return this.#shared.get(cluster)?.gate.traffic ?? { requests: 0, throttled: 0 };
  }

  #sharedOf({ name, requestsPerSecond }: ServedCluster): Shared {
    const known = this.#shared.get(name);
    if (known !== undefined) return known;
    const shared: Shared = {
      gate: new RequestGate(this.#clock, requestsPerSecond),
      discovery: new Discovery(this.#clock),
    };
    this.#shared.set(name, shared);
    return shared;
  }

  async #servedAs(cluster: string): Promise<ServedCluster> {
    const served = await this.#find(cluster);
    if (served === undefined) {
      const message =
        'is not in the stack configuration, nor found by a discovery of it; add it there, or take it out of the application';
      throw new Blocked({ subject: `cluster ${cluster}`, message });
    }
    const { found } = served;
    if (found?.missing !== undefined) throw missing(found, found.missing);
    return served;
  }

  async #accessTo({ name, access }: ServedCluster): Promise<ApiAccess> {
    const now = this.#clock.now();
    const known = this.#access.get(name);
    if (known !== undefined && now - known.at < accessMaxAgeMs) return known.access;
    const entry = { at: now, access: this.#enter(name, access) };
    this.#access.set(name, entry);
    try {
      return await entry.access;
    } catch (error) {
      if (this.#access.get(name) === entry) this.#access.delete(name);
      throw error;
    }
  }

  async #enter(cluster: string, access: ClusterConfig['access']): Promise<ApiAccess> {
    if (access.type === 'eks') {
      const { name, region } = placeOf(access);
      const client = new EKSClient({
        ...awsClient,
        ...(region !== undefined && { region }),
        ...this.#roles.of(access),
      });
      return eksAccess({ cluster, name, arn: access.arn, client }, this.#clock);
    }
    const { current } = await this.#secrets.get(access.secret);
    return accessOf(current, { cluster, subject: `secret ${access.secret}`, context: access.context });
  }
}

/** The reason of all its targets, until it is back or forgotten. */
function missing({ name, arn }: FoundCluster, { since, why }: NonNullable<FoundCluster['missing']>): Blocked {
  const what =
    why === 'gone'
      ? `there is no EKS cluster ${arn} any more`
      : `${arn} has not the tags any more that its discovery looks for`;
  const message = `${what} (since ${since}); bring it back, or say that it is to be forgotten: trueup clusters --forget ${name}`;
  return new Blocked({ subject: `cluster ${name}`, message });
}
