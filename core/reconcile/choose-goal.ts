import type { Commit } from '../model/commit.ts';
import type { DesiredPointer, Settings } from '../model/desired.ts';
import type { Inventory } from '../model/inventory.ts';
import type { RunReason, RunRequest } from '../model/run.ts';
import { millisecondsOf } from '../model/time.ts';
import type { ApplyScope } from '../plan.ts';
import { retryDelaySeconds, slackMs } from './delays.ts';
import type { Standing } from './standing.ts';

/** What one run is to reach. */
export interface Goal {
  readonly pointer: DesiredPointer;
  readonly revision: number;
  readonly snapshot: string;
  readonly commit: Commit;
  readonly settings: Settings;
  readonly scope: ApplyScope;
}

/** `rest`: there is nothing to do, and why. */
export type Choice =
  { readonly kind: 'run'; readonly goal: Goal } | { readonly kind: 'rest'; readonly why: string };

const rest = (why: string): Choice => ({ kind: 'rest', why });

/**
 * Whether a request needs a run, and for what. Messages are hints (rule 4): late and doubled ones end here, without a
 * run record, so that one push is one run.
 */
export function chooseGoal(
  { reason }: Pick<RunRequest, 'reason'>,
  { pointer, inventory }: Standing,
  now: number,
): Choice {
  if (pointer === undefined) return rest('no application of Git has this target');
  return choices[reason]({ pointer, inventory, now, ...factsOf(pointer, inventory) });
}

const choices: Readonly<Record<RunReason, (facts: Facts) => Choice>> = {
  sync: ({ pointer }) => run(pointer, 'all'),
  push: forPush,
  pending: (facts) =>
    facts.needsPerson
      ? rest(`revision ${facts.pointer.revision} needs a commit or a person`)
      : forChange(facts),
  retry: forRetry,
  continue: forChange,
  heal: forHeal,
  health: () => rest('health is looked at without a run'),
};

interface Facts {
  readonly pointer: DesiredPointer;
  readonly inventory: Inventory | undefined;
  readonly now: number;
  readonly isApplied: boolean;
  /** An object waits for a run that died, or failed on it. */
  readonly unfinished: boolean;
  /** Applied, and no object waits for a run that died. */
  readonly isDone: boolean;
  /** The last run had this revision and did not reach it. */
  readonly wasTried: boolean;
  readonly needsPerson: boolean;
}

function factsOf({ revision }: DesiredPointer, inventory: Inventory | undefined) {
  const isApplied = inventory?.applied?.revision === revision;
  const unfinished = Object.values(inventory?.entries ?? {}).some(({ state }) => state === 'intent');
  const last = inventory?.lastRun?.revision === revision ? inventory.lastRun : undefined;
  const wasTried = last?.outcome === 'failed' || last?.outcome === 'blocked';
  return {
    isApplied,
    unfinished,
    isDone: isApplied && !unfinished,
    wasTried,
    needsPerson: wasTried && !last.retry,
  };
}

function run(pointer: DesiredPointer, scope: ApplyScope): Choice {
  const { revision, snapshot, commit, settings } = pointer;
  return { kind: 'run', goal: { pointer, revision, snapshot, commit, settings, scope } };
}

function forPush(facts: Facts): Choice {
  const { revision } = facts.pointer;
  return facts.wasTried && !facts.isDone
    ? rest(`revision ${revision} was tried already; what follows from that goes on`)
    : forChange(facts);
}

function forChange({ pointer, isDone }: Facts): Choice {
  if (pointer.settings.sync === 'manual') return rest('sync is manual: it waits for `trueup sync`');
  return isDone ? rest(`revision ${pointer.revision} is applied already`) : run(pointer, 'changed');
}

function forRetry(facts: Facts): Choice {
  const { pointer, inventory, now, isApplied } = facts;
  const last = inventory?.lastRun;
  // A commit came in between: its own push does the work, unless nobody has asked for it yet.
  if (last === undefined || last.revision !== pointer.revision) return forPush(facts);
  if (!facts.wasTried || !last.retry) return rest('the run that it was to repeat is not failed');
  const due = millisecondsOf(last.at) + retryDelaySeconds(last.attempt) * 1000;
  if (now < due - slackMs) return rest('another retry of the same run is under way');
  // A sync of a revision that is applied already may have failed anywhere.
  return run(pointer, isApplied ? 'all' : 'changed');
}

/**
 * Drift compares with what was applied. Where a commit waits for a person, healing goes back to the applied snapshot
 * and does not apply the commit by the way. Once a run towards the commit was begun that would roll it back, and prune
 * what only the commit has: then a person ends what a person began.
 */
function forHeal({ pointer, inventory, isApplied, unfinished, needsPerson }: Facts): Choice {
  if (pointer.settings.drift === 'observe') return rest('drift is only observed');
  if (isApplied) return run(pointer, 'changed');
  if (pointer.settings.sync === 'auto') {
    return needsPerson
      ? rest(`revision ${pointer.revision} needs a commit or a person`)
      : run(pointer, 'changed');
  }
  const applied = inventory?.applied;
  if (applied === undefined || pointer.state === 'gone') return rest('nothing is applied yet');
  const last = inventory?.lastRun;
  // A run that reached its revision made it the applied one: any other revision was left half-way.
  if (unfinished || (last !== undefined && last.revision !== applied.revision))
    return rest('a sync was begun and has not ended; run `trueup sync` again');
  const { revision, snapshot, commit = { ...pointer.commit, sha: applied.sha } } = applied;
  const { settings } = pointer;
  return { kind: 'run', goal: { pointer, revision, snapshot, commit, settings, scope: 'changed' } };
}
