import { messageOf } from '../../core/errors.ts';
import type { ObjectAddress } from '../../core/ports.ts';
import { filesOf, withValue, type ModelCommit, type Wanted } from './applications.ts';
import { assertAtRest } from './at-rest.ts';
import type { Part } from './chaos.ts';
import type { Percentiles } from './latencies.ts';
import { changed, mended, Names, newApplication } from './people.ts';
import type { QueueFigures } from './queue.ts';
import type { Usage } from './requests.ts';
import { BrokenInvariant } from './trace.ts';
import { SimulatedWorld } from './world.ts';

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

/** Runs one world from a seed. Whatever breaks is in the report, with what happened last. */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const { seed, clusters, repositories = 2, sweepMinutes = 5, sampleMinutes = 30, print } = options;
  const world = new SimulatedWorld({ seed, clusters, repositories, sweepMinutes, sampleMinutes, print });
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

async function live(world: SimulatedWorld, options: SimulationOptions): Promise<void> {
  const { days, faults } = options;
  const names = new Names();
  foundApplications(world, names, options);
  world.startSchedules();
  await world.runFor(calmStartMinutes);
  const end = world.timeline.now + days * dayMinutes * minuteMs;
  const isOver = (): boolean => world.timeline.now >= end;
  startPeople(world, names, options, isOver);
  startRivals(world, options, isOver);
  if (faults > 0) {
    world.chaos.start(faults);
    startOutages(world, faults, isOver);
  }
  while (!isOver()) {
    await world.runUntil(Math.min(end, world.timeline.now + 15 * minuteMs));
    world.watch.assertBounds();
  }
  world.chaos.stop();
  tidyUp(world);
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
        former === undefined ? changed(commit, names, random) : { what: 'force-push', commit: former };
      world.trace.note(`${name}: ${change.what}`);
      push(world, name, change.commit);
      timeline.after(random.exponential(pushMinutes * minuteMs), again);
    };
    timeline.after(random.exponential(pushMinutes * minuteMs), again);
  }
}

function startRivals(
  world: SimulatedWorld,
  { editMinutes = 90 }: SimulationOptions,
  isOver: () => boolean,
): void {
  const { random, timeline } = world;
  for (const cluster of world.clusters.keys()) {
    const again = (): void => {
      if (isOver()) return;
      edit(world, cluster);
      timeline.after(random.exponential(editMinutes * minuteMs), again);
    };
    timeline.after(random.exponential(editMinutes * minuteMs), again);
  }
}

/** Somebody changes or deletes an object that is as it should be. */
function edit(world: SimulatedWorld, cluster: string): void {
  const { random } = world;
  const wanted = random.pick([...world.wantedOn(cluster)]);
  if (wanted === undefined) return;
  const [key, { object, application }] = wanted;
  const address = addressOf(wanted);
  const memory = world.clusterOf(cluster);
  if (memory.live(address) === undefined) return;
  if (random.chance(0.3)) memory.remove(address);
  else {
    const { metadata: _metadata, ...content } = withValue(object, random.hex(6));
    memory.write(address, content, random.chance(0.5) ? 'kubectl-edit' : 'some-controller');
    world.rollOut(cluster, address);
  }
  world.watch.edited({ cluster, application, key, at: world.timeline.now });
}

function addressOf([, { object }]: readonly [string, Wanted]): ObjectAddress {
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, plural: `${kind.toLowerCase()}s`, namespace: metadata.namespace, name: metadata.name };
}

function startOutages(world: SimulatedWorld, faults: number, isOver: () => boolean): void {
  const { random, timeline, chaos } = world;
  const parts: readonly Part[] = [
    's3',
    'git',
    ...[...world.clusters.keys()].map((name): Part => `cluster ${name}`),
  ];
  const meanMs = (8 * 60 * minuteMs) / faults;
  const again = (): void => {
    if (isOver()) return;
    const part = random.pick(parts) ?? 'git';
    world.trace.note(`${part} is away`);
    chaos.lose(part);
    timeline.after(Math.min(120, random.exponential(20)) * minuteMs, () => {
      world.trace.note(`${part} is back`);
      chaos.recover(part);
    });
    timeline.after(random.exponential(meanMs), again);
  };
  timeline.after(random.exponential(meanMs), again);
}

/** People mend what they broke, and put right what is only observed. */
function tidyUp(world: SimulatedWorld): void {
  for (const [repository, commit] of world.heads) {
    const healed = new Map(
      [...mended(commit)].map(([name, one]) => [name, { ...one, drift: 'heal' as const }]),
    );
    push(world, repository, healed);
  }
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
    counts: { ...watch.counts, steps: timeline.steps, sweeps: quiet.executed, skippedSweeps: quiet.skipped },
    queues: Object.fromEntries(Object.entries(queues).map(([name, queue]) => [name, queue.figures])),
    latencies: watch.latencies.percentiles,
    requests: requests.counts,
    usage: Object.fromEntries(functions.map((name) => [name, requests.usage(name)])),
    metricHours: requests.metricHours,
  };
}
