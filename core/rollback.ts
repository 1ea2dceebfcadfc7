import type { TrueupEvent } from './contract/events.ts';
import { keys } from './contract/keys.ts';
import { readDocument, writeDocument, type Document } from './documents.ts';
import { Retry, Stop } from './errors.ts';
import { desiredPointerSchema, type DesiredPointer } from './model/desired.ts';
import { isSelfPinned, pinned, unpinned } from './model/pin.ts';
import type { RunRecord } from './model/run.ts';
import { targetKey, type Target } from './model/target.ts';
import { isoTime } from './model/time.ts';
import type { Clock, Store } from './ports.ts';
import { runsOfTarget } from './run-history.ts';
import { decodeSnapshot } from './snapshot.ts';

export interface RollbackDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
}

/** Where to go back to, and what the record says of it. */
export interface RollbackWish {
  /** A run id, a revision, a commit (seven characters or more) or a snapshot (`sha256:…`); else what was applied before. */
  readonly to?: string | undefined;
  readonly by: string;
  readonly reason: string;
  /** ISO 8601: from then on commits are followed again. Until somebody lifts it, if absent. */
  readonly until?: string | undefined;
}

export interface RollbackResult {
  readonly pointer: DesiredPointer;
  readonly from: { readonly snapshot: string; readonly commit: DesiredPointer['commit'] };
  readonly to: {
    readonly snapshot: string;
    readonly commit: DesiredPointer['commit'];
    readonly runId: string;
  };
}

const tries = 5;
/** So many runs are named when the one wished for is not there. */
const choicesShown = 8;

/**
 * Points a target at a snapshot that it had before and pins it there: commits are examined and not followed until the
 * pin is lifted or runs out. Needs no Git. The caller asks for the run. Throws Stop, with what can be chosen, when there
 * is nothing to go back to, and Retry when the pointer moves all the time.
 */
export async function rollBack(
  deps: RollbackDeps,
  target: Target,
  wish: RollbackWish,
): Promise<RollbackResult> {
  const { store } = deps;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const { current, run, objects, at } = await lookBack(deps, target, wish);
    const { snapshot, commit } = run;
    const { by, reason, until } = wish;
    const pin = { by, reason, at, ...(until !== undefined && { until }) };
    const pointer = pinned(current.value, { snapshot, commit, objects }, pin);
    if (await isWritten(store, pointer, current)) {
      const from = { snapshot: current.value.snapshot, commit: current.value.commit };
      return { pointer, from, to: { snapshot, commit, runId: run.id } };
    }
  }
  throw new Retry({
    subject: subjectOf(target),
    message: `moved under us ${tries} times in a row; try again`,
  });
}

/** What is said on the bus of a target that was rolled back; `from`: what it had before. Undefined where it is not pinned. */
export function rolledBackEvent(
  pointer: DesiredPointer,
  { snapshot, commit }: RollbackResult['from'],
  { at, revertPullRequest }: { readonly at: string; readonly revertPullRequest?: boolean | undefined },
): TrueupEvent | undefined {
  const { target, pin, revision, settings, trace } = pointer;
  if (pin === undefined) return undefined;
  const { by, reason } = pin;
  const said = { version: 1 as const, at, target, by, reason, automatic: isSelfPinned(pointer), revision };
  const to = { snapshot: pointer.snapshot, commit: pointer.commit };
  const reverts = revertPullRequest ?? settings.rollback?.revertPullRequest === true;
  const detail = { ...said, from: { snapshot, commit }, to, revertPullRequest: reverts };
  return { type: 'RolledBack', detail: { ...detail, ...(trace && { trace }) } };
}

/**
 * Lifts a pin: the pointer goes to what the newest commit that was examined says, gone included, and what was rolled back by
 * itself is not a second time. Undefined when there was nothing to lift. Needs no Git; the caller asks for the run.
 */
export async function liftPin(
  { store }: Pick<RollbackDeps, 'store'>,
  target: Target,
): Promise<DesiredPointer | undefined> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const current = await readDocument(store, keys.desired(target), desiredPointerSchema);
    if (current?.value.pin === undefined) return undefined;
    const pointer = unpinned(current.value);
    if (await isWritten(store, pointer, current)) return pointer;
  }
  throw new Retry({
    subject: subjectOf(target),
    message: `moved under us ${tries} times in a row; try again`,
  });
}

/** What a rollback would go back to. Throws as it would, and moves nothing: of several targets all are asked first. */
export async function lookBack(
  { store, clock }: RollbackDeps,
  target: Target,
  { to, until }: Pick<RollbackWish, 'to' | 'until'>,
) {
  const at = isoTime(clock.now());
  if (until !== undefined && until <= at) {
    throw fault(target, `the pin would end at ${until}, which is over; give a later time`);
  }
  const current = await readPresent(store, target);
  const run = await chooseRun(store, current.value, to, clock.now());
  return { at, current, run, objects: await countObjects(store, target, run) };
}

async function readPresent(store: Store, target: Target): Promise<Document<DesiredPointer>> {
  const current = await readDocument(store, keys.desired(target), desiredPointerSchema);
  if (current === undefined) throw fault(target, 'no application of Git has this target');
  if (current.value.state === 'gone') {
    throw fault(target, 'its Application is gone from Git; put it back there, there is nothing to roll back');
  }
  return current;
}

async function isWritten(
  store: Store,
  pointer: DesiredPointer,
  { etag }: Document<DesiredPointer>,
): Promise<boolean> {
  const outcome = await writeDocument(store, keys.desired(pointer.target), pointer, { etag });
  return outcome.kind === 'written';
}

async function chooseRun(
  store: Store,
  pointer: DesiredPointer,
  to: string | undefined,
  now: number,
): Promise<RunRecord> {
  const seen: RunRecord[] = [];
  let hasMetCurrent = pointer.pin === undefined;
  for await (const run of runsOfTarget(store, pointer.target, now)) {
    if (run.outcome?.kind !== 'applied') continue;
    // The name may have been another team's once: what that one applied is nothing to go back to.
    if (run.commit.repository !== pointer.repository) continue;
    seen.push(run);
    if (to !== undefined) {
      if (isNamedBy(run, to)) return run;
      continue;
    }
    const isCurrent = run.snapshot === pointer.snapshot;
    // A second rollback goes further back: what ran since the first was pinned does not count as before it.
    if (pointer.pin !== undefined && run.startedAt >= pointer.pin.at) continue;
    if (hasMetCurrent && !isCurrent) return run;
    hasMetCurrent ||= isCurrent;
  }
  throw nothingToChoose(pointer, seen, to);
}

function isNamedBy({ id, revision, commit, snapshot }: RunRecord, to: string): boolean {
  if (id === to || snapshot === to) return true;
  if (/^[0-9]{1,6}$/.test(to)) return revision === Number(to);
  if (/^[0-9a-f]{7,40}$/.test(to)) return commit.sha.startsWith(to);
  return /^sha256:[0-9a-f]{7,}$/.test(to) && snapshot.startsWith(to);
}

function nothingToChoose(
  { target, snapshot }: DesiredPointer,
  seen: readonly RunRecord[],
  to?: string,
): Stop {
  const others = [...Map.groupBy(seen, (run) => run.snapshot).entries()].filter(
    ([other]) => to !== undefined || other !== snapshot,
  );
  const named = others
    .slice(0, choicesShown)
    .flatMap(([, [run]]) => (run === undefined ? [] : [choice(run)]));
  const rest = named.length === 0 ? 'nothing else was ever applied' : `to choose from: ${named.join('; ')}`;
  const what = to === undefined ? 'nothing was applied before what it has now' : `no applied run fits ${to}`;
  return fault(target, `${what}; ${rest}`);
}

/** `revision 7, commit 1a2b3c4 "fix: …" (2026-11-23T12:00:00.000Z)` */
function choice({ revision, commit, startedAt }: RunRecord): string {
  return `revision ${revision}, commit ${commit.sha.slice(0, 7)} "${commit.subject}" (${startedAt})`;
}

/**
 * How many objects a snapshot has. Old ones may have been tidied away; pointing at one would leave a target that no run
 * can reach, which Stop says.
 */
export async function countObjects(
  store: Store,
  target: Target,
  { snapshot, id }: { readonly snapshot: string; readonly id: string },
): Promise<number> {
  const stored = await store.get(keys.snapshot(target.application, snapshot));
  if (stored === undefined) {
    const why = `the snapshot of run ${id} (${snapshot}) is not kept any more; choose a later one with --to, or revert in Git`;
    throw fault(target, why);
  }
  return decodeSnapshot(snapshot, stored.text).objects.length;
}

function fault(target: Target, message: string): Stop {
  return new Stop({ subject: subjectOf(target), message });
}

function subjectOf(target: Target): string {
  return `target ${targetKey(target)}`;
}
