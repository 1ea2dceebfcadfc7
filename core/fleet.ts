import { placeOf, placeOfArn } from './contract/cluster-access.ts';
import type { ClusterConfig, StackConfig } from './contract/config.ts';
import { discoveryKey, scopeOf } from './contract/discovery.ts';
import { keys } from './contract/keys.ts';
import { readDocument } from './documents.ts';
import { clusterRegistrySchema, type ClusterRegistry, type FoundCluster } from './model/cluster-registry.ts';
import { digestOf } from './model/digest.ts';
import type { Clock, Store } from './ports.ts';

/** A cluster that trueup serves, declared or found. */
export interface FleetCluster extends ClusterConfig {
  /** Absent for one of the stack configuration. */
  readonly found?: FoundCluster;
}

/** The clusters there are, as one reading has it. */
export interface Fleet {
  readonly clusters: FleetCluster[];
  /**
   * Every discovery was read in full at least once. While this is false a cluster that is not here may merely not be
   * known yet: nothing is taken away for it (rule 7 of the design).
   */
  readonly isComplete: boolean;
  /** Another where names or labels are. */
  readonly digest: string;
}

type FleetConfig = Pick<StackConfig, 'clusters' | 'discovery'>;

/**
 * Clusters of the stack configuration, then those that were found, a missing one included: it keeps its name, its
 * labels and its targets. One of an account and region in which nothing is looked for any more is nobody's.
 */
export function fleetOf(config: FleetConfig, registry: ClusterRegistry | undefined): Fleet {
  const scopes = new Set(config.discovery.map(scopeOf));
  const found = Object.values(registry?.clusters ?? {})
    .filter((one) => scopes.has(one.scope) && !declares(config.clusters, one))
    .filter(({ name }) => config.clusters.every((one) => one.name !== name))
    .map(servedAs)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const clusters: FleetCluster[] = [...config.clusters, ...found];
  const isComplete = config.discovery.every(
    (one) => registry?.discoveries[discoveryKey(one)]?.listed === true,
  );
  const digest = digestOf(clusters.map(({ name, labels }) => [name, labels]));
  return { clusters, isComplete, digest };
}

/** Whether the stack configuration names this very cluster. It does so for certain by the ARN. */
export function declares(
  declared: FleetConfig['clusters'],
  { arn, roleArn }: Pick<FoundCluster, 'arn' | 'roleArn'>,
): boolean {
  const found = placeOfArn(arn);
  return declared.some(({ access }) => {
    if (access.type !== 'eks') return false;
    if (access.arn !== undefined) return access.arn === arn;
    const { name, region } = placeOf(access);
    if (name !== found?.name || access.roleArn !== roleArn) return false;
    // Without a region it is that of the stack, which is not known here: one name must never be served twice.
    return region === undefined || region === found.region;
  });
}

function servedAs(found: FoundCluster): FleetCluster {
  const { name, labels, arn, roleArn, externalId } = found;
  const role = { ...(roleArn !== undefined && { roleArn }), ...(externalId !== undefined && { externalId }) };
  return { name, labels, access: { type: 'eks', arn, ...role }, found };
}

interface FleetDeps {
  readonly store: Store;
  readonly config: FleetConfig;
}

/** One small request, and none where nothing is looked for. Throws Stop where the registry cannot be read. */
export async function readFleet({ store, config }: FleetDeps): Promise<Fleet> {
  if (config.discovery.length === 0) return fleetOf(config, undefined);
  return fleetOf(config, (await readDocument(store, keys.clusterRegistry, clusterRegistrySchema))?.value);
}

/** That one is gone or relabelled is met this much later by whoever works on targets. */
const maxAgeMs = 15_000;

interface ViewDeps {
  readonly store: Store;
  readonly config: StackConfig;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * The clusters there are, for the work on targets of one process: read at most every 15 s, and anew for one that is not
 * among them, since who asks for work on it has seen it.
 */
export class FleetView {
  readonly #deps: ViewDeps;
  #known: { readonly at: number; readonly fleet: Promise<Fleet> } | undefined;

  constructor(deps: ViewDeps) {
    this.#deps = deps;
  }

  readonly find = async (cluster: string): Promise<FleetCluster | undefined> => {
    const { clusters } = await this.#with(cluster);
    return clusters.find(({ name }) => name === cluster);
  };

  /** The stack configuration with all clusters there are, for work on one. As `readFleet`; a failure is not remembered. */
  async config(cluster: string): Promise<StackConfig> {
    return { ...this.#deps.config, clusters: (await this.#with(cluster)).clusters };
  }

  async #with(cluster: string): Promise<Fleet> {
    const began = this.#deps.clock.now();
    const fleet = await this.#now(maxAgeMs);
    const isServed = fleet.clusters.some(
      ({ name, found }) => name === cluster && found?.missing === undefined,
    );
    return isServed ? fleet : this.#now(this.#deps.clock.now() - began);
  }

  /** As it was read within so many milliseconds. */
  async #now(age: number): Promise<Fleet> {
    const now = this.#deps.clock.now();
    if (this.#known !== undefined && now - this.#known.at <= age) return this.#known.fleet;
    const entry = { at: now, fleet: readFleet(this.#deps) };
    this.#known = entry;
    try {
      return await entry.fleet;
    } catch (error) {
      if (this.#known === entry) this.#known = undefined;
      throw error;
    }
  }
}
