import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { sendOldestCheck } from '../../../core/sweep/oldest-check.ts';
import { configMap, scriptedWorld, type SweepWorld } from './sweep-world.ts';

const minute = 60_000;

let world: SweepWorld;
beforeEach(async () => {
  world = scriptedWorld();
  await world.deploy('web', [configMap('front')], { intervalSeconds: 3600 });
  await world.deploy('shop', [configMap('shop')]);
  await world.sweepAll();
  world.sentMetrics();
});

async function sent(clusters: readonly string[] = ['east']): Promise<readonly string[]> {
  await sendOldestCheck(world.deps, clusters);
  return world.sentMetrics();
}

describe('the longest unchecked target of the fleet', () => {
  it('is told at each sweep of the fleet; of a cluster alone only once three sweeps were missed', async () => {
    assert.deepEqual(await sent(), ['fleet OldestCheckSeconds 0']);
    world.clock.advance(15 * minute);
    assert.deepEqual(await sent(), ['fleet OldestCheckSeconds 900']);
    world.clock.advance(minute);
    assert.deepEqual(await sent(), ['OldestCheckSeconds 960', 'fleet OldestCheckSeconds 960']);
    await world.sweepAll();
    assert.deepEqual(await sent(), ['fleet OldestCheckSeconds 0']);
  });

  it('is not one whose application wants fewer checks', async () => {
    for (let sweep = 0; sweep < 6; sweep += 1) {
      world.clock.advance(5 * minute);
      await world.sweepAll();
      assert.deepEqual(await sent(), ['fleet OldestCheckSeconds 0']);
    }
  });

  it('may be on a cluster that no sweep ever came to an end on', async () => {
    assert.deepEqual(await sent(['east', 'west']), ['fleet OldestCheckSeconds 0']);
    world.clock.advance(20 * minute);
    await world.sweepAll();
    assert.deepEqual(await sent(['east', 'west']), [
      'OldestCheckSeconds 1200',
      'fleet OldestCheckSeconds 1200',
    ]);
  });

  it('may be on a cluster whose last check cannot be read: the others are told of all the same', async () => {
    await world.store.put(keys.check('west'), '{"version":7}', 'any');
    assert.deepEqual(await sent(['east', 'west']), [
      'OldestCheckSeconds 901',
      'fleet OldestCheckSeconds 901',
    ]);
  });
});
