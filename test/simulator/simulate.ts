import { messageOf } from '../../core/errors.ts';
import { filesOf, type ModelApplication, type ModelCommit } from './applications.ts';
import { assertAtRest } from './at-rest.ts';
import type { Percentiles } from './latencies.ts';
import { endHolds, startOperators } from './operators.ts';
import { changed, mended, Names, newApplication } from './people.ts';
import { closeAll, startProposers } from './proposers.ts';
import type { QueueFigures } from './queue.ts';
import { SeededRandom } from './random.ts';
import type { Usage } from './requests.ts';
import { startOutages, startRivals } from './rivals.ts';
import { BrokenInvariant } from './trace.ts';
import { SimulatedWorld, start, type WorldSize } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly clusters: number;
  readonly targets: number;
  readonly days: number;
  /** How hard faults strike; 0: nothing goes wrong. */
  readonly faults: number;
  readonly repositories?: number;
  /** Mean minutes between two pushes to one repository, and between two edits on one cluster. */
  readonly pushMinutes?: number;
  readonly editMinutes?: number;
  /** Mean minutes between two acts of people on call, and between two events of pull requests; 0 or absent: there are none. */
  readonly actMinutes?: number;
  readonly objectsPerTarget?: number;
  readonly sweepMinutes?: number;
  readonly sampleMinutes?: number;
  readonly print?: (line: string) => void;
  /** A test breaks the world here, before anything happens. */
  readonly tamper?: (world: SimulatedWorld) => void;
}

export interface SimulationReport {
  readonly seed: number;
  /** Equal for equal runs. */
  readonly trace: string;
  readonly failure?: {
    readonly invariant: string;
    readonly message: string;
    readonly step: number;
    readonly last: readonly string[];
  };
  readonly counts: Readonly<Record<string, number>>;
  readonly queues: Readonly<Record<string, QueueFigures>>;
  readonly latencies: Readonly<Record<string, Percentiles>>;
  readonly requests: Readonly<Record<string, number>>;
  readonly usage: Readonly<Record<string, Usage>>;
  readonly metricHours: number;
}

const minuteMs = 60_000;
const dayMinutes = 24 * 60;
/** Nothing goes wrong at first: an installation is not set up in the middle of an outage. */
const calmStartMinutes = 30;
/** After the last push and edit: retries, heal loops and deletions in two phases have come to their end. */
const restMinutes = 5 * 60;
/** The command lines of those who tidy up have ended by then. */
const longestDeskMinutes = 3;

/** Runs one world from a seed. Whatever breaks is in the report, with what happened last. */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const { seed, clusters, repositories = 2, sweepMinutes = 5, sampleMinutes = 30, print } = options;
  const operated = (options.actMinutes ?? 0) === 0 ? {} : { isOperated: true, freeze: [freezeOf(options)] };
  const size = { seed, clusters, repositories, sweepMinutes, sampleMinutes, print, ...operated };
  const world = new SimulatedWorld(size);
  options.tamper?.(world);
  let failure: SimulationReport['failure'];
  try {
    await live(world, options);
  } catch (error) {
    failure = {
      invariant: error instanceof BrokenInvariant ? error.invariant : 'nothing unforeseen is thrown',
      message: error instanceof BrokenInvariant ? error.message : `${messageOf(error)}\n${stackOf(error)}`,
      step: world.timeline.steps,
      last: world.trace.last,
    };
  }
  return reportOf(world, seed, failure);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : '';
}

/** One cluster is frozen for a while. */
function freezeOf({ seed, clusters, days }: SimulationOptions): NonNullable<WorldSize['freeze']>[number] {
  const random = new SeededRandom(seed + 0x0f4ee2e);
  const from = start + random.between(0.1, 0.7) * days * dayMinutes * minuteMs;
  const until = from + random.between(0.02, 0.2) * days * dayMinutes * minuteMs;
  const names = [`cluster-${1 + random.index(clusters)}`];
  const isoTime = (time: number): string => new Date(time).toISOString();
  return { from: isoTime(from), until: isoTime(until), reason: 'a sale', clusters: { names } };
}

async function live(world: SimulatedWorld, options: SimulationOptions): Promise<void> {
  const { days, faults, actMinutes = 0 } = options;
  const names = new Names(actMinutes > 0);
  foundApplications(world, names, options);
  world.startSchedules();
  await world.runFor(calmStartMinutes);
  const end = world.timeline.now + days * dayMinutes * minuteMs;
  const isOver = (): boolean => world.timeline.now >= end;
  startPeople(world, names, options, isOver);
  startRivals(world, options.editMinutes ?? 90, isOver);
  if (actMinutes > 0) {
    startOperators(world, actMinutes, isOver);
    startProposers(world, actMinutes, isOver);
  }
  if (faults > 0) {
    world.chaos.start(faults);
    startOutages(world, faults, isOver);
  }
  while (!isOver()) {
    await world.runUntil(Math.min(end, world.timeline.now + 15 * minuteMs));
    world.watch.assertBounds();
  }
  world.chaos.stop();
  await tidyUp(world);
  await world.runFor(restMinutes);
  world.watch.assertBounds();
  world.stopSchedules();
  // What is on its way arrives, and nothing new is asked for.
  await world.runFor(30);
  await assertAtRest(world);
}

/** As many applications as make that many targets, shared out among the repositories. */
function foundApplications(
  world: SimulatedWorld,
  names: Names,
  { clusters, targets, objectsPerTarget = 4 }: SimulationOptions,
): void {
  const repositories = world.config.repositories.map(({ name }) => name);
  const commits = new Map(repositories.map((name) => [name, new Map()] as const));
  // In the mean three of four clusters have one.
  const count = Math.max(repositories.length, Math.round(targets / (clusters * 0.75)));
  for (let place = 0; place < count; place += 1) {
    const name = repositories[place % repositories.length] ?? '';
    const application = newApplication(names, world.random, objectsPerTarget);
    commits.get(name)?.set(application.name, application);
  }
  for (const [name, commit] of commits) push(world, name, commit);
}

function push(world: SimulatedWorld, repository: string, commit: ModelCommit): void {
  world.push(repository, commit, filesOf(commit));
}

function startPeople(
  world: SimulatedWorld,
  names: Names,
  { pushMinutes = 60 }: SimulationOptions,
  isOver: () => boolean,
): void {
  const { random, timeline } = world;
  for (const { name } of world.config.repositories) {
    const earlier: ModelCommit[] = [];
    const again = (): void => {
      if (isOver()) return;
      const commit = world.heads.get(name) ?? new Map();
      earlier.push(commit);
      // A force-push goes back to what was the head before.
      const former = random.chance(0.06)
        ? earlier.at(-1 - random.index(Math.min(4, earlier.length)))
        : undefined;
      const change =
        former === undefined
          ? changed(commit, names, random, timeline.now)
          : { what: 'force-push', commit: former };
      world.trace.note(`${name}: ${change.what}`);
      push(world, name, change.commit);
      timeline.after(random.exponential(pushMinutes * minuteMs), again);
    };
    timeline.after(random.exponential(pushMinutes * minuteMs), again);
  }
}

/** People mend what they broke, put right what is only observed, and hold nothing any more. */
async function tidyUp(world: SimulatedWorld): Promise<void> {
  for (const [repository, commit] of world.heads) {
    const healed = new Map(
      [...mended(commit, world.random)].map(([name, one]) => [
        name,
        freed({ ...one, drift: 'heal' as const }),
      ]),
    );
    push(world, repository, healed);
  }
  closeAll(world);
  const ended = endHolds(world);
  await world.runFor(longestDeskMinutes);
  await ended;
}

/** Nobody is there to promote a stage. */
function freed(one: ModelApplication): ModelApplication {
  return { ...one, freeze: undefined, stages: one.stages && 'soak' };
}

function reportOf(
  world: SimulatedWorld,
  seed: number,
  failure: SimulationReport['failure'],
): SimulationReport {
  const { requests, queues, watch, trace, timeline, quiet } = world;
  const functions = ['webhook', 'intake', 'snapshot', 'reconcile', 'sweep'] as const;
  return {
    seed,
    trace: trace.digest,
    ...(failure !== undefined && { failure }),
    counts: {
      ...watch.counts,
      ...watch.holds.counts,
      steps: timeline.steps,
      sweeps: quiet.executed,
      skippedSweeps: quiet.skipped,
    },
    queues: Object.fromEntries(Object.entries(queues).map(([name, queue]) => [name, queue.figures])),
    latencies: watch.latencies.percentiles,
    requests: requests.counts,
    usage: Object.fromEntries(functions.map((name) => [name, requests.usage(name)])),
    metricHours: requests.metricHours,
  };
}
