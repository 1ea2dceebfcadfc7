import { prefixes } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { inBatches } from '../in-batches.ts';
import { driftRecordSchema, type DriftRecord } from '../model/drift.ts';
import { describeRef } from '../model/object.ts';
import { runRecordSchema, type RunRecord } from '../model/run.ts';
import type { Target } from '../model/target.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import { deliveryRows, fleetInput } from './ask-fleet.ts';
import type { Timeline } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { maySee, projectOf, seesAll, type Person } from './person.ts';

type Event = Timeline['events'][number];

interface Span {
  readonly cluster?: string;
  readonly application?: string;
  readonly from?: string;
  readonly to?: string;
}

const dayMs = 86_400_000;
const mostDays = 31;
/** Of runs and of drift each, the newest; a longer time is for Athena. */
const mostRecords = 300;
const readsAtOnce = 20;

/** What happened, on one axis: deliveries, runs, drift; of what whoever asks may see. The last day where no time is given. */
export async function timelineOf(span: Span, person: Person, deps: ApiDeps): Promise<Timeline> {
  const to = span.to === undefined ? deps.clock.now() : millisecondsOf(span.to);
  const from = Math.max(
    span.from === undefined ? to - dayMs : millisecondsOf(span.from),
    to - mostDays * dayMs,
  );
  const { views } = await fleetInput(deps);
  const seen = views.filter(
    ({ target, pointer }) =>
      isIn(target, span) && maySee(person, projectOf(pointer, deps.config.repositories)),
  );
  const names = new Set(seen.map(({ target }) => `${target.cluster}/${target.application}`));
  const [runs, drifts, deliveries] = await Promise.all([
    recordsOf(deps, prefixes.runs, { from, to, names }),
    recordsOf(deps, prefixes.drift, { from, to, names }),
    span.application === undefined && seesAll(person) ? deliveryRows(deps) : [],
  ]);
  const read = await Promise.all([
    inBatches(runs.keys, readsAtOnce, async (key) => {
      const run = await readDocument(deps.store, key, runRecordSchema);
      return run === undefined ? [] : [eventOfRun(run.value)];
    }),
    inBatches(drifts.keys, readsAtOnce, async (key) => {
      const drift = await readDocument(deps.store, key, driftRecordSchema);
      return drift === undefined ? [] : [eventOfDrift(drift.value)];
    }),
  ]);
  const told = deliveries.map(({ receivedAt, provider, event, told: outcome, state }): Event => ({
    at: receivedAt,
    kind: /image|package|registry|push_artifact/i.test(event) ? 'image' : 'push',
    state: state === 'ignored' ? 'neutral' : 'good',
    title: `${provider}: ${event}`,
    detail: outcome,
  }));
  const [start, end] = [isoTime(from), isoTime(to)];
  const events = [...read.flat(2), ...told].filter(({ at, until }) => at <= end && (until ?? at) >= start);
  return {
    events: events.sort((a, b) => (a.at < b.at ? 1 : -1)),
    from: start,
    to: end,
    cut: runs.cut || drifts.cut,
  };
}

function isIn(target: Target, { cluster, application }: Span): boolean {
  return (
    (cluster === undefined || target.cluster === cluster) &&
    (application === undefined || target.application === application)
  );
}

interface Wanted {
  readonly from: number;
  readonly to: number;
  readonly names: ReadonlySet<string>;
}

/** Keys of the newest records of these days and targets: `…date=DAY/CLUSTER/APPLICATION/ID.json`, whose ids sort by time. */
export async function recordsOf(
  { store }: Pick<ApiDeps, 'store'>,
  prefix: string,
  { from, to, names }: Wanted,
): Promise<{ readonly keys: readonly string[]; readonly cut: boolean }> {
  const days = Math.floor(to / dayMs) - Math.floor(from / dayMs) + 1;
  const dates = Array.from({ length: days }, (_, day) => isoTime(to - day * dayMs).slice(0, 10));
  const listed = await inBatches(dates, readsAtOnce, async (date) =>
    Array.fromAsync(store.list(`${prefix}date=${date}/`)),
  );
  const wanted = listed
    .flat()
    .filter((key) => names.has(key.slice(prefix.length).split('/').slice(1, 3).join('/')));
  const newest = wanted.sort((a, b) => (idOf(a) < idOf(b) ? 1 : -1));
  return { keys: newest.slice(0, mostRecords), cut: newest.length > mostRecords };
}

function idOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

function eventOfRun({ target, outcome, startedAt, commit, reason, requestedBy, rollback }: RunRecord): Event {
  const state = {
    applied: 'good',
    failed: 'bad',
    blocked: 'bad',
    cancelled: 'neutral',
    waiting: 'running',
  } as const;
  const kind = rollback !== undefined ? 'rollback' : reason === 'heal' ? 'heal' : 'run';
  return {
    at: startedAt,
    ...(outcome !== undefined && { until: outcome.at }),
    kind,
    state: outcome === undefined ? 'running' : state[outcome.kind],
    ...target,
    title: `${reason}: ${outcome?.kind ?? 'running'}`,
    detail: `${commit.sha.slice(0, 7)} ${commit.subject}, asked for by ${requestedBy}${outcome === undefined ? '' : `: ${outcome.message}`}`,
    link: linkTo(target),
  };
}

function eventOfDrift({ target, drift, state, openedAt, happenedAt, closedAt, who }: DriftRecord): Event {
  const managers = [...new Set(drift.fields.flatMap(({ manager }) => manager ?? []))].join(', ');
  const by = who?.user ?? managers;
  return {
    at: happenedAt ?? openedAt,
    ...(closedAt !== undefined && { until: closedAt }),
    kind: 'drift',
    state: state === 'open' ? 'bad' : 'neutral',
    ...target,
    title: `drift of ${describeRef(drift.ref)}: ${state}`,
    detail: `${
      drift.kind === 'fields'
        ? drift.fields
            .map(({ path }) => path)
            .slice(0, 3)
            .join(', ')
        : drift.kind
    }${by === '' ? '' : `, by ${by}`}`,
    link: linkTo(target),
  };
}

function linkTo({ cluster, application }: Target): string {
  return `/targets/${encodeURIComponent(cluster)}/${encodeURIComponent(application)}`;
}
