import { driftOf, type DriftVerdict } from '../drift/object-drift.ts';
import type { Mask } from '../drift/shown-value.ts';
import type { ObjectDrift } from '../model/drift.ts';
import { describeRef, type LiveObject } from '../model/object.ts';
import type { ResolvedObject } from '../plan.ts';
import type { Cluster } from '../ports.ts';

/** What one look at one object gave. `live` is absent where the object is. */
export type ObjectCheck =
  | { readonly kind: 'clean'; readonly live: LiveObject }
  | { readonly kind: 'drifted'; readonly drift: ObjectDrift; readonly live: LiveObject | undefined }
  | { readonly kind: 'unknown'; readonly reason: string; readonly live: LiveObject | undefined };

/** Looks at an object that is being written all the time: a difference counts only within one version of it. */
const looks = 3;

/** The exact check: a GET and a forced dry run of what we last applied. Throws Retry and Blocked. */
export async function checkObject(
  cluster: Cluster,
  desired: ResolvedObject,
  mask: Mask,
): Promise<ObjectCheck> {
  for (let look = 1; ; look += 1) {
    const live = await cluster.get(desired.address);
    if (live === undefined) {
      return { kind: 'drifted', drift: { ref: desired.ref, kind: 'missing', fields: [] }, live };
    }
    const outcome = await cluster.apply(desired.address, desired.object, {
      dryRun: true,
      force: true,
    });
    if (outcome.kind !== 'applied') {
      const reason = `the dry run of ${describeRef(desired.ref)} was not possible: ${outcome.message}`;
      return { kind: 'unknown', reason, live };
    }
    const isSame = outcome.object.metadata.resourceVersion === live.metadata.resourceVersion;
    const verdict = driftOf(live, outcome.object, mask);
    // Deleted in between: the dry run tells what would be created anew.
    const isAnother = outcome.object.metadata.uid !== live.metadata.uid;
    if (look === looks || (!isAnother && (isSame || verdict.kind === 'clean'))) {
      return toCheck(verdict, live, desired);
    }
  }
}

function toCheck(verdict: DriftVerdict, live: LiveObject, { ref }: ResolvedObject): ObjectCheck {
  if (verdict.kind === 'clean') return { kind: 'clean', live };
  if (verdict.kind === 'drifted') return { kind: 'drifted', drift: verdict.drift, live };
  return { kind: 'unknown', reason: `${describeRef(ref)}: ${verdict.reason}`, live };
}
