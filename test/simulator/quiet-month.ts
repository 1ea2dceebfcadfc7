import { filesOf, newObject, type ModelApplication } from './applications.ts';
import { Names } from './people.ts';
import type { RequestKind } from './requests.ts';
import { SimulatedWorld } from './world.ts';

const hoursInMonth = 730;
const objectsPerApplication = 4;
/** Past the first runs and the first exact check of everything, which is more than any later one. */
const settledAfterMinutes = 60;

/** What an installation asks of AWS in a month in which nobody pushes and nothing drifts. */
export interface QuietMonth {
  readonly requests: (kind: RequestKind) => number;
  readonly metrics: number;
  readonly sweeps: number;
  /** Of the sweep function: messages and milliseconds spent waiting for answers. */
  readonly invocations: number;
  readonly milliseconds: number;
}

/**
 * Runs such an installation, checked every 5 minutes, after it has come to rest, and takes that for a month. Nothing in it
 * takes longer to come round than the exact checks, of which each application has one in `fullCheckHours` at a place of its
 * own: any such span is like the next. Every cluster has so many applications of four objects.
 */
export async function quietMonth(clusters: number, applications: number): Promise<QuietMonth> {
  const world = new SimulatedWorld({
    seed: 1,
    repositories: 1,
    clusters,
    sweepMinutes: 5,
    sampleMinutes: 60,
  });
  const names = new Names();
  const commit = new Map(
    Array.from({ length: applications }, (): [string, ModelApplication] => {
      const name = names.next('app');
      const objects = Array.from({ length: objectsPerApplication }, () =>
        newObject(names.next('object'), world.random),
      );
      return [name, { name, drift: 'heal', onDelete: 'orphan', objects }];
    }),
  );
  for (const { name } of world.config.repositories) world.push(name, commit, filesOf(commit));
  world.startSchedules();
  await world.runFor(settledAfterMinutes);
  const { requests, config } = world;
  const hours = config.fullCheckHours;
  const [before, hoursBefore, usedBefore] = [requests.counts, requests.metricHours, requests.usage('sweep')];
  const sweepsBefore = world.quiet.executed + world.quiet.skipped;
  await world.runFor(hours * 60);
  const used = requests.usage('sweep');
  const after = requests.counts;
  const ofMonth = (count: number): number => (count / hours) * hoursInMonth;
  return {
    requests: (kind) => ofMonth((after[kind] ?? 0) - (before[kind] ?? 0)),
    metrics: (requests.metricHours - hoursBefore) / hours,
    sweeps: ofMonth(world.quiet.executed + world.quiet.skipped - sweepsBefore),
    invocations: ofMonth(used.invocations - usedBefore.invocations),
    milliseconds: ofMonth(used.milliseconds - usedBefore.milliseconds),
  };
}
