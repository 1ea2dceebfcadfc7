import { prefixes } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { readEpisodes } from '../core/episodes.ts';
import { inBatches } from '../core/in-batches.ts';
import { driftRecordSchema, type DriftRecord, type FieldDrift } from '../core/model/drift.ts';
import { describeRef } from '../core/model/object.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import { countFields, isAlarming } from '../core/record.ts';
import { isoTime } from '../core/model/time.ts';
import { exitCodes } from './cli-error.ts';
import { age, clipped, coloured, duration, table, type Report } from './report.ts';
import type { Session } from './session.ts';
import { nameOfObject } from './object-name.ts';
import { sweepNow } from './sweep-now.ts';
import { readChecks, selectTargets, type Selection } from './targets.ts';

type DriftSession = Pick<Session, 'store' | 'queues' | 'clock' | 'ids'>;
type Keyed = DriftRecord & { readonly key: string };

/** How far back closed episodes are shown. */
const recentDays = 7;
const readsAtOnce = 20;
const longestValue = 60;

/** What the records say of drift. */
export interface DriftView {
  /** Open ones first, then the newest. */
  readonly records: readonly Keyed[];
  /** Targets whose last check failed, and why. */
  readonly unjudged: readonly { readonly target: Target; readonly reason: string }[];
  readonly isDrifting: boolean;
}

/** Open episodes and those of the last days; `now` asks for a sweep first and waits for it. */
export async function drift(
  session: DriftSession,
  {
    now = false,
    full = false,
    ...selection
  }: Selection & { readonly now?: boolean; readonly full?: boolean },
): Promise<Report> {
  const targets = await selectTargets(session.store, selection);
  const clusters = [...new Set(targets.map(({ cluster }) => cluster))];
  if (now || full) await sweepNow(session, clusters, full);
  const { records, unjudged, isDrifting } = await viewDrift(session, targets);
  const none = `no drift, open or closed, in the last ${recentDays} days`;
  const found = isDrifting ? exitCodes.found : exitCodes.ok;
  return {
    data: driftData({ records, unjudged }),
    names: driftingNames(records),
    text: records.length === 0 ? none : episodeTexts(session, records),
    notes: unjudgedNotes(unjudged),
    exitCode: unjudged.length > 0 && !isDrifting ? exitCodes.unjudged : found,
  };
}

export async function viewDrift(
  session: Pick<DriftSession, 'store' | 'clock'>,
  targets: readonly Target[],
): Promise<DriftView> {
  const records = await readRecords(session, targets);
  const open = records.filter(({ state }) => state === 'open');
  return {
    records,
    unjudged: await unjudgedTargets(session, targets),
    isDrifting: open.some(({ drift: found }) => isAlarming(countFields(found))),
  };
}

export function driftData({ records, unjudged }: Pick<DriftView, 'records' | 'unjudged'>) {
  const open = records.filter(({ state }) => state === 'open');
  return { open, recent: records.filter(({ state }) => state !== 'open'), unjudged };
}

/** Objects with open drift, as other verbs take them. */
export function driftingNames(records: DriftView['records']): readonly string[] {
  const open = records.filter(({ state }) => state === 'open');
  return [...new Set(open.map(({ drift: { ref } }) => nameOfObject(ref)))];
}

export function unjudgedNotes(unjudged: DriftView['unjudged']): readonly string[] {
  return unjudged.map(({ target, reason }) => `${targetKey(target)} could not be checked: ${reason}`);
}

export function episodeTexts(session: Pick<DriftSession, 'clock'>, records: readonly Keyed[]): string {
  return records.map((record) => episodeText(session, record)).join('\n\n');
}

/** Open ones first, then the newest. */
async function readRecords(
  { store, clock }: Pick<DriftSession, 'store' | 'clock'>,
  targets: readonly Target[],
): Promise<readonly Keyed[]> {
  const names = new Set(targets.map(targetKey));
  const indexes = await inBatches(targets, readsAtOnce, async (target) => readEpisodes(store, target));
  const open = indexes.flatMap((episodes) => Object.values(episodes).map(({ record }) => record));
  const days = Array.from({ length: recentDays }, (_, day) =>
    isoTime(clock.now() - day * 86_400_000).slice(0, 10),
  );
  const recent = await inBatches(days, recentDays, async (day) =>
    Array.fromAsync(store.list(`${prefixes.drift}date=${day}/`)),
  );
  const ofTargets = recent.flat().filter((key) => names.has(key.split('/').slice(2, 4).join('/')));
  const records = await inBatches([...new Set([...open, ...ofTargets])], readsAtOnce, async (key) => {
    const record = await readDocument(store, key, driftRecordSchema);
    return record === undefined ? [] : [{ key, ...record.value }];
  });
  return records.flat().sort(openFirst);
}

function openFirst(a: DriftRecord, b: DriftRecord): number {
  if ((a.state === 'open') !== (b.state === 'open')) return a.state === 'open' ? -1 : 1;
  return a.openedAt < b.openedAt ? 1 : -1;
}

/** Rule 5: what could not be checked is never clean, nor is what was never applied. */
async function unjudgedTargets({ store }: Pick<DriftSession, 'store'>, targets: readonly Target[]) {
  const checks = await readChecks(store, [...new Set(targets.map(({ cluster }) => cluster))]);
  return targets.flatMap((target) => {
    const check = checks.get(target.cluster)?.targets[target.application];
    const isUnjudged = check?.sync === 'Unknown' || (check?.sync === 'Pending' && check.revision === 0);
    return isUnjudged ? [{ target, reason: check.reason }] : [];
  });
}

function episodeText({ clock }: Pick<DriftSession, 'clock'>, record: Keyed): string {
  const { target, drift: found, state, mode, openedAt, happenedAt, closedAt, secondsToHeal } = record;
  const since = `since ${age(happenedAt ?? openedAt, clock.now())} ago`;
  const end =
    closedAt === undefined
      ? `${since} (${mode})`
      : `${age(closedAt, clock.now())} ago, after ${duration(secondsToHeal ?? 0)}`;
  const what = found.kind === 'fields' ? '' : ` is ${found.kind}`;
  const head = `${targetKey(target)}  ${describeRef(found.ref)}${what}  ${coloured(state)} ${end}`;
  const details = [...whoLines(record), ...loopLines(record)].map((line) => `  ${line}`);
  if (found.fields.length === 0) return [head, ...details].join('\n');
  const rows = found.fields.map((field) => fieldRow(field, clock.now()));
  const fields = table(['CLASS', 'FIELD', 'DESIRED', 'LIVE', 'MANAGER', 'SINCE'], rows);
  return [head, ...details, ...fields.split('\n').map((line) => `  ${line}`)].join('\n');
}

function whoLines({ who }: DriftRecord): string[] {
  if (who === undefined) return [];
  const { user, impersonated, addresses, userAgent, verb, at } = who;
  const as = impersonated === undefined ? '' : ` as ${impersonated}`;
  const from = addresses.length === 0 ? '' : ` from ${addresses.join(', ')}`;
  const tool = userAgent === undefined ? '' : ` with ${clipped(userAgent, longestValue)}`;
  return [`${verb} by ${user}${as}${from}${tool} at ${at}`];
}

function loopLines({ loop }: DriftRecord): string[] {
  if (loop === undefined) return [];
  return [`not healed any more: ${loop.manager} has changed it back ${loop.flips} times since ${loop.since}`];
}

function fieldRow(field: FieldDrift, now: number): string[] {
  const shown = (value: FieldDrift['live']) =>
    value === undefined ? '-' : clipped(JSON.stringify(value), longestValue);
  return [
    field.class,
    field.path,
    shown(field.desired),
    shown(field.live),
    field.manager ?? '-',
    age(field.at, now),
  ];
}
