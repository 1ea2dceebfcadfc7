import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { suspend } from '../../../core/suspend.ts';
import { configMap, deployment, scriptedWorld, webAddress, type SweepWorld } from './sweep-world.ts';

const minute = 60_000;
const scaled = { spec: { replicas: 9 } };
const window = { from: '2026-11-23T00:00:00Z', until: '2026-11-24T00:00:00Z', reason: 'sale' };

let world: SweepWorld;
beforeEach(() => {
  world = scriptedWorld();
});

function reasons(): string[] {
  return world.queues.later.map(({ request: { target, reason } }) => `${target.application} ${reason}`);
}

describe('a suspended target', () => {
  it('has its drift recorded and told, and is healed by the first sweep after it', async () => {
    await world.deploy('web', [deployment('front')]);
    const until = '2026-11-23T13:00:00.000Z';
    await suspend(world, { application: 'web' }, { by: 'ada', reason: 'incident', until });
    world.cluster.edit(webAddress, scaled);
    const check = await world.sweep();
    assert.equal(check?.sync, 'Drifted');
    assert.match(
      check?.reason ?? '',
      /; application web is suspended by ada .*until 2026-11-23T13.*: incident$/,
    );
    assert.equal((await world.records()).length, 1);
    assert.deepEqual(reasons(), []);
    world.clock.advance(90 * minute);
    await world.sweep();
    assert.deepEqual(reasons(), ['web heal']);
  });

  it('does not ask for what is pending, and says so', async () => {
    await world.deploy('web', [configMap('front')]);
    await suspend(world, { cluster: 'east' }, { by: 'ada', reason: 'upgrade' });
    await world.push('web', [configMap('front', { a: '2' })]);
    await world.sweep();
    assert.match((await world.sweep())?.reason ?? '', /is not applied yet; cluster east is suspended/);
    assert.deepEqual(reasons(), []);
  });
});

describe('a freeze of pushes alone', () => {
  it('of one application lets heals of what is applied go on', async () => {
    await world.deploy('web', [deployment('front')], { freeze: [{ ...window, applies: ['push'] }] });
    world.cluster.edit(webAddress, scaled);
    await world.sweep();
    assert.deepEqual(reasons(), ['web heal']);
  });

  it('lets them go on where a commit waits for its end', async () => {
    const freeze = [{ ...window, applies: ['push' as const] }];
    await world.deploy('web', [deployment('front')], { freeze });
    await world.push('web', [deployment('front', 'a:2')], { freeze });
    world.cluster.edit(webAddress, scaled);
    await world.sweep();
    assert.deepEqual(reasons(), ['web heal']);
  });
});

describe('a target that waits for its stage', () => {
  const waiting = {
    revision: 2,
    since: '2026-11-23T12:00:00.000Z',
    reason: 'waits for stage canary',
    on: 'rollout',
  };

  async function stage(): Promise<void> {
    await world.deploy('web', [deployment('front')]);
    await world.push('web', [deployment('front', 'a:2')]);
    await world.changeInventory('web', () => ({ waiting: { ...waiting, on: 'rollout' as const } }));
  }

  it('is Pending with the reason, and asked for at each sweep', async () => {
    await stage();
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.reason], ['Pending', 'waits for stage canary']);
    await world.sweep();
    assert.deepEqual(reasons(), ['web pending']);
  });

  it('has drift of what is applied healed meanwhile', async () => {
    await stage();
    world.cluster.edit(webAddress, scaled);
    await world.sweep();
    assert.deepEqual(reasons(), ['web heal']);
  });

  it('goes on all the same where its revision was begun: a heal would only rest', async () => {
    await stage();
    const begun = { ...waiting, on: 'rollout' as const, begun: true as const };
    await world.changeInventory('web', () => ({ waiting: begun }));
    world.cluster.edit(webAddress, scaled);
    await world.sweep();
    await world.sweep();
    assert.deepEqual(reasons(), ['web pending']);
  });
});
