import { Retry } from '../errors.ts';
import { managersOf, otherOwners, ourEntry, type Owner } from '../field-owners.ts';
import { describePath, pointerTo } from '../field-set.ts';
import { foreignFields, type ForeignField } from '../foreign-fields.ts';
import type { LiveObject } from '../model/object.ts';
import type { JsonPatchOperation } from '../ports.ts';
import {
  answered,
  failed,
  unanswered,
  type ApplyTask,
  type Effects,
  type ObjectResult,
} from './object-result.ts';

const fieldsInNote = 5;
/** A controller that writes a status as we come must not fail the run; one that never stops is for the next run. */
const tries = 5;

/**
 * Takes away what others added where a rule names it and says `heal`: an apply never does, since it only speaks of
 * fields of ours. By a JSON patch of exactly the version that was judged: what is written in between is judged first.
 */
export async function healForeign(
  task: ApplyTask,
  result: ObjectResult,
  effects: Effects,
): Promise<ObjectResult> {
  if (result.failure !== undefined || !effects.policy.hasFieldRules(task.object)) return result;
  let judged = result;
  for (let left = tries - 1; ; left -= 1) {
    const healed = await takeAway(task, judged, effects);
    if (healed !== 'overtaken') return healed;
    const live = await answered(effects.cluster.get(task.address));
    if (live instanceof Retry) return { ...result, ...unanswered(task, live) };
    if (live === undefined || left === 0) {
      const why = live === undefined ? 'it was deleted' : 'it is changed all the time';
      const message = `was applied, but what others added could not be taken away: ${why}`;
      return { ...result, ...failed(task, 'retry', message) };
    }
    judged = { ...result, live };
  }
}

async function takeAway(
  task: ApplyTask,
  result: ObjectResult,
  { cluster, policy, mayProceed }: Effects,
): Promise<ObjectResult | 'overtaken'> {
  const { live } = result;
  if (live === undefined) return result;
  const others = otherOwners(live);
  const unwanted = foreignFields(ourEntry(live)?.fields ?? {}, others, live).filter((field) =>
    isUnwanted(field, others, live, task, policy),
  );
  if (unwanted.length === 0) return result;
  await mayProceed();
  const { uid, resourceVersion } = live.metadata;
  const answer = await answered(
    cluster.patch(task.address, { uid, resourceVersion }, removalsOf(unwanted, live)),
  );
  const names = namesOf(unwanted);
  // The apply itself is done, and its entry says so.
  if (answer instanceof Retry) return { ...result, ...unanswered(task, answer) };
  if (answer.kind === 'conflict') return 'overtaken';
  if (answer.kind !== 'applied') {
    const failure = answer.kind === 'absent' ? 'retry' : 'refused';
    const message = `was applied, but ${names} could not be taken away: ${answer.message}`;
    return { ...result, ...failed(task, failure, message) };
  }
  const message = [result.outcome.message, `took away ${names}`].filter(Boolean).join('; ');
  const outcome = result.outcome.outcome === 'unchanged' ? 'updated' : result.outcome.outcome;
  return { ...result, live: answer.object, outcome: { ...result.outcome, outcome, message } };
}

function isUnwanted(
  { path, live: value }: ForeignField,
  others: readonly Owner[],
  live: LiveObject,
  { object }: ApplyTask,
  policy: Effects['policy'],
): boolean {
  const facts = { path, live: value, managers: managersOf(others, path) };
  return policy.forForeign(object, live, facts) === 'heal';
}

/** The last items of a list first, so that the places of the others hold. */
function removalsOf(fields: readonly ForeignField[], live: LiveObject): readonly JsonPatchOperation[] {
  return fields
    .map(({ path }) => pointerTo(live, path))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((path) => ({ op: 'remove' as const, path }));
}

function namesOf(fields: readonly ForeignField[]): string {
  const shown = fields.slice(0, fieldsInNote).map(({ path }) => describePath(path));
  const more = fields.length > fieldsInNote ? ` and ${fields.length - fieldsInNote} more` : '';
  return `${shown.join(', ')}${more}`;
}
