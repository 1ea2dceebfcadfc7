import { filesOf, newObject, withValue, type ModelApplication, type ModelCommit } from './applications.ts';
import type { Percentiles } from './latencies.ts';
import { Names } from './people.ts';
import type { QueueFigures } from './queue.ts';
import { startRivals } from './rivals.ts';
import { SimulatedWorld } from './world.ts';

export interface FullSize {
  readonly clusters: number;
  readonly targets: number;
  /** Of work, after the hours of quiet; two hours unless given. */
  readonly days?: number;
  /** Mean time between two pushes in all, each to one application on every cluster; 20 unless given. */
  readonly pushMinutes?: number;
  /** Mean time between two edits on one cluster; a day unless given. */
  readonly editMinutes?: number;
  /** How often every cluster is checked; 5 unless given. A month of checks is too much to simulate: they are sampled. */
  readonly sweepMinutes?: number;
  /** A sweep of a cluster where nothing is new is executed at least this often; hourly unless given. */
  readonly sampleMinutes?: number;
  readonly print: (line: string) => void;
}

/** What was seen of an installation in hours of quiet, and then in hours of work. */
export interface FullSizeReport {
  /** Requests, metric hours and the sweep function's milliseconds, of a month of such hours. */
  readonly quietMonth: Readonly<Record<string, number>>;
  /** The same of a month of the hours of work. */
  readonly busyMonth: Readonly<Record<string, number>>;
  readonly queues: Readonly<Record<string, QueueFigures>>;
  readonly latencies: Readonly<Record<string, Percentiles>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly failure: string | undefined;
}

const hoursInMonth = 730;
const repositories = 10;
const objectsPerApplication = 4;
const minuteMs = 60_000;
const model = 'cluster-1';

/**
 * An installation in its full size. One cluster comes into being as every cluster does; the others are copies of it and of
 * its records, since 50,000 first runs would take most of an hour. Then every cluster is swept on schedule: for as long
 * as the exact checks take to come round nothing happens, then people push and edit. A sweep of a cluster where nothing is
 * new is executed once in a while, and counted otherwise.
 */
export async function simulateFullSize(full: FullSize): Promise<FullSizeReport> {
  const { clusters, targets, sweepMinutes = 5, sampleMinutes = 60, print } = full;
  const size = { seed: 1, repositories, sweepMinutes, sampleMinutes };
  const seedling = new SimulatedWorld({ ...size, clusters: 1 });
  const commits = found(seedling, Math.round(targets / clusters));
  seedling.startSchedules();
  await seedling.runFor(30);
  const world = new SimulatedWorld({ ...size, clusters });
  await takeOver(world, seedling, commits);
  print(`${clusters} clusters, ${clusters * Math.round(targets / clusters)} targets`);
  world.startSchedules();
  let failure: string | undefined;
  let quietMonth = {};
  let busyMonth = {};
  try {
    await world.runFor(30);
    quietMonth = await monthOf(world, async () => quietHours(world, print));
    busyMonth = await monthOf(world, async () => work(world, full));
    await world.runFor(20);
    world.watch.assertBounds();
  } catch (error) {
    failure = String(error);
  }
  const { queues, watch, quiet, timeline } = world;
  return {
    quietMonth,
    busyMonth,
    queues: Object.fromEntries(Object.entries(queues).map(([name, queue]) => [name, queue.figures])),
    latencies: watch.latencies.percentiles,
    counts: { ...watch.counts, steps: timeline.steps, executed: quiet.executed, counted: quiet.skipped },
    failure,
  };
}

/** Every cluster gets as many applications, of all repositories. */
function found(world: SimulatedWorld, applications: number): ReadonlyMap<string, ModelCommit> {
  const names = new Names();
  const commits = new Map(
    world.config.repositories.map(({ name }) => [name, new Map<string, ModelApplication>()] as const),
  );
  const all = [...commits.values()];
  for (let place = 0; place < applications; place += 1) {
    const name = names.next('app');
    const objects = Array.from({ length: objectsPerApplication }, () =>
      newObject(names.next('object'), world.random),
    );
    all[place % all.length]?.set(name, { name, drift: 'heal', onDelete: 'prune', objects });
  }
  for (const [name, commit] of commits) world.push(name, commit, filesOf(commit));
  return commits;
}

/** The time, the repositories, the records and the clusters of another world: what is of its cluster becomes each one's. */
async function takeOver(
  world: SimulatedWorld,
  from: SimulatedWorld,
  commits: ReadonlyMap<string, ModelCommit>,
): Promise<void> {
  await world.timeline.run(from.timeline.now);
  for (const [name, commit] of commits) {
    world.host.push(name, from.host.headOf(name), filesOf(commit), 0);
    world.heads.set(name, commit);
  }
  for (const cluster of world.clusters.keys()) world.clusterOf(cluster).becomeCopyOf(from.clusterOf(model));
  const quoted = new RegExp(`"${model}"`, 'g');
  for await (const key of from.store.list('')) {
    const stored = await from.store.get(key);
    if (stored === undefined) continue;
    const isOfCluster = key.split(/[/.]/).includes(model);
    for (const cluster of isOfCluster ? world.clusters.keys() : [model])
      await world.store.put(
        key.replace(model, cluster),
        stored.text.replaceAll(quoted, `"${cluster}"`),
        'any',
      );
  }
}

/** What is asked for in some hours, taken for a month. */
async function monthOf(
  { requests, timeline }: SimulatedWorld,
  hoursOf: () => Promise<void>,
): Promise<Readonly<Record<string, number>>> {
  const began = timeline.now;
  const seen = (): Record<string, number> => ({
    ...requests.counts,
    'metric hours': requests.metricHours,
    'sweep milliseconds': requests.usage('sweep').milliseconds,
  });
  const before = seen();
  await hoursOf();
  const hours = (timeline.now - began) / (60 * minuteMs);
  return Object.fromEntries(
    Object.entries(seen()).map(([name, count]) => [
      name,
      ((count - (before[name] ?? 0)) / hours) * hoursInMonth,
    ]),
  );
}

async function quietHours(world: SimulatedWorld, print: FullSize['print']): Promise<void> {
  const hours = world.config.fullCheckHours;
  for (let hour = 1; hour <= hours; hour += 1) {
    await world.runFor(60);
    print(`quiet hour ${hour} of ${hours}`);
  }
}

async function work(
  world: SimulatedWorld,
  { days = 1 / 12, pushMinutes = 20, editMinutes = 24 * 60, print }: FullSize,
): Promise<void> {
  const { random, timeline } = world;
  const end = timeline.now + days * 24 * 60 * minuteMs;
  startRivals(world, editMinutes, () => timeline.now >= end);
  while (timeline.now < end) {
    const name = random.pick([...world.heads.keys()]) ?? '';
    const commit: ModelCommit = world.heads.get(name) ?? new Map();
    const one = random.pick([...commit.values()]);
    if (one === undefined) continue;
    const objects = one.objects.map((object) => withValue(object, random.hex(6)));
    const next = new Map([...commit, [one.name, { ...one, objects }]]);
    world.push(name, next, filesOf(next));
    await world.runFor(Math.min(random.exponential(pushMinutes), (end - timeline.now) / minuteMs));
    print(`${Math.round((end - timeline.now) / minuteMs)} minutes of work to go`);
    world.watch.assertBounds();
  }
}
