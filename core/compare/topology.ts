import { describeRef, refKey, refOf, type KubeObject, type ObjectRef } from '../model/object.ts';
import type { ObjectChange } from './compare-objects.ts';
import { referencesAmong } from './object-references.ts';

export interface TopologyNode {
  readonly ref: ObjectRef;
  /** `elsewhere`: something leads to it, and it is no object of the application. */
  readonly state: ObjectChange['kind'] | 'same' | 'elsewhere';
}

export interface TopologyEdge {
  readonly from: ObjectRef;
  readonly to: ObjectRef;
  readonly state: 'created' | 'removed' | 'same';
}

/** What a change does to how the objects of an application hang together. */
export interface Topology {
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly TopologyEdge[];
  /** So many more are left out. */
  readonly more: number;
}

/** More than that nobody reads, and Git hosts refuse to draw. */
const mostNodes = 40;

/**
 * Objects that change, all that leads to them, and what they lead to. In the order of their names. Undefined where nothing
 * that changes hangs together with anything.
 */
export function topologyOf(
  base: readonly KubeObject[],
  head: readonly KubeObject[],
  changes: readonly Pick<ObjectChange, 'ref' | 'kind'>[],
): Topology | undefined {
  const edges = edgesOf(base, head);
  const refs = new Map(edges.flatMap(({ from, to }) => [from, to]).map((ref) => [refKey(ref), ref]));
  const changed = new Map(changes.map(({ ref, kind }) => [refKey(ref), kind]));
  const there = new Set([...base, ...head].map((object) => refKey(refOf(object))));
  const starts = [...changed.keys()].filter((key) => refs.has(key)).sort();
  if (starts.length === 0) return undefined;
  const wanted = reachedFrom(starts, edges);
  const shown = new Set(wanted.slice(0, mostNodes));
  const state = (key: string): TopologyNode['state'] =>
    changed.get(key) ?? (there.has(key) ? 'same' : 'elsewhere');
  const nodes = [...refs].filter(([key]) => shown.has(key)).map(([key, ref]) => ({ ref, state: state(key) }));
  return {
    nodes: nodes.sort((a, b) => byName(a.ref, b.ref)),
    edges: edges
      .filter(({ from, to }) => shown.has(refKey(from)) && shown.has(refKey(to)))
      .sort((a, b) => byName(a.from, b.from) || byName(a.to, b.to)),
    more: wanted.length - shown.size,
  };
}

function edgesOf(base: readonly KubeObject[], head: readonly KubeObject[]): readonly TopologyEdge[] {
  const keyed = (objects: readonly KubeObject[]) =>
    new Map(referencesAmong(objects).map((each) => [`${refKey(each.from)} ${refKey(each.to)}`, each]));
  const [before, after] = [keyed(base), keyed(head)];
  return [...new Map([...before, ...after])].map(([key, { from, to }]) => {
    const state = !before.has(key) ? 'created' : after.has(key) ? 'same' : 'removed';
    return { from, to, state };
  });
}

/** What changes first, then all that leads there, then what it leads to; nearest first. */
function reachedFrom(starts: readonly string[], edges: readonly TopologyEdge[]): readonly string[] {
  const found = new Set(starts);
  const [above, below] = [new Map<string, string[]>(), new Map<string, string[]>()];
  for (const { from, to } of edges) {
    const [a, b] = [refKey(from), refKey(to)];
    above.set(b, [...(above.get(b) ?? []), a]);
    below.set(a, [...(below.get(a) ?? []), b]);
  }
  // A set is walked in the order of entry, what is added on the way included.
  for (const key of found) for (const next of (above.get(key) ?? []).sort()) found.add(next);
  for (const key of starts) for (const next of (below.get(key) ?? []).sort()) found.add(next);
  return [...found];
}

function byName(a: ObjectRef, b: ObjectRef): number {
  const [left, right] = [`${describeRef(a)} ${a.group}`, `${describeRef(b)} ${b.group}`];
  return left < right ? -1 : Number(left > right);
}
