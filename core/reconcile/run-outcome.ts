import { type Failure, type ObjectResult } from '../apply.ts';
import { Blocked, Retry, Stop, faultsOf, messageOf } from '../errors.ts';
import { LostSnapshot } from '../lost-snapshot.ts';
import type { FaultRecord } from '../model/desired.ts';
import { describeRef } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import type { RunCounts, RunRecord } from '../model/run.ts';
import { Halted } from './halted.ts';
import { Waiting } from './waiting.ts';

export type Outcome = NonNullable<RunRecord['outcome']>;

/** How a run ended, before it is written down. `error` is what stopped it, if anything did. */
export interface Ending {
  readonly plan: Plan;
  readonly results: readonly ObjectResult[];
  readonly error?: unknown;
  /** Something is blocked that time may mend: a kind that is not served, a read that is forbidden. */
  readonly mayPass?: boolean;
  /** It came to no plan. */
  readonly untouched?: true;
  /** What a person must read beside the failure itself. */
  readonly notes?: readonly FaultRecord[];
}

/** An outcome, and what follows from it for the same revision. */
export interface Verdict {
  readonly outcome: Omit<Outcome, 'at'>;
  /** `later`: the same may pass, with backoff; `never`: only a commit or a person helps, or nothing is left to do. */
  readonly retry: 'later' | 'never';
  readonly afterSeconds?: number | undefined;
}

const faultsInMessage = 3;

/** Turns what happened into data. Rethrows what is no outcome of the business kind: a fault of ours. */
export function judge(ending: Ending): Verdict {
  const counts = countsOf(ending);
  const objects = ending.results.map(({ outcome }) => outcome);
  const faults = faultsIn(ending);
  const { error, plan } = ending;
  const as = (kind: Outcome['kind'], message: string, all: readonly FaultRecord[] = faults) => ({
    outcome: { kind, message, counts, objects, faults: [...all] },
  });
  if (error instanceof Halted) return { ...as('cancelled', error.message), retry: 'never' };
  if (error instanceof Waiting) return { ...as('waiting', error.message), retry: 'never' };
  if (error instanceof Retry) {
    const { afterSeconds } = error;
    return { ...as('failed', error.message, [faultOf(error), ...faults]), retry: 'later', afterSeconds };
  }
  if (error instanceof Blocked || error instanceof Stop) {
    const own = (faultsOf(error) ?? []).map(({ subject, message }) => ({ subject, message }));
    const all = [...own, ...faults];
    // Only a port throws Blocked (401, 403, certificate): what a person mends there, no commit and no sync tells us.
    return error instanceof Blocked
      ? { ...as('blocked', error.message, all), retry: 'later' }
      : // What is being rendered anew is there by the next try.
        { ...as('failed', error.message, all), retry: error instanceof LostSnapshot ? 'later' : 'never' };
  }
  if (error !== undefined) throw error;
  if (plan.refusal !== undefined) return { ...as('blocked', plan.refusal), retry: 'never' };
  if (faults.length === 0) return { ...as('applied', summary(counts)), retry: 'never' };
  const failures = new Set(ending.results.flatMap(({ failure }) => failure ?? []));
  return {
    ...as(kindOf(failures), failureText(faults, counts)),
    retry: failures.has('retry') || ending.mayPass === true ? 'later' : 'never',
  };
}

/** Time may mend it, or a new commit must: failed. Only a person can (adopt, grant): blocked. */
function kindOf(failures: ReadonlySet<Failure>): 'failed' | 'blocked' {
  return failures.has('retry') || (failures.has('invalid') && !failures.has('refused'))
    ? 'failed'
    : 'blocked';
}

function countsOf({ plan, results }: Ending): RunCounts {
  const count = (wanted: string): number =>
    results.filter(({ outcome }) => outcome.outcome === wanted).length;
  const left = plan.actions.filter(({ action }) => action === 'leave').length;
  const blocked = plan.actions.filter(({ action }) => action === 'blocked').length;
  return {
    created: count('created'),
    updated: count('updated'),
    unchanged: count('unchanged') + left,
    pruned: count('pruned') + count('pruning'),
    failed: results.filter(({ failure }) => failure !== undefined).length + blocked,
  };
}

/** What a person must read: blocked objects and failed ones, each with the server's words. */
function faultsIn({ plan, results, notes = [] }: Ending): readonly FaultRecord[] {
  const blocked = plan.actions.filter(({ action }) => action === 'blocked');
  return [
    ...blocked.map(({ ref, why }) => ({ subject: describeRef(ref), message: why })),
    ...results.flatMap(({ failure, outcome: { ref, message = '' } }) =>
      failure === undefined ? [] : [{ subject: describeRef(ref), message }],
    ),
    ...notes.map(({ subject, message }) => ({ subject, message })),
  ];
}

function faultOf(error: Retry): FaultRecord {
  return { subject: error.subject, message: messageOf(error).slice(error.subject.length + 2) };
}

function summary({ created, updated, unchanged, pruned }: RunCounts): string {
  return `${created} created, ${updated} updated, ${unchanged} unchanged, ${pruned} pruned`;
}

function failureText(faults: readonly FaultRecord[], counts: RunCounts): string {
  const shown = faults.slice(0, faultsInMessage).map(({ subject, message }) => `${subject}: ${message}`);
  const more = faults.length > faultsInMessage ? ` (and ${faults.length - faultsInMessage} more)` : '';
  return `${counts.failed} objects failed or are blocked, ${summary(counts)}. ${shown.join('; ')}${more}`;
}
