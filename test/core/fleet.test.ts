import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStackConfig } from '../../core/contract/config.ts';
import { scopeOf } from '../../core/contract/discovery.ts';
import { keys } from '../../core/contract/keys.ts';
import { FleetView } from '../../core/fleet.ts';
import { updateRegistry } from '../../core/sweep/update-registry.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryStore } from '../fakes/memory-store.ts';

const access = { type: 'eks', name: 'east' } as const;
const config = parseStackConfig({
  repositories: [{ name: 'config', url: 'https://example.com/config.git' }],
  clusters: [{ name: 'east', access }],
  discovery: [{ tags: { trueup: 'yes' } }],
});

class World {
  readonly store = new MemoryStore();
  readonly clock = new ManualClock();
  reads = 0;
  readonly view: FleetView;

  constructor(own = config) {
    const get = this.store.get.bind(this.store);
    this.store.get = async (key) => {
      this.reads += 1;
      return get(key);
    };
    this.view = new FleetView({ store: this.store, config: own, clock: this.clock });
  }

  async found(...names: readonly string[]): Promise<void> {
    const clusters = names.map((name) => ({
      name,
      arn: `arn:aws:eks:us-east-1:111111111111:cluster/${name}`,
      tags: { trueup: 'yes' },
    }));
    const listings = new Map([[scopeOf({}), { clusters, unread: undefined }]]);
    const registry = updateRegistry(undefined, config, listings, '2026-11-23T12:00:00.000Z');
    await this.store.put(keys.clusterRegistry, JSON.stringify(registry), 'any');
  }
}

test('without a discovery nothing is read', async () => {
  const world = new World({ ...config, discovery: [] });
  assert.equal((await world.view.find('east'))?.name, 'east');
  assert.equal(await world.view.find('west'), undefined);
  assert.equal(world.reads, 0);
});

test('a cluster that is known is not asked for again for a while; one that is not known is', async () => {
  const world = new World();
  await world.found('west');
  for (const name of ['east', 'west', 'west']) assert.equal((await world.view.find(name))?.name, name);
  assert.equal(world.reads, 1);
  await world.found('west', 'north');
  world.clock.advance(1000);
  assert.equal((await world.view.find('north'))?.name, 'north');
  assert.deepEqual(
    (await world.view.config('north')).clusters.map(({ name }) => name),
    ['east', 'north', 'west'],
  );
  assert.equal(world.reads, 2);
  world.clock.advance(16_000);
  await world.view.find('west');
  assert.equal(world.reads, 3);
});
