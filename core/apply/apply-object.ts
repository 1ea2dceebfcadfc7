import type { YieldedField } from '../adjust-desired.ts';
import { Retry } from '../errors.ts';
import { foreignBaseline } from '../foreign-fields.ts';
import { deletionOf } from '../model/deletion.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import type { ApplyOutcome } from '../ports.ts';
import { immutableFields, immutableText, namedFields, recreation } from './immutable-fields.ts';
import {
  answered,
  failed,
  unanswered,
  type ApplyTask,
  type Failure,
  type ObjectResult,
} from './object-result.ts';
import { deleteToRecreate } from './recreate-object.ts';
import { isTooEarly, webhookIn, type Sending } from './send-object.ts';
import { sendByPolicy } from './settle-conflicts.ts';
import { isAdoption, takeOver } from './take-over.ts';

/** Applies one object as its policy says: one request, unless it is adopted, in conflict or cannot be changed. */
export async function applyObject(task: ApplyTask, sending: Sending): Promise<ObjectResult> {
  // An apply would write into what is going, and may be refused for it.
  const going = task.live === undefined ? undefined : deletionOf(task.live);
  if (going !== undefined) return failed(task, 'retry', goingText(going));
  if (!isAdoption(task.entry)) return sendAndJudge(task, sending, []);
  const taken = await takeOver(task, sending.effects);
  if (taken.kind === 'failed') return taken.result;
  const note = `took over the fields of ${taken.managers.join(', ')}`;
  return sendAndJudge(task, sending, taken.managers.length === 0 ? [] : [note]);
}

async function sendAndJudge(
  task: ApplyTask,
  sending: Sending,
  notes: readonly string[],
): Promise<ObjectResult> {
  const settled = await sendByPolicy(task, sending);
  if (settled.kind === 'refused') return failed(task, 'refused', settled.message);
  const { answer, yielded } = settled;
  if (answer instanceof Retry) return withoutAnswer(task, answer);
  if (answer.kind === 'applied') return applied(task, answer, [...notes, ...yieldNotes(yielded)]);
  if (answer.kind === 'conflict' && task.action === 'create') {
    return { ...failed(task, 'retry', 'is there already, and was left as it is'), existed: true };
  }
  if (answer.kind === 'invalid') {
    // Named for a person by the server itself; what is going away is no fault of the object.
    if (answer.message.includes('if the object is being deleted'))
      return failed(task, 'retry', answer.message);
    const fields = immutableFields(answer.message);
    if (fields.length > 0) return whenImmutable(task, sending, fields, answer.message);
  }
  return failed(task, isTooEarly(answer) ? 'retry' : failures[answer.kind], answer.message);
}

function goingText({ message }: NonNullable<ReturnType<typeof deletionOf>>): string {
  return `${message}; it is applied again once it is gone`;
}

const failures: Readonly<Record<Exclude<ApplyOutcome['kind'], 'applied'>, Failure>> = {
  invalid: 'invalid',
  refused: 'refused',
  conflict: 'retry',
  absent: 'retry',
};

/** A webhook that is down is one object's trouble; many of them do not mean that the cluster is gone. */
function withoutAnswer(task: ApplyTask, answer: Retry): ObjectResult {
  return webhookIn(answer) === undefined ? unanswered(task, answer) : failed(task, 'retry', answer.message);
}

/** Fails with the field's name, or makes the object again where its policy says so. */
async function whenImmutable(
  task: ApplyTask,
  sending: Sending,
  fields: readonly string[],
  words: string,
): Promise<ObjectResult> {
  const live = await answered(sending.effects.cluster.get(task.address));
  if (live instanceof Retry) return unanswered(task, live);
  const named = namedFields(fields, words, task.object, live);
  const { immutable } = sending.effects.policy.forObject(task.object);
  const policy = recreation(immutable, task.ref, task.object);
  if (policy === 'fail' || live === undefined) return failed(task, 'invalid', immutableText(named, task.ref));
  const held = await deleteToRecreate(task, live, sending.effects, policy);
  if (held !== undefined) return held;
  // What is created now is ours by the server's 201 alone, as everything is (rule 1).
  const { uid: _, ...entry } = { ...task.entry, created: false, adopted: false };
  const anew: ApplyTask = { ...task, action: 'create', entry, live: undefined };
  const settled = await sendByPolicy(anew, sending);
  if (settled.kind === 'refused') return failed(task, 'refused', settled.message);
  const { answer } = settled;
  if (answer instanceof Retry) return withoutAnswer(task, answer);
  if (answer.kind !== 'applied') {
    const message = `was deleted to be made again, and then: ${answer.message}`;
    return failed(task, isTooEarly(answer) ? 'retry' : failures[answer.kind], message);
  }
  const note = `was deleted and made again, since ${named.join(', ')} cannot be changed`;
  return applied(anew, answer, [note]);
}

const fieldsInNote = 5;

/** `yields spec.replicas to kube-controller-manager`, by manager. */
function yieldNotes(yielded: readonly YieldedField[]): readonly string[] {
  const managers = Map.groupBy(yielded, ({ manager }) => manager);
  return [...managers].map(([manager, fields]) => {
    const shown = fields.slice(0, fieldsInNote).map(({ field }) => field);
    const more = fields.length > fieldsInNote ? ` and ${fields.length - fieldsInNote} more` : '';
    return `yields ${shown.join(', ')}${more} to ${manager}`;
  });
}

function applied(
  task: ApplyTask,
  { object, created, warnings }: Extract<ApplyOutcome, { kind: 'applied' }>,
  notes: readonly string[],
): ObjectResult {
  const going = deletionOf(object);
  if (going !== undefined) return failed(task, 'retry', goingText(going));
  const { key, ref, live, digest, versions } = task;
  const { uid } = object.metadata;
  // Somebody was faster: what we wrote into is theirs, and not ours to prune (rule 1).
  const foreign = created ? undefined : foreignNote(task, uid);
  const isAnother = task.entry.uid !== undefined && task.entry.uid !== uid;
  const all = [...warnings, ...notes, ...(foreign === undefined ? [] : [foreign])];
  const isUnchanged = live?.metadata.resourceVersion === object.metadata.resourceVersion;
  return {
    key,
    live: object,
    outcome: {
      ref,
      outcome: created ? 'created' : isUnchanged ? 'unchanged' : 'updated',
      ...(all.length > 0 && { message: all.join('; ') }),
    },
    entry: {
      ...(isAnother ? anotherEntry(task.entry) : settledEntry(task.entry)),
      // Others may have added fields before us: these are not reported, save where a rule names them.
      ...(!isAnother && isAdoption(task.entry) && { baseline: foreignBaseline(object) }),
      state: 'applied',
      created: created || (task.entry.created && !isAnother),
      uid,
      desiredDigest: digest,
      ...(versions && { secretVersions: versions }),
    },
  };
}

/** Why an object that was there already is not ours; undefined for the one that the plan saw. */
function foreignNote({ action, entry }: ApplyTask, uid: string): string | undefined {
  // Some extension servers know nothing of preconditions.
  if (action === 'create') return 'existed already when it was applied: never pruned';
  if (entry.uid === undefined || entry.uid === uid) return undefined;
  return 'was deleted and made again by somebody before it was applied: never pruned';
}

/** What was known of the object that stood there before says nothing of this one. */
function anotherEntry(entry: InventoryEntry): InventoryEntry {
  const { baseline: _, ...rest } = settledEntry(entry);
  return { ...rest, adopted: false };
}

/** What an intent says of the future is past, and so are the versions of what stood there before. */
function settledEntry({
  intendedAt: _i,
  markedAt: _m,
  kept: _k,
  secretVersions: _s,
  ...entry
}: InventoryEntry): InventoryEntry {
  return entry;
}
