import { compareObjects } from '../compare/compare-objects.ts';
import { referencesAmong } from '../compare/object-references.ts';
import type { Inventory } from '../model/inventory.ts';
import { refKey, refOf, refOfKey, type KubeObject, type ObjectRef } from '../model/object.ts';
import { objectRows } from './ask-target.ts';
import type { SeenTarget } from './see-target.ts';
import { neighbourMap } from './ask-applications.ts';
import { ownRuns } from './ask-runs.ts';
import type { DriftEpisode, ObjectRow, Topology } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { readPlaced } from './placed-snapshot.ts';
import { openEpisodes } from './records.ts';

type Node = Topology['nodes'][number];
type Edge = Topology['edges'][number];

/** More than that no picture shows. */
const mostNodes = 600;

const rolesOfKinds: Readonly<Record<string, Node['role']>> = {
  Ingress: 'entry',
  Gateway: 'entry',
  HTTPRoute: 'entry',
  GRPCRoute: 'entry',
  Service: 'service',
  Deployment: 'workload',
  StatefulSet: 'workload',
  DaemonSet: 'workload',
  Job: 'workload',
  CronJob: 'workload',
  Pod: 'workload',
  ReplicaSet: 'workload',
  ConfigMap: 'config',
  Secret: 'config',
  PersistentVolumeClaim: 'config',
  ServiceAccount: 'identity',
  Role: 'identity',
  ClusterRole: 'identity',
  RoleBinding: 'identity',
  ClusterRoleBinding: 'identity',
  NetworkPolicy: 'policy',
  PodDisruptionBudget: 'policy',
  HorizontalPodAutoscaler: 'policy',
};

/** With what it is compared, if anything: a snapshot, or what is on the cluster. */
interface Wanted {
  readonly base?: string;
  readonly head?: string;
  readonly against?: 'live';
}

type Change = NonNullable<Node['change']>;

/** What is drawn: objects of either side, and what changes from one to the other, by key. */
interface Drawn {
  readonly objects: readonly KubeObject[];
  /** Of what is on the cluster and in no snapshot that is drawn. */
  readonly alone: readonly ObjectRef[];
  readonly changes: ReadonlyMap<string, Change>;
}

/**
 * What of an application leads to what, on one cluster: as it is desired now, from one snapshot to another, or from what is
 * live, with what changes between them marked. Edges to objects of others are drawn to where they lead.
 */
export async function mapOf(seen: SeenTarget, wanted: Wanted, deps: ApiDeps): Promise<Topology> {
  const { store, clock } = deps;
  const { target, pointer, inventory } = seen.view;
  const base = wanted.against === 'live' ? inventory?.applied?.snapshot : wanted.base;
  const placed = async (digest: string) => readPlaced(store, target.application, digest, inventory);
  const [snapshot, before, open, [lastRun], others] = await Promise.all([
    placed(wanted.head ?? pointer.snapshot),
    base === undefined ? undefined : placed(base),
    openEpisodes(store, target),
    ownRuns(seen, { now: clock.now(), most: 1 }, store),
    neighbourMap(seen.view, seen.person, deps),
  ]);
  const [old, after] = [before?.objects ?? [], snapshot?.objects ?? []];
  const changes = base === undefined ? [] : compareObjects(old, after);
  const changed = new Map(changes.map(({ ref, kind }): [string, Change] => [refKey(ref), kind]));
  const drawn =
    wanted.against === 'live'
      ? againstLive(after, { inventory, open, changed })
      : { objects: [...old, ...after], alone: [], changes: changed };
  const rows = objectRows({ view: seen.view, snapshot, lastRun, open });
  return withNeighbours(pictureOf(drawn, rows, target.application), others);
}

interface Live {
  readonly inventory: Inventory | undefined;
  readonly open: readonly DriftEpisode[];
  /** From what was applied to what is desired. */
  readonly changed: ReadonlyMap<string, Change>;
}

/** What would have to be done for the cluster to be as Git says, as the last look and the inventory have it. */
function againstLive(desired: readonly KubeObject[], { inventory, open, changed }: Live): Drawn {
  const wanted = new Set(desired.map((object) => refKey(refOf(object))));
  const drifts = new Map(open.map(({ key, kind }) => [key, kind]));
  const isThere = (key: string): boolean => {
    const state = inventory?.entries[key]?.state;
    return state !== undefined && state !== 'intent' && drifts.get(key) !== 'missing';
  };
  const own = [...wanted].flatMap((key): [string, Change][] => {
    if (!isThere(key)) return [[key, 'created']];
    return drifts.has(key) || changed.get(key) === 'changed' ? [[key, 'changed']] : [];
  });
  const extra = open.flatMap(({ key, kind }) => (kind === 'extra' ? [refOfKey(key)] : []));
  const left = Object.entries(inventory?.entries ?? {}).flatMap(([key, { ref }]) =>
    isThere(key) ? [ref] : [],
  );
  const alone = [...left, ...extra].filter((ref) => !wanted.has(refKey(ref)));
  const gone = alone.map((ref): [string, Change] => [refKey(ref), 'removed']);
  return { objects: desired, alone, changes: new Map([...own, ...gone]) };
}

function pictureOf(
  { objects, alone, changes }: Drawn,
  rows: readonly ObjectRow[],
  application: string,
): Topology {
  const edges = edgesOf(objects);
  const all = [...objects.map(refOf), ...alone, ...edges.flatMap(({ ends }) => ends)];
  const refs = new Map(all.map((ref) => [refKey(ref), ref]));
  const byKey = new Map(rows.map((row) => [row.key, row]));
  const nodes = [...refs].slice(0, mostNodes).map(([id, ref]): Node => {
    const row = byKey.get(id);
    const change = changes.get(id);
    return {
      id,
      kind: ref.kind,
      name: ref.name,
      ...(ref.namespace !== undefined && { namespace: ref.namespace }),
      application,
      role: rolesOfKinds[ref.kind] ?? 'other',
      ...(row !== undefined && { health: row.health }),
      drift: row?.drift !== undefined,
      ...(change !== undefined && { change }),
    };
  });
  const shown = new Set(nodes.map(({ id }) => id));
  const drawn = edges.map(({ edge }) => edge).filter(({ from, to }) => shown.has(from) && shown.has(to));
  return { nodes, edges: drawn, left: refs.size - nodes.length };
}

function withNeighbours(
  { nodes, edges, left }: Topology,
  others: Pick<Topology, 'nodes' | 'edges'>,
): Topology {
  return { nodes: [...nodes, ...others.nodes], edges: [...edges, ...others.edges], left };
}

function edgesOf(
  objects: readonly KubeObject[],
): readonly { readonly edge: Edge; readonly ends: readonly ObjectRef[] }[] {
  const found = referencesAmong(objects).map(({ from, to }) => ({
    edge: { from: refKey(from), to: refKey(to), kind: kindOf(from, to) },
    ends: [from, to],
  }));
  return [...new Map(found.map((each) => [`${each.edge.from} ${each.edge.to}`, each])).values()];
}

function kindOf({ kind }: ObjectRef, to: ObjectRef): Edge['kind'] {
  const role = rolesOfKinds[kind];
  if (role === 'entry') return 'routes';
  if (kind === 'Service') return 'selects';
  if (kind === 'HorizontalPodAutoscaler') return 'scales';
  if (role === 'policy') return 'guards';
  return to.kind === 'Pod' ? 'owns' : 'uses';
}
