import { labels } from '../contract/kubernetes.ts';
import { isExtra, wasOurs } from '../drift/object-drift.ts';
import type { Inventory } from '../model/inventory.ts';
import { refKey, refOf, type LiveObject } from '../model/object.ts';
import type { LabelledObjects } from './listed-kinds.ts';

/**
 * Objects that carry an application's label and are in no inventory of the cluster, by application. What a run left
 * behind because pruning is off is among them.
 */
export function extraObjects(
  { objects }: Pick<LabelledObjects, 'objects'>,
  { known, uids }: { readonly known: ReadonlySet<string>; readonly uids: ReadonlySet<string> },
): ReadonlyMap<string, readonly LiveObject[]> {
  const extra = [...objects].flatMap(([key, live]) =>
    // An Ingress that moved between API groups is listed under both.
    known.has(key) || uids.has(live.metadata.uid) || !isExtra(live) ? [] : [live],
  );
  return Map.groupBy(extra, (live) => live.metadata.labels?.[labels.application] ?? '');
}

/** Whether an extra object counts; `known`: keys and uids of what runs of its application created since. */
export function counts(
  live: LiveObject,
  { known, prune }: { readonly known: ReadonlySet<string>; readonly prune: boolean },
): boolean {
  if (known.has(refKey(refOf(live))) || known.has(live.metadata.uid)) return false;
  // What a run left behind because pruning is off keeps its label on purpose.
  return prune || !wasOurs(live);
}

/** Key and uid (empty before it is there) of each object that came of a hook: it has our label, and may stay for good. */
export function hookRows({ hooks }: Pick<Inventory, 'hooks'>): readonly (readonly [string, string])[] {
  return Object.values(hooks).map(({ ref, uid = '' }) => [refKey(ref), uid]);
}
