import { adjustDesired } from '../adjust-desired.ts';
import { driftOf, driftOfMissing, type DriftContext, type DriftVerdict } from '../drift/object-drift.ts';
import type { ObjectDrift } from '../model/drift.ts';
import { describeRef, type LiveObject } from '../model/object.ts';
import type { ResolvedObject } from '../plan.ts';
import type { Cluster } from '../ports.ts';

/**
 * What one look at one object gave. `live` is absent where the object is. `ignored`: the policy watches no part of it,
 * so that nothing is said about drift; it was read for its health alone.
 */
export type ObjectCheck =
  | { readonly kind: 'clean'; readonly live: LiveObject }
  | { readonly kind: 'drifted'; readonly drift: ObjectDrift; readonly live: LiveObject | undefined }
  | { readonly kind: 'unknown'; readonly reason: string; readonly live: LiveObject | undefined }
  | { readonly kind: 'ignored'; readonly live: LiveObject | undefined };

/** What a check needs to know of one object. */
export type CheckContext = Pick<DriftContext, 'mask' | 'policy' | 'baseline'>;

/** Looks at an object that is being written all the time: a difference counts only within one version of it. */
const looks = 3;

/** Under this name nothing stands: a dry run of it shows what the server makes of a new object of the kind. */
const freshName = 'trueup-defaults';

/** The exact check: a GET and a forced dry run of what we last applied. Throws Retry and Blocked. */
export async function checkObject(
  cluster: Pick<Cluster, 'get' | 'apply'>,
  desired: ResolvedObject,
  context: CheckContext,
): Promise<ObjectCheck> {
  const isWatched = context.policy.isWatched(desired.object);
  for (let look = 1; ; look += 1) {
    const live = await cluster.get(desired.address);
    if (!isWatched) return { kind: 'ignored', live };
    if (live === undefined) return checkMissing(desired, context);
    // As an apply would send it: what rules leave to others is not asked for here either.
    const { object, yielded } = adjustDesired(desired.object, live, context.policy);
    const outcome = await cluster.apply(desired.address, object, { dryRun: true, force: true });
    if (outcome.kind !== 'applied') {
      const reason = `the dry run of ${describeRef(desired.ref)} was not possible: ${outcome.message}`;
      return { kind: 'unknown', reason, live };
    }
    const isSame = outcome.object.metadata.resourceVersion === live.metadata.resourceVersion;
    const all = { ...context, desired: desired.object, yielded: yielded.map(({ field }) => field) };
    const verdict = driftOf(live, outcome.object, all);
    // Deleted in between: the dry run tells what would be created anew.
    const isAnother = outcome.object.metadata.uid !== live.metadata.uid;
    if (look === looks || (!isAnother && (isSame || verdict.kind === 'clean'))) {
      const settled = hasForeign(verdict)
        ? await withoutDefaults(cluster, desired, { live, dryRun: outcome.object, context: all })
        : verdict;
      return toCheck(settled, live, desired);
    }
  }
}

function checkMissing(desired: ResolvedObject, { policy }: CheckContext): ObjectCheck {
  const drift = driftOfMissing(desired, policy);
  return drift === undefined
    ? { kind: 'ignored', live: undefined }
    : { kind: 'drifted', drift, live: undefined };
}

function hasForeign(verdict: DriftVerdict): boolean {
  return verdict.kind === 'drifted' && verdict.drift.fields.some((field) => field.class === 'foreign');
}

/**
 * Whoever creates an object owns its defaults as well (`kubectl create`): these are nobody's wish. One request more
 * where there are foreign fields, and only there; where the server refuses it, they are all reported.
 */
async function withoutDefaults(
  cluster: Pick<Cluster, 'get' | 'apply'>,
  { address, object }: ResolvedObject,
  seen: { readonly live: LiveObject; readonly dryRun: LiveObject; readonly context: DriftContext },
): Promise<DriftVerdict> {
  const renamed = { ...object, metadata: { ...object.metadata, name: freshName } };
  const options = { dryRun: true, force: true } as const;
  const outcome = await cluster.apply({ ...address, name: freshName }, renamed, options);
  const fresh = outcome.kind === 'applied' && outcome.created ? outcome.object : undefined;
  return driftOf(seen.live, seen.dryRun, { ...seen.context, fresh });
}

function toCheck(verdict: DriftVerdict, live: LiveObject, { ref }: ResolvedObject): ObjectCheck {
  if (verdict.kind === 'clean') return { kind: 'clean', live };
  if (verdict.kind === 'drifted') return { kind: 'drifted', drift: verdict.drift, live };
  return { kind: 'unknown', reason: `${describeRef(ref)}: ${verdict.reason}`, live };
}
