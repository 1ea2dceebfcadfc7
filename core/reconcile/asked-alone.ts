import type { ObjectResult } from '../apply.ts';
import { describeRef, refKey, refOfKey } from '../model/object.ts';
import type { RunRequest } from '../model/run.ts';
import type { Decision, Resolution } from '../plan.ts';
import { Halted } from './halted.ts';
import type { RunContext } from './run-context.ts';

/**
 * Of what was decided the objects that a person asked for, and nothing else: nothing is deleted or forgotten by the way.
 * What Git does not want, all of an application that is gone too, is no object to ask for.
 */
export function askedAlone(
  { only }: Pick<RunRequest, 'only'>,
  desired: Resolution,
  decision: Decision,
): Decision {
  if (only === undefined) return decision;
  const asked = new Set(only);
  const wanted = new Set([
    ...desired.objects.map(({ key }) => key),
    ...desired.blocked.map(({ ref }) => refKey(ref)),
  ]);
  const unknown = only.filter((key) => !wanted.has(key)).map((key) => describeRef(refOfKey(key)));
  const actions = decision.plan.actions.filter(
    ({ ref }) => asked.has(refKey(ref)) && wanted.has(refKey(ref)),
  );
  const refusal =
    decision.plan.refusal ??
    (unknown.length === 0 ? undefined : `Git does not want ${unknown.join(', ')} here: nothing was done`);
  return {
    ...decision,
    plan: { ...decision.plan, actions, ...(refusal !== undefined && { refusal }) },
    apply: decision.apply.filter(({ desired: { key } }) => asked.has(key)),
    prune: [],
    forget: [],
    claimable: [],
    notes: {},
  };
}

/**
 * Notes before the first effect that single objects of a revision come before the rest of it. A whole run that applies
 * something takes the note away; until then heals, which go back to what is applied, would delete or revert them.
 */
export async function noteAskedAlone(
  { request, goal, inventory, startedAt }: RunContext,
  { apply, plan }: Decision,
): Promise<void> {
  const isOfApplied = inventory.value.applied?.revision === goal.revision;
  if (request.only === undefined || isOfApplied || apply.length === 0 || plan.refusal !== undefined) return;
  const note = { revision: goal.revision, at: startedAt };
  await inventory.save((current) => ({ ...current, askedAlone: note }));
}

/** A revision of which only some objects were asked for is not applied by that: what is left of it was not touched. */
export function assertWhole(
  { request, goal, inventory }: RunContext,
  results: readonly ObjectResult[],
): void {
  const isOfApplied = inventory.value.applied?.revision === goal.revision;
  const hasFailed = results.some(({ failure }) => failure !== undefined);
  if (request.only === undefined || isOfApplied || hasFailed) return;
  const done = request.only.map((key) => describeRef(refOfKey(key))).join(', ');
  throw new Halted(
    'partial',
    `only ${done} was asked for; the rest of revision ${goal.revision} is as it was`,
  );
}
