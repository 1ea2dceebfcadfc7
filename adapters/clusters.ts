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

interface Entrance {
  readonly access: ApiAccess;
  readonly requestsPerSecond: number | undefined;
}

/** The clusters there are. How to reach each is remembered for a minute, its token until it expires. */
export class ConfiguredClusters implements Clusters {
  readonly #served: () => Promise<readonly ServedCluster[]>;
  readonly #secrets: Secrets;
  readonly #clock: Clock;
  readonly #roles: AssumedRoles;
  readonly #entrances = new Map<string, { readonly at: number; readonly entrance: Promise<Entrance> }>();
  readonly #shared = new Map<string, Shared>();

  /** `served` as a function: asked anew when how to reach one is not remembered. */
  constructor(
    served: readonly ServedCluster[] | (() => Promise<readonly ServedCluster[]>),
    secrets: Secrets,
    clock: Clock,
    roles: AssumedRoles = new AssumedRoles('default', clock),
  ) {
    this.#served = typeof served === 'function' ? served : async () => served;
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
    const { access, requestsPerSecond } = await this.#entranceTo(cluster);
    const shared = this.#sharedOf(cluster, requestsPerSecond);
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

  #sharedOf(cluster: string, rate: number | undefined): Shared {
    const known = this.#shared.get(cluster);
    if (known !== undefined) return known;
    const shared: Shared = {
      gate: new RequestGate(this.#clock, rate),
      discovery: new Discovery(this.#clock),
    };
    this.#shared.set(cluster, shared);
    return shared;
  }

  async #entranceTo(cluster: string): Promise<Entrance> {
    const now = this.#clock.now();
    const known = this.#entrances.get(cluster);
    if (known !== undefined && now - known.at < accessMaxAgeMs) return known.entrance;
    const entry = { at: now, entrance: this.#find(cluster) };
    this.#entrances.set(cluster, entry);
    try {
      return await entry.entrance;
    } catch (error) {
      if (this.#entrances.get(cluster) === entry) this.#entrances.delete(cluster);
      throw error;
    }
  }

  async #find(cluster: string): Promise<Entrance> {
    const served = (await this.#served()).find(({ name }) => name === cluster);
    if (served === undefined) {
      const message =
        'is not in the stack configuration, nor found by a discovery of it; add it there, or take it out of the application';
      throw new Blocked({ subject: `cluster ${cluster}`, message });
    }
    const { access, found, requestsPerSecond } = served;
    if (found?.missing !== undefined) throw missing(found, found.missing);
    return { access: await this.#enter(cluster, access), requestsPerSecond };
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
