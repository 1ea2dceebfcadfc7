import { prefixes } from '../contract/keys.ts';
import type { DriftRecord } from '../model/drift.ts';
import { isoTime, millisecondsOf, secondsBetween } from '../model/time.ts';
import { monthCost } from '../view/month-cost.ts';
import { fleetInput } from './ask-fleet.ts';
import type { Insights } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { maySee, projectOf, seesAll, type Person } from './person.ts';
import { driftsAt, ownBy, runsAt } from './own-records.ts';
import { recordsOf } from './span-records.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const mostNames = 10;

/** Where drift comes from and how fast things go, over the newest records of the last days. */
export async function insightsOf(
  { days }: { readonly days: number },
  person: Person,
  deps: ApiDeps,
): Promise<Insights> {
  const to = deps.clock.now();
  const { views, labels } = await fleetInput(deps);
  const seen = views.filter(({ pointer }) => maySee(person, projectOf(pointer, deps.config.repositories)));
  const span = { from: to - days * dayMs, to, targets: seen.map(({ target }) => target) };
  const [driftKeys, runKeys] = await Promise.all([
    recordsOf(deps.store, prefixes.drift, span),
    recordsOf(deps.store, prefixes.runs, span),
  ]);
  const isOwn = ownBy(seen, person);
  const records = (await runsAt(deps.store, runKeys.keys)).filter(isOwn.run);
  const episodes = (await driftsAt(deps.store, driftKeys.keys)).filter(isOwn.drift);
  const managersOf = ({ drift, who }: DriftRecord): string =>
    who?.user ?? drift.fields.find(({ manager }) => manager !== undefined)?.manager ?? drift.kind;
  const leads = records.flatMap(({ reason, outcome, trace }) =>
    reason === 'push' && outcome?.kind === 'applied' && trace !== undefined
      ? [secondsBetween(trace.at, outcome.at)]
      : [],
  );
  return {
    days,
    drift: {
      episodes: episodes.length,
      byCluster: shares(episodes.map(({ target }) => target.cluster)),
      byKind: shares(episodes.map(({ drift }) => drift.ref.kind)),
      byManager: shares(episodes.map(managersOf)),
      byDay: [...Map.groupBy(episodes, ({ openedAt }) => openedAt.slice(0, 10))]
        .map(([day, { length }]) => ({ day, count: length }))
        .sort((a, b) => (a.day < b.day ? -1 : 1)),
    },
    secondsToDetect: spread(episodes.flatMap(({ secondsToDetect }) => secondsToDetect ?? [])),
    secondsToHeal: spread(episodes.flatMap(({ secondsToHeal }) => secondsToHeal ?? [])),
    leadSeconds: spread(leads),
    runs: {
      total: records.length,
      failed: records.filter(({ outcome }) => outcome?.kind === 'failed' || outcome?.kind === 'blocked')
        .length,
    },
    ...(deps.installed &&
      seesAll(person) && { cost: costOf(runKeys.all, { days, clusters: labels.size }, deps) }),
  };
}

/** Of the month that it is in UTC. Runs of before the days that were asked for are taken to have been as many a day. */
function costOf(
  runs: readonly string[],
  { days, clusters }: { readonly days: number; readonly clusters: number },
  { clock, config }: ApiDeps,
): NonNullable<Insights['cost']> {
  const now = clock.now();
  const month = isoTime(now).slice(0, 7);
  const start = millisecondsOf(`${month}-01T00:00:00Z`);
  const next = millisecondsOf(
    isoTime(start + 32 * dayMs)
      .slice(0, 8)
      .concat('01T00:00:00Z'),
  );
  const ofMonth = runs.filter((key) => key.includes(`/date=${month}-`)).length;
  const seenDays = Math.min(days * dayMs, now - start) / dayMs;
  const scale = seenDays === 0 ? 0 : (now - start) / dayMs / seenDays;
  const work = {
    clusters,
    sweepMinutes: config.sweepMinutes,
    runs: Math.round(ofMonth * scale),
    hours: (now - start) / hourMs,
    hoursOfMonth: (next - start) / hourMs,
  };
  const { parts, ...cost } = monthCost(work);
  return { month, ...cost, parts: [...parts] };
}

function shares(names: readonly string[]): { name: string; count: number }[] {
  const groups = [...Map.groupBy(names, (name) => name)].map(([name, { length }]) => ({
    name,
    count: length,
  }));
  return groups.sort((a, b) => b.count - a.count || a.name.localeCompare(b.name)).slice(0, mostNames);
}

function spread(seconds: readonly number[]): { median?: number; p95?: number } {
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (share: number): number | undefined =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const [median, p95] = [at(0.5), at(0.95)];
  return median === undefined || p95 === undefined ? {} : { median, p95 };
}
