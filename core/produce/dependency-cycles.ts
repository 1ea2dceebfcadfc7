import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import type { Fault } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import type { Dependency } from '../model/application.ts';
import { desiredPointerSchema } from '../model/desired.ts';
import { targetKey, type Target } from '../model/target.ts';
import type { Store } from '../ports.ts';
import type { SourcedApplication } from '../source.ts';

const readsAtOnce = 16;

/** One target, what it depends on, and where that is written. */
interface Node {
  readonly target: Target;
  readonly needs: readonly Target[];
  readonly written: string;
}

/**
 * Applications of a commit that would wait for themselves, by name, each with the whole cycle. A cycle may lead through
 * targets of other repositories: those are known by the settings in their pointers, and only the ones met are read.
 */
export async function dependencyCycles(
  applications: readonly SourcedApplication[],
  store: Pick<Store, 'get'>,
): Promise<ReadonlyMap<string, readonly Fault[]>> {
  const own = applications.flatMap(nodesOf);
  const nodes = await withOthers(own, store);
  const faults = new Map<string, readonly Fault[]>();
  for (const { application, dependsOnPlace } of applications) {
    const { name } = application.metadata;
    const cycles = own
      .filter(({ target }) => target.application === name)
      .flatMap((node) => cycleThrough(node, nodes) ?? []);
    const [cycle] = cycles;
    if (cycle !== undefined) faults.set(name, [{ subject: dependsOnPlace, message: cycle }]);
  }
  return faults;
}

function nodesOf({ application, clusters, file }: SourcedApplication): readonly Node[] {
  const { name } = application.metadata;
  return clusters.map((cluster) => {
    const target = { cluster, application: name };
    return { target, needs: needsOf(target, application.spec.dependsOn), written: file };
  });
}

function needsOf(target: Target, dependencies: readonly Dependency[]): readonly Target[] {
  return dependencies.map(({ application, cluster = target.cluster }) => ({ cluster, application }));
}

/** The targets of this commit, and all that they reach through pointers. */
async function withOthers(
  own: readonly Node[],
  store: Pick<Store, 'get'>,
): Promise<ReadonlyMap<string, Node>> {
  const nodes = new Map(own.map((node) => [targetKey(node.target), node]));
  const names = new Set(own.map(({ target }) => target.application));
  const asked = new Set(nodes.keys());
  let front = own;
  while (front.length > 0) {
    const unread = front
      .flatMap(({ needs }) => needs)
      // An application of this commit that left a cluster is about to be gone from there.
      .filter((target) => !names.has(target.application) && !asked.has(targetKey(target)));
    const targets = [...new Map(unread.map((target) => [targetKey(target), target])).values()];
    for (const target of targets) asked.add(targetKey(target));
    front = (await inBatches(targets, readsAtOnce, async (target) => nodeOf(target, store))).flat();
    for (const node of front) nodes.set(targetKey(node.target), node);
  }
  return nodes;
}

async function nodeOf(target: Target, store: Pick<Store, 'get'>): Promise<readonly Node[]> {
  const pointer = (await readDocument(store, keys.desired(target), desiredPointerSchema))?.value;
  if (pointer === undefined || pointer.state === 'gone') return [];
  const needs = needsOf(target, pointer.settings.dependsOn);
  return [{ target, needs, written: `repository ${pointer.repository}` }];
}

/** The shortest way from a target back to itself, in words; undefined when there is none. */
function cycleThrough(start: Node, nodes: ReadonlyMap<string, Node>): string | undefined {
  const home = targetKey(start.target);
  const seen = new Set<string>();
  let paths: readonly (readonly Node[])[] = [[start]];
  while (paths.length > 0) {
    const next: (readonly Node[])[] = [];
    for (const path of paths) {
      for (const target of path.at(-1)?.needs ?? []) {
        const key = targetKey(target);
        if (key === home) return textOf([...path, start]);
        const node = nodes.get(key);
        if (node === undefined || seen.has(key)) continue;
        seen.add(key);
        next.push([...path, node]);
      }
    }
    paths = next;
  }
  return undefined;
}

function textOf(path: readonly Node[]): string {
  const way = path.map(({ target: { application, cluster } }) => `${application} on ${cluster}`);
  const files = [...new Set(path.map(({ written }) => written))];
  return (
    `spec.dependsOn: the application waits for itself: ${way.join(' → ')} (${files.join(', ')}); ` +
    'take one of these dependencies away'
  );
}
