import { labels } from '../contract/kubernetes.ts';
import { isExtra, wasOurs } from '../drift/object-drift.ts';
import { Blocked } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import type { Inventory } from '../model/inventory.ts';
import { refKey, refOf, type LiveObject } from '../model/object.ts';
import type { ApiResource, Cluster } from '../ports.ts';

/** Objects with our label by kind (`group/Kind`), or why they could not be listed. */
export interface LabelledObjects {
  readonly objects: ReadonlyMap<string, LiveObject>;
  readonly failed: ReadonlyMap<string, string>;
}

const listsAtOnce = 10;

/** One list of metadata for each kind that the inventories hold, for all applications of the cluster at once. */
export async function listLabelled(
  cluster: Cluster,
  inventories: readonly Inventory[],
  served: readonly ApiResource[],
): Promise<LabelledObjects> {
  const kinds = new Set(
    inventories.flatMap(({ entries }) => Object.values(entries).map(({ ref }) => kindOf(ref))),
  );
  // Preferred versions come first; a kind that is served in several versions has the same objects in each.
  const resources = [...kinds].flatMap(
    (kind) => served.find((each) => kindOf(each) === kind && each.verbs.includes('list')) ?? [],
  );
  const objects = new Map<string, LiveObject>();
  const failed = new Map<string, string>();
  await inBatches(resources, listsAtOnce, async (resource) => {
    try {
      const { items } = await cluster.list(resource, labels.application, { metadataOnly: true });
      for (const live of items) objects.set(refKey(refOf(live)), live);
    } catch (error) {
      // Not allowed to list one kind: the targets that have it are Unknown, the others are checked.
      if (!(error instanceof Blocked)) throw error;
      failed.set(kindOf(resource), error.message);
    }
  });
  return { objects, failed };
}

/**
 * Objects that carry the application's label and are in no inventory of the cluster. What a run left behind because
 * pruning is off keeps its label on purpose; without `prune` only copies that others made count.
 */
export function extraObjects(
  { objects }: LabelledObjects,
  application: string,
  options: {
    readonly known: ReadonlySet<string>;
    readonly uids: ReadonlySet<string>;
    readonly prune: boolean;
  },
): readonly LiveObject[] {
  return [...objects.values()].filter(
    (live) =>
      live.metadata.labels?.[labels.application] === application &&
      !options.known.has(refKey(refOf(live))) &&
      // An Ingress that moved between API groups is listed under both.
      !options.uids.has(live.metadata.uid) &&
      isExtra(live) &&
      (options.prune || !wasOurs(live)),
  );
}

/** `apps/Deployment`, `/Secret`. */
export function kindOf({ group, kind }: { readonly group: string; readonly kind: string }): string {
  return `${group}/${kind}`;
}
