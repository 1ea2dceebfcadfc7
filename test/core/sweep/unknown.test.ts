import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { scriptedWorld, type SweepWorld, configMap, deployment, webAddress } from './sweep-world.ts';

const minute = 60_000;
const scaled = { spec: { replicas: 9 } };
const observe = { drift: 'observe' } as const;

let world: SweepWorld;
beforeEach(() => {
  world = scriptedWorld();
});

function reasons(): string[] {
  return world.queues.later.map(({ request: { target, reason } }) => `${target.application} ${reason}`);
}

async function states(): Promise<string[]> {
  return (await world.records()).map((record) => `${record?.drift.kind} ${record?.state}`);
}

describe('what could not be judged is Unknown, never Synced', () => {
  it('when the cluster does not answer: all targets, due or not, with the reason; their age grows', async () => {
    await world.deploy('web', [deployment('front')], observe);
    await world.deploy('shop', [configMap('shop')], { intervalSeconds: 3600 });
    world.cluster.edit(webAddress, scaled);
    await world.sweep();
    world.sentMetrics();
    world.clock.advance(10 * minute);
    world.cluster.unreachable = 'no answer within 5 s';
    const check = await world.sweepAll();
    assert.match(check.unreachable ?? '', /no answer within 5 s/);
    for (const { sync, reason, health, at } of Object.values(check.targets)) {
      assert.deepEqual([sync, health, at], ['Unknown', 'Unknown', '2026-11-23T12:00:00.000Z']);
      assert.match(reason, /no answer within 5 s/);
    }
    assert.deepEqual(await states(), ['fields open']);
    assert.equal(check.oldestAt, '2026-11-23T12:00:00.000Z');
    assert.equal(world.sentMetrics()[0], 'DriftedObjects 1');
    world.cluster.unreachable = undefined;
    const after = await world.sweepAll();
    assert.deepEqual([after.unreachable, after.targets['shop']?.sync], [undefined, 'Synced']);
  });

  it('when the cluster goes away half-way: those checked stand, no request is wasted on the others', async () => {
    for (let index = 0; index < 20; index += 1) await world.deploy(`app${index}`, [configMap(`c${index}`)]);
    world.cluster.requests.length = 0;
    world.cluster.before = () => {
      if (world.cluster.requests.length > 12) world.cluster.unreachable = 'the connection broke';
    };
    const { targets, unreachable } = await world.sweepAll();
    assert.match(unreachable ?? '', /the connection broke/);
    const syncs = Object.values(targets).map(({ sync }) => sync);
    assert.equal(syncs.length, 20);
    assert.ok(syncs.filter((sync) => sync === 'Unknown').length >= 12);
    assert.ok(world.cluster.requests.length < 40);
  });

  it('when a webhook refuses one dry run: the other objects are judged and healed all the same', async () => {
    await world.deploy('shop', [deployment('other'), configMap('shop')]);
    world.cluster.refusals.set('shop', 'admission webhook "policy" denied the request');
    world.cluster.edit({ ...webAddress, name: 'other' }, scaled);
    const check = await world.sweep('shop');
    assert.equal(check?.sync, 'Unknown');
    assert.match(check?.reason ?? '', /ConfigMap web\/shop.*admission webhook "policy" denied/);
    assert.equal(check?.drifted, 1);
    assert.deepEqual(reasons(), ['shop heal']);
  });

  it('when an open episode could not be judged again: it stays open', async () => {
    await world.deploy('web', [deployment('front')], observe);
    world.cluster.edit(webAddress, scaled);
    await world.sweep();
    world.cluster.refusals.set('front', 'denied');
    assert.equal((await world.sweep())?.sync, 'Unknown');
    assert.deepEqual(await states(), ['fields open']);
  });

  it('when we may not list a kind: the targets that have it, and no others', async () => {
    await world.deploy('web', [deployment('front')]);
    await world.deploy('shop', [configMap('shop')]);
    world.cluster.forbiddenList = 'deployments';
    const { targets } = await world.sweepAll();
    assert.deepEqual([targets['web']?.sync, targets['shop']?.sync], ['Unknown', 'Synced']);
    assert.match(targets['web']?.reason ?? '', /does not let us list deployments/);
  });

  it('when the snapshot is gone', async () => {
    const pointer = await world.deploy('web', [deployment('front')]);
    await world.store.delete(keys.snapshot('web', pointer.snapshot), 'any');
    const check = await world.sweep();
    assert.equal(check?.sync, 'Unknown');
    assert.match(check?.reason ?? '', /is not in the bucket; it is rendered anew/);
    const hints = world.bus.events.flatMap((event) => (event.type === 'PushReceived' ? [event.detail] : []));
    assert.deepEqual(
      hints.map(({ repository, anew }) => [repository, anew]),
      [[pointer.repository, ['web']]],
    );
  });

  it('when there is no time left: the entry stays as it was and the longest unchecked come first', async () => {
    await world.deploy('web', [configMap('front')]);
    const before = await world.sweep();
    await world.deploy('shop', [configMap('shop')]);
    await world.changeInventory('web', () => ({}));
    world.clock.advance(minute);
    world.budgetMs = 20_000;
    const { targets, oldestAt } = await world.sweepAll();
    assert.deepEqual(targets['web'], before);
    assert.deepEqual(
      [targets['shop']?.sync, targets['shop']?.reason],
      ['Unknown', 'the sweep had no time left for it'],
    );
    assert.equal(oldestAt, before?.at);
  });

  it('but not because a request came too late to be sent: entries stay, and no cluster is called unreachable', async () => {
    await world.deploy('web', [configMap('front')]);
    await world.deploy('shop', [configMap('shop')]);
    const before = await world.sweepAll();
    await world.deploy('new', [configMap('new')]);
    const end = world.clock.now() + world.budgetMs;
    world.cluster.before = (request) => {
      if (request.startsWith('get') && world.cluster.unreachable === undefined) {
        world.clock.advance(end - 18_000 - world.clock.now());
        world.cluster.unreachable = 'was not sent';
      }
    };
    const { targets, unreachable } = await world.sweepAll();
    assert.equal(unreachable, undefined);
    assert.deepEqual([targets['web'], targets['shop']], [before.targets['web'], before.targets['shop']]);
    assert.equal(targets['new']?.reason, 'the sweep had no time left for it');
  });
});
