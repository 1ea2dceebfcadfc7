import type * as z from 'zod';
import { acceptDrift } from '../accept.ts';
import { askForRun } from '../ask-for-run.ts';
import { cancelRun } from '../cancel-run.ts';
import type { TrueupEvent } from '../contract/events.ts';
import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { messageOf } from '../errors.ts';
import { desiredPointerSchema } from '../model/desired.ts';
import { driftRecordSchema } from '../model/drift.ts';
import { refKey } from '../model/object.ts';
import { schemaWords } from '../model/schema-words.ts';
import { describeSuspension, suspensionOf } from '../model/suspension.ts';
import { targetKey, type Target } from '../model/target.ts';
import { isoTime } from '../model/time.ts';
import { liftPin, rollBack, rolledBackEvent } from '../rollback.ts';
import { readSuspensions, resume, suspend } from '../suspend.ts';
import { seeTarget } from './see-target.ts';
import { actionBodySchemas, type Action } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { mayAct, projectOf, type Person } from './person.ts';
import { ApiProblem } from './problem.ts';

interface Wish {
  readonly target: Target;
  readonly body: unknown;
  readonly person: Person;
}

type Doer = (target: Target, body: unknown, by: string, deps: ApiDeps) => Promise<string>;

/**
 * What a person asks for, once: it is judged whether they may, done by the same code as the command line's, and recorded
 * under their name. Nothing is sent to a cluster from here: a run is asked for. Throws ApiProblem, Stop and Retry.
 */
export async function act(
  action: Action,
  { target, body, person }: Wish,
  deps: ApiDeps,
): Promise<{ readonly done: string }> {
  const { view } = await seeTarget({ target, person }, deps);
  if (!mayAct(person, projectOf(view.pointer, deps.config.repositories))) {
    throw new ApiProblem(
      403,
      `${person.name} may look, and change nothing here.`,
      'Ask for the role of an operator in this project.',
    );
  }
  if (!/^(?:resume|suspend|cancel)$/.test(action)) await assertResumed(target, deps);
  const done = await doers[action](target, body, person.name, deps);
  return { done };
}

/** What an action does with a body whose form was checked. */
function doer<S extends z.ZodType>(
  schema: S,
  work: (target: Target, body: z.infer<S>, by: string, deps: ApiDeps) => Promise<string>,
): Doer {
  return async (target, body, by, deps) => {
    const parsed = schema.safeParse(body);
    if (parsed.success) return work(target, parsed.data, by, deps);
    const faults = parsed.error.issues.map(
      ({ path, message }) => `${path.join('.')}: ${schemaWords(message)}`,
    );
    throw new ApiProblem(400, 'The request has a fault; nothing was done.', faults.join('; '));
  };
}

const doers: Readonly<Record<Action, Doer>> = {
  sync: doer(actionBodySchemas.sync, async (target, _, by, deps) => {
    await askForRun(target, named(by, deps), deps);
    return `${targetKey(target)}: asked for a run`;
  }),
  cancel: doer(actionBodySchemas.cancel, async (target, _, by, deps) => {
    await cancelRun(deps, target, by);
    return `${targetKey(target)}: what is under way stops before its next step; the rest waits for a sync or a commit`;
  }),
  restart: doer(actionBodySchemas.restart, async (target, _, by, deps) => {
    const restartedAt = isoTime(deps.clock.now());
    await askForRun(target, named(by, deps), deps, { reason: 'restart', restartedAt });
    return `${targetKey(target)}: asked for a rolling restart of its workloads`;
  }),
  heal: doer(actionBodySchemas.heal, async (target, _, by, deps) => {
    await askForRun(target, named(by, deps), deps, { reason: 'heal' });
    return `${targetKey(target)}: asked for a run that heals`;
  }),
  suspend: doer(actionBodySchemas.suspend, async (target, { reason, until }, by, deps) => {
    const wish = { by, reason, ...(until !== undefined && { until }) };
    return describeSuspension(await suspend(deps, target, wish));
  }),
  resume: doer(actionBodySchemas.resume, async (target, _, by, deps) => {
    const resumed = await resume(deps, target, by);
    if (resumed === undefined) {
      const held = suspensionOf(await readSuspensions(deps.store), target, deps.clock.now());
      const why = held === undefined ? 'Nothing is suspended here.' : describeSuspension(held);
      throw new ApiProblem(
        409,
        why,
        'What holds for a whole application or cluster is resumed by `trueup resume`.',
      );
    }
    const pointer = (await readDocument(deps.store, keys.desired(target), desiredPointerSchema))?.value;
    // What a person began goes on; what they have not asked for does not begin.
    const reason = pointer?.settings.sync === 'manual' ? 'continue' : 'pending';
    await deps.queues.run({ version: 1, target, reason, requestedBy: by });
    return `resumed: ${describeSuspension(resumed)}`;
  }),
  rollback: doer(actionBodySchemas.rollback, async (target, { to, reason, until }, by, deps) => {
    const result = await rollBack(deps, target, { to, by, reason, until });
    await askForRun(target, named(by, deps), deps);
    const { from, to: goal, pointer } = result;
    const untold = await announce(rolledBackEvent(pointer, from, { at: isoTime(deps.clock.now()) }), deps);
    return `${targetKey(target)}: from ${from.commit.sha.slice(0, 7)} back to ${goal.commit.sha.slice(0, 7)} (${goal.commit.subject})${untold}`;
  }),
  lift: doer(actionBodySchemas.lift, async (target, _, by, deps) => {
    const pointer = await liftPin(deps, target);
    if (pointer === undefined) {
      throw new ApiProblem(409, `${targetKey(target)} is not rolled back.`, 'There is nothing to lift.');
    }
    await askForRun(target, named(by, deps), deps);
    return `${targetKey(target)}: follows commits again, at ${pointer.commit.sha.slice(0, 7)}`;
  }),
  'confirm-prune': doer(actionBodySchemas['confirm-prune'], async (target, { objects }, by, deps) => {
    await askForRun(target, named(by, deps), deps, { confirmPrune: objects });
    return `${targetKey(target)}: ${objects} objects may be pruned; more than that still stops`;
  }),
  'accept-drift': doer(actionBodySchemas['accept-drift'], async (target, { record, reason }, by, deps) => {
    const found = record.includes(`/${targetKey(target)}/`)
      ? await readDocument(deps.store, record, driftRecordSchema)
      : undefined;
    if (found === undefined) {
      throw new ApiProblem(404, 'There is no such drift here.', 'Load the target again: it may be over.');
    }
    const object = refKey(found.value.drift.ref);
    const rules = await acceptDrift({ ...deps, ...quiet }, target, { by, reason, object });
    return `${object}: accepted; put ${rules.length === 1 ? 'this rule' : 'these rules'} into spec.rules of the Application too: ${JSON.stringify(rules)}`;
  }),
};

/** It is done by now: that nobody could be told is a part of the answer, and no failure. */
async function announce(event: TrueupEvent | undefined, { bus }: ApiDeps): Promise<string> {
  if (event === undefined) return '';
  try {
    await bus.publish([event]);
    return '';
  } catch (error) {
    return `; nobody was told, so that no pull request is opened either: ${messageOf(error)}`;
  }
}

/** Nobody is told of the end of an episode that a person has just ended themselves. */
const quiet = {
  bus: { publish: async () => undefined },
  metrics: { put: async () => undefined },
  config: { clusters: [] },
};

/** So that a run is told from those that the same person asks for later. */
function named(by: string, { ids }: Pick<ApiDeps, 'ids'>): string {
  return `${by} ${ids.next()}`;
}

async function assertResumed(target: Target, { store, clock }: ApiDeps): Promise<void> {
  const suspension = suspensionOf(await readSuspensions(store), target, clock.now());
  if (suspension === undefined) return;
  throw new ApiProblem(409, describeSuspension(suspension), 'Resume it first.');
}
