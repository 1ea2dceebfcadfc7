import { compareObjects } from '../compare/compare-objects.ts';
import { referencesAmong } from '../compare/object-references.ts';
import { refKey, refOf, type KubeObject, type ObjectRef } from '../model/object.ts';
import { objectRows, type SeenTarget } from './ask-target.ts';
import { readRuns } from './ask-runs.ts';
import type { Topology } from './contract.ts';
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

/**
 * What of an application leads to what, on one cluster: as it is desired now, or from one snapshot to another, with what
 * changes between them marked. Edges to objects of others are drawn to where they lead.
 */
export async function mapOf(
  seen: SeenTarget,
  { base, head }: { readonly base?: string; readonly head?: string },
  { store, clock }: ApiDeps,
): Promise<Topology> {
  const { target, pointer } = seen.view;
  const [snapshot, before, open, [last]] = await Promise.all([
    readPlaced(store, target.application, head ?? pointer.snapshot, seen.view.inventory),
    base === undefined ? undefined : readPlaced(store, target.application, base, seen.view.inventory),
    openEpisodes(store, target),
    readRuns(store, target, { now: clock.now(), most: 1 }),
  ]);
  const after = snapshot?.objects ?? [];
  const old = before?.objects ?? [];
  const changes = base === undefined ? [] : compareObjects(old, after);
  const changed = new Map(changes.map(({ ref, kind }) => [refKey(ref), kind]));
  const rows = objectRows({ view: seen.view, snapshot, lastRun: last?.run, open });
  const health = new Map(rows.map((row) => [row.key, row]));
  const all = [...old, ...after];
  const edges = edgesOf(all);
  const refs = new Map(
    [...all.map(refOf), ...edges.flatMap(({ ends }) => ends)].map((ref) => [refKey(ref), ref]),
  );
  const dependencies = pointer.settings.dependsOn.map(({ application }) => application);
  const nodes = [...refs].slice(0, mostNodes).map(([id, ref]): Node => {
    const row = health.get(id);
    const change = changed.get(id);
    return {
      id,
      kind: ref.kind,
      name: ref.name,
      ...(ref.namespace !== undefined && { namespace: ref.namespace }),
      application: target.application,
      role: rolesOfKinds[ref.kind] ?? 'other',
      ...(row !== undefined && { health: row.health }),
      drift: row?.drift !== undefined,
      ...(change !== undefined && { change }),
    };
  });
  const shown = new Set(nodes.map(({ id }) => id));
  return {
    nodes: [
      ...nodes,
      ...dependencies.map(applicationNode),
      ...(dependencies.length > 0 ? [applicationNode(target.application)] : []),
    ],
    edges: [
      ...edges.map(({ edge }) => edge).filter(({ from, to }) => shown.has(from) && shown.has(to)),
      ...dependencies.map((name): Edge => ({
        from: `app:${target.application}`,
        to: `app:${name}`,
        kind: 'depends',
      })),
    ],
    left: refs.size - nodes.length,
  };
}

function applicationNode(name: string): Node {
  return {
    id: `app:${name}`,
    kind: 'Application',
    name,
    application: name,
    role: 'application',
    drift: false,
  };
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
