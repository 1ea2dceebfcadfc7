import { completeRecords } from './audit/complete-records.ts';
import { keptTrail, markChecked, putOff, readKeptWrites } from './audit/kept-writes.ts';
import type { StackConfig } from './contract/config.ts';
import { keys } from './contract/keys.ts';
import { readDocument, updateDocument } from './documents.ts';
import { sendDriftOf } from './drift-metrics.ts';
import { readEpisodes } from './episodes.ts';
import { Blocked, Retry, Stop, messageOf } from './errors.ts';
import { holdsOnDemand } from './holds.ts';
import { isWriteTo, takesAlong, type AuditWrite } from './model/audit.ts';
import { clusterCheckSchema, type TargetCheck } from './model/check.ts';
import { keyedDigest } from './model/digest.ts';
import type { Inventory } from './model/inventory.ts';
import type { KeptWrites } from './model/kept-writes.ts';
import type { RecordVersions } from './model/memory.ts';
import type { ObjectRef } from './model/object.ts';
import type { Target } from './model/target.ts';
import type { Clusters } from './ports.ts';
import { isAlarming } from './record.ts';
import { SharedValues } from './resolve-references.ts';
import { beginCheck, concludeCheck, type CheckDeps } from './sweep/check-target.ts';
import { LiveReader } from './sweep/live-reader.ts';
import { openCluster, type Connection } from './sweep/look-around.ts';
import { Records } from './sweep/records.ts';
import type { SweptCluster, SweptTarget } from './sweep/swept-cluster.ts';
import { readTargetState, type TargetState } from './sweep/target-state.ts';
import { unreachable } from './sweep/why-lost.ts';
import { versionsOf } from './sweep/target-versions.ts';

export interface CheckWrittenDeps extends CheckDeps {
  readonly clusters: Clusters;
  readonly config: StackConfig;
  /** Time by which the check must have ended, in milliseconds since the epoch. */
  readonly deadline: number;
}

/** A target, and how often its check was put off already. */
export interface WrittenRequest {
  readonly cluster: string;
  readonly application: string;
  readonly tries: number;
}

/** What became of the check. */
export type WrittenOutcome =
  | {
      readonly kind: 'checked';
      /** Objects that were compared. */
      readonly objects: number;
      /** Those of them that drift. */
      readonly drifting: number;
      /** Records found before their lines of the log came, which now tell who it was. */
      readonly completed: number;
    }
  /** No write waits, or the target is gone. */
  | { readonly kind: 'nothing' }
  /** A run is at work: put off, or left to the next sweep after too many tries. */
  | { readonly kind: 'busy' }
  /** Left to the next sweep, which says it of the target too. */
  | { readonly kind: 'failed'; readonly reason: string };

/** A run that is at work ends, and may just be putting right what was written. */
const busySeconds = 15;
/** As long as the longest run takes, and some more. */
const mostTries = 24;
/** What is kept back for the records. */
const endReserveMs = 5_000;

/**
 * Checks what the audit log says was written of one target, and nothing else: a GET and a dry run for each such object. Drift
 * is recorded, told and healed as by a sweep, with who it was. That the check failed is an outcome: the next sweep looks
 * at everything anyway.
 */
export async function checkWritten(
  { cluster, application, tries }: WrittenRequest,
  deps: CheckWrittenDeps,
): Promise<WrittenOutcome> {
  const target = { cluster, application };
  const until = () => deps.deadline - endReserveMs;
  const [kept, versions, connection, digestKey] = await Promise.all([
    readKeptWrites(deps.store, target),
    versionsOf(deps.store, target),
    openCluster(deps.clusters, target.cluster, until).catch(unreachable),
    deps.sealer.digestKey(),
  ]);
  const waiting = kept?.waiting ?? [];
  const state = versions && (await readTargetState(deps, target, { versions }));
  if (kept === undefined || waiting.length === 0 || versions === undefined || state === undefined) {
    if (waiting.length > 0) await markChecked(deps, target, waiting);
    return { kind: 'nothing' };
  }
  if (state.busy) return putOffCheck(deps, target, tries);
  if (typeof connection === 'string') return done(deps, target, waiting, failed(connection));
  const given = { kept, versions, state, connection, digestKey };
  const outcome = await look(deps, target, given).catch(failedBy);
  return outcome.kind === 'busy' ? putOffCheck(deps, target, tries) : done(deps, target, waiting, outcome);
}

interface Given {
  readonly kept: KeptWrites;
  readonly versions: RecordVersions;
  readonly state: TargetState;
  readonly connection: Connection;
  readonly digestKey: Uint8Array;
}

async function look(deps: CheckWrittenDeps, target: Target, given: Given): Promise<WrittenOutcome> {
  const { kept, versions, state, connection } = given;
  const [previous, episodes] = await Promise.all([
    readDocument(deps.store, keys.check(target.cluster), clusterCheckSchema),
    readEpisodes(deps.store, target),
  ]);
  const wasDrifting = Object.keys(episodes).length > 0;
  const swept = sweptOf(deps, target, { ...given, wasDrifting });
  const one: SweptTarget = {
    target,
    versions,
    memory: undefined,
    previous: previous?.value.targets[target.application],
    state,
  };
  const written = narrowed(state, kept.waiting);
  const auditing = { ...deps, audit: keptTrail(deps.store) };
  const begun = await beginCheck(auditing, swept, one, written, { recalled: new Map(), full: false });
  if (!('look' in begun)) return failed(begun.check.reason);
  const after = await versionsOf(deps.store, target);
  // With the whole inventory: which objects were not looked at must show.
  const looked = { ...begun, state };
  const versionsNow = new Map(after === undefined ? [] : [[target.application, after] as const]);
  const { check } = await concludeCheck(auditing, swept, looked, versionsNow);
  if (check.sync === 'Reconciling') return { kind: 'busy' };
  const completed = await completeRecords(deps.store, kept, (ref) => pluralOf(connection, ref));
  const drifting = begun.look.drifts.size;
  if (drifting > 0 || wasDrifting) {
    await showDrift(deps, target);
    await sendDriftOf(deps, target, await readEpisodes(deps.store, target));
  }
  return { kind: 'checked', objects: begun.look.objects.size, drifting, completed };
}

function pluralOf({ served }: Connection, { group, kind }: ObjectRef): string | undefined {
  return served.find((each) => each.group === group && each.kind === kind)?.plural;
}

/** A cluster of which nothing was listed: every object is asked for by its name. */
function sweptOf(
  deps: CheckWrittenDeps,
  { cluster: name, application }: Target,
  { connection, digestKey, wasDrifting }: Given & { readonly wasDrifting: boolean },
): SweptCluster {
  const labelled = {
    objects: new Map(),
    kinds: new Map(),
    unread: new Set<string>(),
    failed: new Map(),
    versions: [],
  };
  return {
    ...connection,
    labelled,
    extras: new Map(),
    reader: new LiveReader(connection.cluster, labelled, () => new Map()),
    records: new Records(deps.store, name),
    holds: holdsOnDemand(deps, name),
    drifting: new Set(wasDrifting ? [application] : []),
    openExtras: new Map(),
    mask: (secret) => keyedDigest(digestKey, secret),
    references: new SharedValues(deps.references),
    missed: [],
  };
}

/** The target with only those objects that were written to. */
function narrowed(state: TargetState, writes: readonly AuditWrite[]): TargetState {
  const { inventory } = state;
  if (inventory === undefined) return state;
  const isWritten = ({ ref, plural }: Inventory['entries'][string]): boolean => {
    const place = { ...ref, resource: plural };
    return writes.some((write) => isWriteTo(write, place) || takesAlong(write, place));
  };
  const entries = Object.entries(inventory.entries).filter(([, entry]) => isWritten(entry));
  return { ...state, inventory: { ...inventory, entries: Object.fromEntries(entries) } };
}

/** Until the next sweep: its drift shows where the state of the target is asked for. What else the last check said stands. */
async function showDrift(deps: CheckWrittenDeps, { cluster, application }: Target): Promise<void> {
  const episodes = Object.values(await readEpisodes(deps.store, { cluster, application }));
  const drifted = episodes.filter(isAlarming).length;
  await updateDocument(deps.store, keys.check(cluster), clusterCheckSchema, (current) => {
    const entry = current?.targets[application];
    if (current === undefined || entry === undefined || entry.drifted === drifted) return undefined;
    const shown = { ...entry, drifted, ...verdictOf(entry, drifted) };
    return { ...current, seq: current.seq + 1, targets: { ...current.targets, [application]: shown } };
  });
}

function verdictOf({ sync, reason }: TargetCheck, drifted: number): Pick<TargetCheck, 'sync' | 'reason'> {
  if (sync !== 'Synced' && sync !== 'Drifted') return { sync, reason };
  if (drifted === 0) return { sync: 'Synced', reason: '' };
  return { sync: 'Drifted', reason: `${drifted} of its objects differ from what was applied` };
}

function failed(reason: string): WrittenOutcome {
  return { kind: 'failed', reason };
}

/** What one target or one cluster suffers from is told by the next sweep; anything else is a fault of ours and passes on. */
function failedBy(error: unknown): WrittenOutcome {
  if (error instanceof Stop || error instanceof Retry || error instanceof Blocked)
    return failed(messageOf(error));
  throw error;
}

async function putOffCheck(deps: CheckWrittenDeps, target: Target, tries: number): Promise<WrittenOutcome> {
  if (tries < mostTries) {
    await putOff(deps, target, busySeconds);
    await askAgain(deps, target, { tries: tries + 1, delaySeconds: busySeconds });
  }
  return { kind: 'busy' };
}

/** Who wrote what stays kept; what came meanwhile is looked for by a check of its own. */
async function done(
  deps: CheckWrittenDeps,
  target: Target,
  waiting: readonly AuditWrite[],
  outcome: WrittenOutcome,
): Promise<WrittenOutcome> {
  const delaySeconds = await markChecked(deps, target, waiting);
  if (delaySeconds !== undefined) await askAgain(deps, target, { tries: 0, delaySeconds });
  return outcome;
}

async function askAgain(
  { queues }: Pick<CheckDeps, 'queues'>,
  target: Target,
  { tries, delaySeconds }: { readonly tries: number; readonly delaySeconds: number },
): Promise<void> {
  const request = { version: 1, scope: 'target', ...target, requestedBy: 'audit', tries } as const;
  await queues.sweep(request, delaySeconds);
}
