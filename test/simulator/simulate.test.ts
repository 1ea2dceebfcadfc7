import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { describeFailure } from './describe.ts';
import { seedOf, simulateAll } from './seeds.ts';
import { simulate, type SimulationReport } from './simulate.ts';

const seeds = Array.from({ length: 200 }, (_, place) => seedOf(place + 1));
const reports = new Map<number, SimulationReport>();

before(async () => {
  await simulateAll(seeds, 2, (report) => reports.set(report.seed, report));
});

test('200 seeds with faults: every invariant holds', () => {
  const broken = [...reports.values()].filter(({ failure }) => failure !== undefined);
  assert.deepEqual(
    broken.map((report) => describeFailure(report, [])),
    [],
  );
});

test('what the seeds see is worth an invariant', () => {
  const sum = (name: string): number =>
    [...reports.values()].reduce((all, { counts }) => all + (counts[name] ?? 0), 0);
  // A world in which nothing happens would hold every invariant as well.
  for (const [name, least] of [
    ['pushes', 1000],
    ['drifts', 1000],
    ['recorded', 1000],
    ['deleted', 160],
    ['pins', 20],
    ['rolledBack', 12],
    ['suspended', 40],
    ['tombstones', 80],
  ] as const)
    assert.ok(sum(name) >= least, `${name}: ${sum(name)}`);
});

test('two runs of one seed are the same, in one process and in another, and each seed is another run', async () => {
  assert.deepEqual(await simulate(seedOf(5)), reports.get(5));
  assert.equal(new Set([...reports.values()].map(({ trace }) => trace)).size, seeds.length);
});
