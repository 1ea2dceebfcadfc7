import { whyClusterScoped } from '../environments/confine.ts';
import type { EnvironmentBounds } from '../model/preview-environments.ts';
import { describeRef, refKey, type LiveObject, type ObjectRef } from '../model/object.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { isBornOfIntent, type Decision, type Resolution } from '../plan.ts';

/** A refusal is read in one line of a status; the rest is told by its number. */
const mostTold = 5;

/** The namespace of an environment, which only it may have made. */
function namespaceOf({ namespace }: EnvironmentBounds): ObjectRef {
  return { group: '', kind: 'Namespace', name: namespace };
}

/**
 * What is desired of a preview environment; refused as a whole where anything of it is elsewhere than in its namespace.
 * Its render was asked the same, and did not know the scope of every kind.
 */
export function withinEnvironment(bounds: EnvironmentBounds | undefined, resolution: Resolution): Resolution {
  if (bounds === undefined || resolution.refusal !== undefined) return resolution;
  const refusal = refusalOf(
    resolution.objects.map(({ ref }) => ref),
    bounds,
  );
  return refusal === undefined ? resolution : { ...resolution, refusal };
}

interface Grounds {
  readonly bounds: EnvironmentBounds | undefined;
  readonly application: string;
  readonly entries: Readonly<Record<string, InventoryEntry>>;
  readonly observed: ReadonlyMap<string, LiveObject | undefined>;
  readonly isGone: boolean;
}

/**
 * A plan for a preview environment; refused as a whole where its namespace is somebody else's, and where it would prune
 * what is not in it. A namespace that was deleted and made again by others is theirs, whatever it is called.
 */
export function confinedDecision(decision: Decision, { bounds, ...grounds }: Grounds): Decision {
  if (bounds === undefined || decision.plan.refusal !== undefined) return decision;
  const pruned = decision.prune.map(({ entry }) => entry.ref);
  const refusal = refusalOf(pruned, bounds) ?? (grounds.isGone ? undefined : whyNotOwn(bounds, grounds));
  return refusal === undefined ? decision : { ...decision, plan: { ...decision.plan, refusal } };
}

function whyNotOwn(
  bounds: EnvironmentBounds,
  { application, entries, observed }: Omit<Grounds, 'bounds'>,
): string | undefined {
  const ref = namespaceOf(bounds);
  const key = refKey(ref);
  const live = observed.get(key);
  if (live === undefined) return undefined;
  const entry = entries[key];
  const isKnown = entry?.created === true && entry.uid === live.metadata.uid;
  // Of a run that died between the creation and the note of it.
  const isBorn = entry?.state === 'intent' && isBornOfIntent(application, entry, live);
  const isOurs = isKnown || isBorn;
  if (isOurs) return undefined;
  return `${describeRef(ref)} exists, and was not made for this environment: nothing is put into it; delete it, or change previewEnvironments.name`;
}

function refusalOf(refs: readonly ObjectRef[], bounds: EnvironmentBounds): string | undefined {
  const whys = refs.flatMap((ref) => {
    const why = whyElsewhere(ref, bounds);
    return why === undefined ? [] : [`${describeRef(ref)}: ${why}`];
  });
  if (whys.length === 0) return undefined;
  const rest = whys.length > mostTold ? `; and ${whys.length - mostTold} more` : '';
  return `${whys.slice(0, mostTold).join('; ')}${rest}`;
}

function whyElsewhere(ref: ObjectRef, bounds: EnvironmentBounds): string | undefined {
  const { namespace, clusterKinds } = bounds;
  if (ref.namespace !== undefined)
    return ref.namespace === namespace
      ? undefined
      : `is not in ${namespace}, the namespace of this preview environment`;
  if (refKey(ref) === refKey(namespaceOf(bounds))) return undefined;
  const kind = ref.group === '' ? ref.kind : `${ref.group}/${ref.kind}`;
  return clusterKinds.includes(kind) && kind !== 'Namespace' ? undefined : whyClusterScoped(kind);
}
