import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure } from './describe.ts';
import { faultSeed, seedOf, simulateAll } from './seeds.ts';
import { simulate, type SimulationReport } from './simulate.ts';

test('two runs of one seed are the same, and another seed is another run', async () => {
  const short = { ...faultSeed, days: 0.25, pushMinutes: 20, editMinutes: 20 };
  const [first, second, other] = [
    await simulate({ ...short, seed: 7 }),
    await simulate({ ...short, seed: 7 }),
    await simulate({ ...short, seed: 8 }),
  ];
  assert.deepEqual(second, first);
  assert.notEqual(other.trace, first.trace);
});

test('50 seeds with faults: every invariant holds', async () => {
  const reports: SimulationReport[] = [];
  const seeds = Array.from({ length: 50 }, (_, place) => seedOf(place + 1));
  await simulateAll(seeds, 2, (report) => reports.push(report));
  const broken = reports.filter(({ failure }) => failure !== undefined);
  assert.deepEqual(
    broken.map((report) => describeFailure(report, [])),
    [],
  );
  const sum = (name: string): number => reports.reduce((all, { counts }) => all + (counts[name] ?? 0), 0);
  // A world in which nothing happens would hold every invariant as well.
  for (const [name, least] of [
    ['pushes', 250],
    ['drifts', 250],
    ['recorded', 250],
    ['deleted', 40],
    ['pins', 5],
    ['rolledBack', 3],
    ['suspended', 10],
    ['tombstones', 20],
  ] as const)
    assert.ok(sum(name) >= least, `${name}: ${sum(name)}`);
});
