import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import { inventorySchema } from '../../../core/model/inventory.ts';
import { after, TrialWorld } from './trial-world.ts';

describe('by an alarm', () => {
  const ringing = (world: TrialWorld, state: 'ALARM' | 'OK' = 'ALARM') =>
    world.alarms.set('errors', { state, since: world.clock.now() });

  async function onAlarm(): Promise<TrialWorld> {
    const world = new TrialWorld();
    world.onFailure = { windowSeconds: 1800, alarms: ['errors'] };
    ringing(world, 'OK');
    await world.push('good:1');
    await world.pass(600);
    return world;
  }

  test('that rings in the window, though health is fine', async () => {
    const world = await onAlarm();
    await world.push('good:2');
    await world.pass(600);
    ringing(world);
    await world.pass(120);
    assert.equal(world.image(), 'good:1');
    assert.match(world.rolledBack()[0] ?? '', /^good:2 -> good:1: the alarm errors rings since/);
  });

  test('one that rang before is not about it; nor is one that rings after the window', async () => {
    const world = await onAlarm();
    ringing(world);
    world.clock.advance(1000);
    await world.push('good:2');
    await world.pass(2000);
    ringing(world);
    await world.handle(world.request('watch', 'sweep'));
    await world.pass(3600);
    assert.deepEqual([world.image(), world.rolledBack()], ['good:2', []]);
  });

  test('the one before is not gone back to where its alarm rang as well', async () => {
    const world = await onAlarm();
    await world.push('good:2');
    await world.pass(300);
    ringing(world);
    await world.pass(120);
    assert.equal(world.image(), 'good:1');
    ringing(world, 'OK');
    await world.push('good:3');
    await world.pass(300);
    ringing(world);
    await world.pass(120);
    assert.deepEqual([world.image(), world.rolledBack().length], ['good:1', 2]);
  });

  test('alarms that cannot be read condemn nobody', async () => {
    const world = await onAlarm();
    world.alarms.clear();
    await world.push('good:2');
    await world.pass(3600);
    assert.equal(world.image(), 'good:2');
  });
});

test('where commits wait for a person, a rollback does not', async () => {
  const world = await after(['good:1']);
  world.settings = { sync: 'manual' };
  await world.push('bad:2');
  await world.handle(world.request('sync'));
  world.world.queues.runs.length = 0;
  await world.pass(600);
  assert.equal(world.image(), 'good:1');
});

test('the run record and the inventory say of whom and why', async () => {
  const world = await after(['good:1', 'bad:2']);
  const runs: unknown[] = [];
  for await (const key of world.world.store.list('runs/')) {
    const stored = await world.world.store.get(key);
    runs.push(JSON.parse(stored?.text ?? '{}').rollback?.by);
  }
  assert.equal(runs.filter((by) => by === 'trueup').length, 1);
  const inventory = await readDocument(
    world.world.store,
    keys.inventory(world.world.target),
    inventorySchema,
  );
  assert.equal(inventory?.value.applied?.healthy, true);
});
