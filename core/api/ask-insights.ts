import { prefixes } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { inBatches } from '../in-batches.ts';
import { driftRecordSchema, type DriftRecord } from '../model/drift.ts';
import { runRecordSchema } from '../model/run.ts';
import { secondsBetween } from '../model/time.ts';
import { fleetInput } from './ask-fleet.ts';
import { recordsOf } from './ask-timeline.ts';
import type { Insights } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { maySee, projectOf, type Person } from './person.ts';

const dayMs = 86_400_000;
const readsAtOnce = 20;
const mostNames = 10;

/** Where drift comes from and how fast things go, over the newest records of the last days. */
export async function insightsOf(
  { days }: { readonly days: number },
  person: Person,
  deps: ApiDeps,
): Promise<Insights> {
  const to = deps.clock.now();
  const { views } = await fleetInput(deps);
  const seen = views.filter(({ pointer }) => maySee(person, projectOf(pointer, deps.config.repositories)));
  const names = new Set(seen.map(({ target }) => `${target.cluster}/${target.application}`));
  const span = { from: to - days * dayMs, to, names };
  const [driftKeys, runKeys] = await Promise.all([
    recordsOf(deps, prefixes.drift, span),
    recordsOf(deps, prefixes.runs, span),
  ]);
  const [drifts, runs] = await Promise.all([
    inBatches(driftKeys.keys, readsAtOnce, async (key) => readDocument(deps.store, key, driftRecordSchema)),
    inBatches(runKeys.keys, readsAtOnce, async (key) => readDocument(deps.store, key, runRecordSchema)),
  ]);
  const episodes = drifts.flatMap((read) => read?.value ?? []);
  const records = runs.flatMap((read) => read?.value ?? []);
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
  };
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
