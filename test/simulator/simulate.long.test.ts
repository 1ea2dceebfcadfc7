import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { describeFailure } from './describe.ts';
import { seedOf, simulateAll } from './seeds.ts';

test('10,000 seeds with faults: every invariant holds', async () => {
  const broken: string[] = [];
  // Others than those that every test run tries.
  const seeds = Array.from({ length: 10_000 }, (_, place) => seedOf(place + 1001));
  await simulateAll(seeds, availableParallelism(), (report) => {
    if (report.failure !== undefined) broken.push(describeFailure(report, []));
  });
  assert.deepEqual(broken, []);
});
