import { loadDesired, type OpenDeps } from '../desired-state.ts';
import { inBatches } from '../in-batches.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { describeRef } from '../model/object.ts';
import type { Rotation } from '../model/secret-reference.ts';
import { resolveDesired, type ResolvedObject } from '../plan.ts';
import type { ApiResource, ReferencedValues } from '../ports.ts';
import { resolveAsApplied } from '../resolve-references.ts';
import type { TargetState } from './target-state.ts';

/** The objects of a target as they were last applied, whatever Git says by now. */
export interface AppliedObjects {
  readonly objects: readonly ResolvedObject[];
  /** Objects that a run began and did not finish, in words. */
  readonly unfinished: readonly string[];
  /** Objects that cannot be compared, in words. */
  readonly unknown: readonly string[];
  /** Object key to what the object refers to and has another version by now. */
  readonly rotations: ReadonlyMap<string, readonly Rotation[]>;
}

const valuesAtOnce = 8;

type ByKey = ReadonlyMap<string, ResolvedObject>;

/**
 * Drift compares live with what was last applied, object by object: after a run that ended half-way some objects are of
 * one snapshot and some of the other, and the digest in each inventory entry tells which. Those whose keys are `settled`
 * need no look; where all are, no snapshot is read.
 */
export async function appliedObjects(
  deps: OpenDeps,
  { pointer, inventory }: TargetState,
  { served, references }: { readonly served: readonly ApiResource[]; readonly references: ReferencedValues },
  settled: ReadonlySet<string>,
): Promise<AppliedObjects> {
  const load = async (snapshot: string | undefined): Promise<ByKey> => {
    if (snapshot === undefined) return new Map();
    const desired = await loadDesired(deps, pointer.target.application, snapshot);
    return new Map(resolveDesired(desired, served).objects.map((object) => [object.key, object]));
  };
  const entries = Object.entries(inventory?.entries ?? {});
  const isOf = (objects: ByKey, [key, entry]: [string, InventoryEntry]): boolean =>
    objects.get(key)?.digest === entry.desiredDigest;
  // What nothing desires and is kept all the same is in no snapshot: it neither drifts nor is it unknown.
  const finished = entries.filter(
    ([key, { state, kept }]) => state === 'applied' && kept === undefined && !settled.has(key),
  );
  const applied = await load(finished.length === 0 ? undefined : inventory?.applied?.snapshot);
  const isWhole = finished.every((entry) => isOf(applied, entry));
  const newer = isWhole ? applied : await load(pointer.snapshot);
  const objects = finished.flatMap((entry) => {
    const found = [applied, newer].find((candidates) => isOf(candidates, entry));
    return found?.get(entry[0]) ?? [];
  });
  const known = new Set(objects.map(({ key }) => key));
  const unreadable: string[] = [];
  const rotations = new Map<string, readonly Rotation[]>();
  const whole = await inBatches(objects, valuesAtOnce, async (desired) => {
    const { key, object, references: named, ref } = desired;
    if (named === undefined) return [desired];
    const referring = { object, references: named, subject: describeRef(ref) };
    const found = await resolveAsApplied(referring, references, inventory?.entries[key]?.secretVersions);
    if (found.rotations.length > 0) rotations.set(key, found.rotations);
    if (typeof found.applied !== 'string') return [{ ...desired, object: found.applied }];
    unreadable.push(found.applied);
    return [];
  });
  return {
    objects: whole.flat(),
    rotations,
    unfinished: entries.filter(([, { state }]) => state === 'intent').map(([, { ref }]) => describeRef(ref)),
    unknown: [
      ...unreadable,
      ...finished
        .filter(([key]) => !known.has(key))
        .map(
          ([, { ref, apiVersion }]) =>
            `${describeRef(ref)} cannot be compared: the cluster does not serve ${apiVersion} ${ref.kind} now, or its snapshot is gone`,
        ),
    ],
  };
}
