import { eksState, type EksState } from '../../adapters/eks-state.ts';
import { placeOf } from '../../core/contract/cluster-access.ts';
import { keys, prefixes } from '../../core/contract/keys.ts';
import { readDocument } from '../../core/documents.ts';
import type { Seen } from '../../core/doctor/finding.ts';
import type { ClusterFact } from '../../core/doctor/judge-clusters.ts';
import type { VersionFacts } from '../../core/doctor/judge-versions.ts';
import { unservedKinds } from '../../core/doctor/unserved-kinds.ts';
import { readFleet, type FleetCluster } from '../../core/fleet.ts';
import { inBatches } from '../../core/in-batches.ts';
import { clusterCheckSchema } from '../../core/model/check.ts';
import { desiredPointerSchema, type DesiredPointer } from '../../core/model/desired.ts';
import { clusterFactsSchema } from '../../core/model/facts.ts';
import { snapshotSchema, type Snapshot } from '../../core/model/snapshot.ts';
import { millisecondsOf } from '../../core/model/time.ts';
import type { Store } from '../../core/ports.ts';
import { look } from './look.ts';
import type { DoctorWorld } from './world.ts';

const atOnce = 10;
/** A fleet of thousands would take minutes: each application renders much the same on all its clusters. */
const mostSnapshots = 200;

/** Clusters as the last sweep met them, as EKS describes them, and whether they serve what is wanted there. */
export async function seeClusters(
  world: DoctorWorld,
): Promise<{ readonly clusters: readonly ClusterFact[]; readonly rendered: VersionFacts['rendered'] }> {
  const { store, clock } = world;
  const fleet = await readFleet(world);
  const snapshots = new Snapshots(store);
  const clusters = await inBatches(fleet.clusters, atOnce, async (cluster): Promise<ClusterFact> => {
    const { name } = cluster;
    const facts = await look(async () => readDocument(store, keys.facts(name), clusterFactsSchema));
    const check = await look(async () => {
      const found = (await readDocument(store, keys.check(name), clusterCheckSchema))?.value;
      if (found === undefined) return undefined;
      const { at, unreachable, targets } = found;
      const all = Object.values(targets);
      return {
        secondsAgo: (clock.now() - millisecondsOf(at)) / 1000,
        ...(unreachable !== undefined && { unreachable }),
        targets: all.length,
        unknown: all.filter(({ sync }) => sync === 'Unknown').length,
      };
    });
    const eks = await seeEks(cluster, world);
    const unserved = await look(async () => {
      if ('unseen' in facts || facts.seen === undefined) return [];
      const served = facts.seen.value;
      return (await snapshots.on(name)).flatMap(({ application, objects }) => {
        const kinds = unservedKinds(objects, served);
        return kinds.length === 0 ? [] : [{ application, kinds }];
      });
    });
    // Noted by the sweep where a render asks for it; EKS knows it too, without the patch.
    const byEks = eks !== undefined && 'seen' in eks ? eks.seen.version : undefined;
    const noted = 'seen' in facts ? facts.seen?.value.version : undefined;
    const version = noted ?? (byEks === undefined ? undefined : `v${byEks}`);
    return {
      name,
      check,
      ...(version !== undefined && { version }),
      ...(eks !== undefined && { eks }),
      unserved,
    };
  });
  return { clusters, rendered: { seen: snapshots.newest } };
}

/** One of another account shows itself only to the role that trueup takes on there. */
async function seeEks(
  { access, network }: FleetCluster,
  world: DoctorWorld,
): Promise<Seen<EksState> | undefined> {
  // What is in a network is entered by roles of that network.
  if (access.type !== 'eks' || access.roleArn !== undefined || network !== undefined) return undefined;
  const { name, region } = placeOf(access);
  const roles = [world.output('reconcileRole'), world.output('sweepRole')];
  return look(async () => eksState(name, region, roles));
}

/** Snapshots that targets should have, each read once. */
class Snapshots {
  readonly #store: Store;
  readonly #known = new Map<string, Snapshot | undefined>();
  #newest: { readonly at: string; readonly versions: Readonly<Record<string, string>> } | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** What the newest of those that were read was made with. */
  get newest(): Readonly<Record<string, string>> | undefined {
    return this.#newest?.versions;
  }

  async on(cluster: string): Promise<readonly Snapshot[]> {
    const names = await Array.fromAsync(this.#store.list(`${prefixes.desired}${cluster}/`));
    const found = await inBatches(names, atOnce, async (key) => {
      const pointer = await readDocument(this.#store, key, desiredPointerSchema);
      return pointer?.value.state === 'present' ? this.#read(pointer.value) : undefined;
    });
    return found.filter((snapshot) => snapshot !== undefined);
  }

  async #read({ target, snapshot: digest, examined }: DesiredPointer): Promise<Snapshot | undefined> {
    const key = keys.snapshot(target.application, digest);
    if (!this.#known.has(key) && this.#known.size < mostSnapshots) {
      const snapshot = (await readDocument(this.#store, key, snapshotSchema))?.value;
      this.#known.set(key, snapshot);
      if (snapshot !== undefined && examined.at > (this.#newest?.at ?? ''))
        this.#newest = { at: examined.at, versions: snapshot.provenance.versions };
    }
    return this.#known.get(key);
  }
}
