import type { TargetCheck } from '../model/check.ts';
import type { DesiredPointer } from '../model/desired.ts';
import type { HealthStatus } from '../model/health.ts';
import type { Inventory } from '../model/inventory.ts';
import { heldOf, isPinned, isSelfPinned } from '../model/pin.ts';
import type { TargetReport } from '../model/report.ts';

/** What the records say of one target. */
export interface TargetRecords {
  readonly pointer: DesiredPointer | undefined;
  readonly inventory?: Inventory | undefined;
  /** As the last sweep saw it. */
  readonly check?: TargetCheck | undefined;
  /** Why a commit is not applied now, in a sentence: a freeze, a suspension. */
  readonly held?: string | undefined;
}

export interface ReportBasis {
  /** The commit that is told of. */
  readonly sha: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What was made of the same target before. */
  readonly before?: TargetReport | undefined;
}

/** Failures that time may mend are told of from here on: most are over by the second try, seconds later. */
const quickTries = 3;

type Standing = Pick<TargetReport, 'state' | 'text' | 'applied'>;

const pending = (text: string): Standing => ({ state: 'pending', text });

/** How a target stands; undefined where nothing is left of it. A function of the records alone, in whatever order they came to be. */
export function reportTarget(records: TargetRecords, basis: ReportBasis): TargetReport | undefined {
  const { pointer, inventory } = records;
  if (pointer === undefined) return { revision: 0, ...pending('not rendered yet') };
  const { revision, state } = pointer;
  const isApplied = inventory?.applied?.revision === revision;
  if (state === 'gone' && isApplied) return undefined;
  const last = inventory?.lastRun?.revision === revision ? inventory.lastRun : undefined;
  const instead = insteadOf(pointer, basis.now);
  const isOwn = newestOf(pointer, instead) === basis.sha;
  return {
    revision,
    ...(isApplied ? healthOf(records, basis) : standingOf(pointer, records, last)),
    ...(last !== undefined && { run: last.key }),
    ...(isOwn && { own: true }),
    ...(instead !== undefined && { instead }),
  };
}

/** What keeps the target from following the newest commit at all: it cannot be rendered, or somebody pinned another. */
function insteadOf(pointer: DesiredPointer, now: number): TargetReport['instead'] {
  const [fault] = pointer.failed?.faults ?? [];
  if (fault !== undefined) {
    const text = `stays at ${pointer.commit.sha.slice(0, 7)}: ${fault.subject}: ${fault.message}`;
    return { state: 'failure', text };
  }
  if (!isPinned(pointer, now)) return undefined;
  const { state, snapshot } = heldOf(pointer);
  if (state === pointer.state && snapshot === pointer.snapshot) return undefined;
  const { by = '', reason = '', until } = pointer.pin ?? {};
  const short = pointer.commit.sha.slice(0, 7);
  if (isSelfPinned(pointer)) return { state: 'failure', text: `rolled back to ${short}: ${reason}` };
  // A person may let the commit go on.
  const end = until === undefined ? '' : ` until ${until}`;
  return { state: 'pending', text: `pinned to ${short} by ${by}${end}: ${reason}` };
}

/** The newest commit that changed what it should have, whether that is followed or not. */
function newestOf(pointer: DesiredPointer, instead: TargetReport['instead']): string {
  if (pointer.state === 'gone') return pointer.examined.sha;
  if (instead === undefined) return pointer.commit.sha;
  return pointer.failed?.sha ?? heldOf(pointer).commit.sha;
}

function standingOf(
  { state, settings, revision }: DesiredPointer,
  { inventory, held }: TargetRecords,
  last: Inventory['lastRun'],
): Standing {
  if (last?.outcome === 'failed' || last?.outcome === 'blocked') {
    const isTriedAgain = last.outcome === 'failed' && last.retry && last.attempt < quickTries;
    return isTriedAgain ? pending(`tried again: ${last.message}`) : { state: 'failure', text: last.message };
  }
  if (inventory?.waiting?.revision === revision) return pending(inventory.waiting.reason);
  if (held !== undefined) return pending(held);
  if (settings.sync === 'manual') return pending('waits for `trueup sync`');
  return pending(state === 'gone' ? 'about to be taken away' : 'about to be applied');
}

const states: Readonly<Record<HealthStatus, TargetReport['state']>> = {
  Healthy: 'success',
  // Stopped on purpose: by Git, or by a person who lets it go on.
  Suspended: 'success',
  Degraded: 'failure',
  Missing: 'failure',
  Progressing: 'pending',
  Unknown: 'pending',
};

/**
 * Of an applied revision. Once it was healthy or failed, only a look that tells the contrary says something else: pods that
 * move to another node make nobody's commit pending again.
 */
function healthOf({ inventory, check, pointer }: TargetRecords, { before }: ReportBasis): Standing {
  const { status, message } = newestLook(inventory, check, pointer) ?? { status: 'Unknown', message: '' };
  const state = states[status];
  const isSame = before?.applied === true && before.revision === pointer?.revision;
  if (state === 'pending' && isSame && before.state !== 'pending')
    return { state: before.state, text: before.text, applied: true };
  const text = status === 'Healthy' ? '' : [status, message].filter((part) => part !== '').join(': ');
  return { state, text, applied: true };
}

/** Runs and their looks write one record, sweeps another. */
function newestLook(
  inventory: Inventory | undefined,
  check: TargetCheck | undefined,
  pointer: DesiredPointer | undefined,
): { readonly status: HealthStatus; readonly message: string } | undefined {
  const run = inventory?.health;
  // A look while a run is at work is of neither revision.
  const isSwept = check?.revision === pointer?.revision && check?.sync !== 'Reconciling';
  const isNewer = check !== undefined && check.at > (run?.at ?? inventory?.applied?.at ?? '');
  if (isSwept && isNewer && check.health !== 'Unknown')
    return { status: check.health, message: check.healthMessage };
  return run;
}
