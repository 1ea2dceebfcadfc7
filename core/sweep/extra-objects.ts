import { labels } from '../contract/kubernetes.ts';
import { isExtra, wasOurs } from '../drift/object-drift.ts';
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

/** Whether an extra object counts, for an application with that inventory; `known`: what its runs created since. */
export function counts(
  live: LiveObject,
  { known, prune }: { readonly known: Readonly<Record<string, unknown>>; readonly prune: boolean },
): boolean {
  // What a run left behind because pruning is off keeps its label on purpose.
  return known[refKey(refOf(live))] === undefined && (prune || !wasOurs(live));
}
