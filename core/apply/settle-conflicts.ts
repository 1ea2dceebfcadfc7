import { adjustDesired, isUntouchable, type YieldedField } from '../adjust-desired.ts';
import { annotations } from '../contract/kubernetes.ts';
import { Retry } from '../errors.ts';
import { describePath, valueAt } from '../field-set.ts';
import { kubeObjectSchema, type KubeObject, type LiveObject } from '../model/object.ts';
import type { Policy } from '../policy.ts';
import type { ApplyOutcome, FieldConflict } from '../ports.ts';
import { pathFromText, withoutPath } from './conflict-path.ts';
import { answered, type ApplyTask } from './object-result.ts';
import { sendObject, type Sending } from './send-object.ts';

/** Others may go on taking fields while we decide; the next run looks again. */
const rounds = 4;

/** What came of sending an object, and what was left to others; or why it was not to be sent. */
export type Settled =
  | {
      readonly kind: 'sent';
      readonly answer: ApplyOutcome | Retry;
      readonly yielded: readonly YieldedField[];
    }
  | { readonly kind: 'refused'; readonly message: string };

/**
 * Sends an object by its policy. Where every field is ours that is one forced apply. Where not, the server is asked
 * without force first: it alone knows what is in conflict.
 */
export async function sendByPolicy(task: ApplyTask, sending: Sending): Promise<Settled> {
  const { object } = task;
  const { cluster, policy } = sending.effects;
  const hasFieldRules = policy.hasFieldRules(object);
  if (!hasFieldRules && policy.forObject(object).conflicts === 'override') {
    return { kind: 'sent', answer: await sendObject(task, object, true, sending), yielded: [] };
  }
  const mustLook = hasFieldRules && task.action === 'update';
  const live = mustLook ? await answered(cluster.get(task.address)) : undefined;
  if (live instanceof Retry) return { kind: 'sent', answer: live, yielded: [] };
  return settle(task, live, sending);
}

async function settle(task: ApplyTask, live: LiveObject | undefined, sending: Sending): Promise<Settled> {
  const { policy } = sending.effects;
  let { object, yielded } = adjustDesired(task.object, live, policy, { heals: task.heals === true });
  let force = false;
  for (let round = 1; ; round += 1) {
    const answer = await sendObject(task, object, force, sending);
    const fields = !(answer instanceof Retry) && answer.kind === 'conflict' ? answer.fields : [];
    if (fields.length === 0 || round === rounds || task.action === 'create')
      return { kind: 'sent', answer, yielded };
    const verdicts = fields.map((conflict) =>
      judge({ desired: task.object, sent: object, live, policy, heals: task.heals === true }, conflict),
    );
    const against = verdicts.find((each) => each.policy === 'fail');
    if (against !== undefined) return { kind: 'refused', message: refusalOf(against) };
    const left = verdicts.filter((each) => each.policy === 'yield');
    object = left.reduce(leavingOut, object);
    yielded = [...yielded, ...left.map(({ field, manager }) => ({ field, manager }))];
    force = verdicts.some((each) => each.policy === 'override');
  }
}

interface Verdict extends YieldedField {
  readonly policy: 'override' | 'yield' | 'fail';
  readonly path: readonly string[] | undefined;
}

/** What is known when the server names conflicts. */
interface Dispute {
  readonly desired: KubeObject;
  readonly sent: KubeObject;
  readonly live: LiveObject | undefined;
  readonly policy: Policy;
  readonly heals: boolean;
}

function judge({ desired, sent, live, policy, heals }: Dispute, { field, manager }: FieldConflict): Verdict {
  const path = pathFromText(sent, field);
  const named = path === undefined ? field.replace(/^\./, '') : describePath(path);
  // Our label is never another's: without it the object would not be found again.
  if (path !== undefined && isUntouchable(path)) return { field: named, manager, path, policy: 'override' };
  const seen = live ?? desired;
  const facts = {
    path: path ?? [],
    desired: valueAt(sent, path ?? []),
    live: live === undefined ? undefined : valueAt(live, path ?? []),
    managers: [manager],
  };
  const { conflicts, drift } = policy.forField(desired, seen, facts);
  const isObserved = heals && drift !== 'heal';
  const yields = conflicts === 'yield' || isObserved || policy.ignoresField(desired, seen, facts);
  // What cannot be found cannot be left out either.
  if (yields) return { field: named, manager, path, policy: path === undefined ? 'fail' : 'yield' };
  return { field: named, manager, path, policy: conflicts };
}

function leavingOut(object: KubeObject, { path }: Verdict): KubeObject {
  return path === undefined ? object : kubeObjectSchema.parse(withoutPath(object, path));
}

function refusalOf({ field, manager, path }: Verdict): string {
  if (path === undefined) {
    return `${field} is owned by ${manager} with another value, and could not be found in the object; take it out of Git`;
  }
  return (
    `${field} is owned by ${manager} with another value, and the policy for conflicts is to fail; take the field out ` +
    `of Git, or let it be decided: ${annotations.conflicts}: override or yield, as an annotation or in a rule (conflicts)`
  );
}
