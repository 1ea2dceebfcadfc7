import { inBatches } from '../in-batches.ts';
import type { HookPhase } from '../model/inventory.ts';
import { describeRef, type ObjectRef } from '../model/object.ts';
import type { SecretVersions } from '../model/secret-reference.ts';
import type { ResolvedObject } from '../plan.ts';
import { resolveReferences, SharedValues } from '../resolve-references.ts';
import type { Hook, OrderedDesired } from './desired-order.ts';
import type { RunContext } from './run-context.ts';

const atOnce = 8;

/** Of an application that is gone only these run: a value that is gone as well must not hold up the others. */
const lastPhases: readonly HookPhase[] = ['delete', 'post-delete'];

/**
 * Puts values in place of the references of all that may be applied, before anything is. Throws Blocked and Retry: where one
 * cannot be had, nothing of the application is applied.
 */
export async function withReferencedValues(
  context: RunContext,
  ordered: OrderedDesired,
  originOf: (ref: ObjectRef) => string | undefined,
): Promise<OrderedDesired> {
  const { goal, inventory, deps } = context;
  const values = new SharedValues(deps.references);
  const isKept = keepsVersions(context);
  const resolve = async (desired: ResolvedObject): Promise<ResolvedObject> => {
    const { object, references, ref, key } = desired;
    if (references === undefined) return desired;
    const origin = originOf(ref);
    const subject = `${describeRef(ref)}${origin === undefined ? '' : ` (${origin})`}`;
    const kept = isKept ? inventory.value.entries[key]?.secretVersions : undefined;
    return { ...desired, ...(await resolveReferences({ object, references, subject }, values, kept)) };
  };
  const isRun = ({ phases }: Hook): boolean =>
    goal.pointer.state !== 'gone' || phases.some((phase) => lastPhases.includes(phase));
  const objects = await inBatches(ordered.desired.objects, atOnce, resolve);
  const hooks = await inBatches(ordered.hooks, atOnce, async (hook) =>
    isRun(hook) ? { ...hook, desired: await resolve(hook.desired) } : hook,
  );
  return { ...ordered, desired: { ...ordered.desired, objects }, hooks };
}

/** Where a person applies commits, a heal puts back what was applied, and not what was rotated since. */
function keepsVersions({ goal: { rollout, scope, settings } }: RunContext): boolean {
  return settings.sync === 'manual' && !rollout && scope !== 'all';
}

/** Everything that was read for a run; undefined where nothing was. */
export function versionsOf({ desired, hooks }: OrderedDesired): SecretVersions | undefined {
  const all = [...desired.objects, ...hooks.map((hook) => hook.desired)];
  const read = all.flatMap(({ versions }) => Object.entries(versions ?? {}));
  return read.length === 0 ? undefined : Object.fromEntries(read);
}
