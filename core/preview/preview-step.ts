import { adjustDesired } from '../adjust-desired.ts';
import { immutableFields, immutableText, namedFields, recreation } from '../apply/immutable-fields.ts';
import { changesOf } from '../drift/field-changes.ts';
import type { Mask } from '../drift/shown-value.ts';
import { refKey, type LiveObject } from '../model/object.ts';
import type { PreviewedChange } from '../model/preview.ts';
import { rotationsBetween } from '../model/secret-reference.ts';
import type { ApplyStep } from '../plan.ts';
import type { Policy } from '../policy.ts';
import type { ApiResource, ApplyOutcome, Cluster } from '../ports.ts';

/** What steps are previewed with. */
export interface PreviewWork {
  readonly cluster: Cluster | undefined;
  readonly served: readonly ApiResource[];
  readonly policy: Policy;
  readonly mask: Mask;
  /** Keys of objects that would be created by the same run. */
  readonly creates: ReadonlySet<string>;
}

/** Tries one step on the server, without effect. Throws Retry when the server cannot tell now. */
export async function previewStep(step: ApplyStep, why: string, work: PreviewWork): Promise<PreviewedChange> {
  const { ref, address, object } = step.desired;
  const plain = { action: step.action, ref, apiVersion: address.apiVersion, why, fields: [] };
  const { cluster } = work;
  if (cluster === undefined) return plain;
  const untried = step.action === 'create' ? whyUntried(step, work) : undefined;
  if (untried !== undefined) return { ...plain, why: `${why}; not tried before: ${untried}` };
  const live = step.action === 'create' ? undefined : await cluster.get(address);
  const { object: sent } = adjustDesired(object, live, work.policy);
  const outcome = await cluster.apply(address, sent, { dryRun: true, force: true });
  if (outcome.kind !== 'applied') return refused(plain, outcome, live, step, work);
  if (live === undefined) return plain;
  const fields = changesOf(live, outcome.object, work.mask);
  if (fields.length > 0) return { ...plain, fields, why: isAsApplied(step) ? 'differs on the cluster' : why };
  return { ...plain, action: 'leave', why: 'is as desired' };
}

function isAsApplied({ entry, desired }: ApplyStep): boolean {
  const isRotated = rotationsBetween(entry.secretVersions, desired.versions).length > 0;
  return entry.desiredDigest === desired.digest && !isRotated;
}

/** A dry run needs the kind and the namespace: where this run brings them, there is nothing to ask yet. */
function whyUntried({ desired: { address, ref } }: ApplyStep, work: PreviewWork): string | undefined {
  const isServed = work.served.some(
    ({ group, version, plural }) =>
      plural === address.plural && address.apiVersion === (group === '' ? version : `${group}/${version}`),
  );
  if (!isServed) return 'its definition comes with this run';
  const { namespace } = ref;
  if (namespace === undefined) return undefined;
  const home = refKey({ group: '', kind: 'Namespace', name: namespace });
  return work.creates.has(home) ? 'its namespace comes with this run' : undefined;
}

function refused(
  plain: PreviewedChange,
  outcome: Exclude<ApplyOutcome, { kind: 'applied' }>,
  live: LiveObject | undefined,
  { desired: { object, ref } }: ApplyStep,
  { policy }: PreviewWork,
): PreviewedChange {
  const blocked = (why: string): PreviewedChange => ({ ...plain, action: 'blocked', why });
  if (outcome.kind !== 'invalid' || live === undefined) return blocked(outcome.message);
  const found = immutableFields(outcome.message);
  if (found.length === 0) return blocked(outcome.message);
  const fields = namedFields(found, outcome.message, object, live);
  if (recreation(policy.forObject(object).immutable, ref, object) === 'fail') {
    return blocked(immutableText(fields, ref));
  }
  return {
    ...plain,
    action: 'recreate',
    why: `${fields.join(', ')} cannot be changed on an object that exists`,
  };
}
