import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { acquireLease } from '../../../core/lease.ts';
import type { Inventory } from '../../../core/model/inventory.ts';
import { scriptedWorld, type SweepWorld, configMap, deployment, webAddress } from './sweep-world.ts';

const web = { cluster: 'east', application: 'web' };
const minute = 60_000;
const scaled = { spec: { replicas: 9 } };

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

/** As a run that failed leaves it. */
function failedRun(revision: number, retry: boolean): Inventory['lastRun'] {
  const at = new Date(world.clock.now()).toISOString();
  return {
    runId: 'r',
    key: 'k',
    revision,
    outcome: 'failed',
    at,
    message: 'the server said no',
    attempt: 3,
    retry,
  };
}

describe('against running work', () => {
  it('a target whose lease is held is Reconciling, and nothing is recorded', async () => {
    await world.deploy('web', [deployment('front')]);
    world.cluster.edit(webAddress, scaled);
    await acquireLease(world.deps, web);
    const check = await world.sweep();
    assert.equal(check?.sync, 'Reconciling');
    assert.deepEqual([await states(), reasons()], [[], []]);
  });

  it('a run that came and went in between makes what was seen worthless', async () => {
    await world.deploy('web', [deployment('front')]);
    world.cluster.edit(webAddress, scaled);
    const meanwhile: Promise<void>[] = [];
    world.cluster.before = (request) => {
      if (request.startsWith('dry-run')) meanwhile.push(world.changeInventory('web', () => ({})));
    };
    assert.equal((await world.sweep())?.sync, 'Reconciling');
    await Promise.all(meanwhile);
    assert.deepEqual([await states(), reasons()], [[], []]);
  });
});

describe('a target whose last run failed', () => {
  const failing = (): string[] => world.sentMetrics().filter((sent) => sent.includes('FailedRuns'));

  it('is counted by every sweep until a run reaches what Git says, and then once as 0', async () => {
    await world.deploy('web', [deployment('front')]);
    await world.push('web', [deployment('front', 'a:2')]);
    await world.changeInventory('web', () => ({ lastRun: failedRun(2, false) }));
    for (let sweep = 0; sweep < 3; sweep += 1) {
      const check = await world.sweep();
      assert.deepEqual([check?.failed, failing()], [true, ['FailedRuns 1', 'fleet FailedRuns 1']]);
    }
    // Nobody can look, and nothing is better for that.
    world.cluster.unreachable = 'timeout';
    await world.sweep();
    assert.deepEqual(failing(), ['FailedRuns 1', 'fleet FailedRuns 1']);
    world.cluster.unreachable = undefined;
    await world.deploy('web', [deployment('front', 'a:2')]);
    assert.equal((await world.sweep())?.failed, undefined);
    assert.deepEqual(failing(), ['FailedRuns 0', 'fleet FailedRuns 0']);
    await world.sweep();
    assert.deepEqual(failing(), []);
  });
});

describe('in a freeze window', () => {
  it('drift is recorded and told, and no run is asked for until the window ends', async () => {
    const freeze = [{ from: '2026-11-23T00:00:00Z', until: '2026-11-24T00:00:00Z', reason: 'sale' }];
    await world.deploy('web', [deployment('front')], { freeze });
    world.cluster.edit(webAddress, scaled);
    const check = await world.sweep();
    assert.deepEqual([check?.sync, await states(), reasons()], ['Drifted', ['fields open'], []]);
    assert.match(check?.reason ?? '', /; frozen until 2026-11-24T00:00:00.000Z: sale$/);
    world.clock.advance(13 * 60 * minute);
    await world.sweep();
    assert.deepEqual(reasons(), ['web heal']);
  });
});

describe('a commit that is not applied', () => {
  it('is Pending and no drift; the backstop asks for a run when it still is at the next sweep', async () => {
    await world.deploy('web', [deployment('front')]);
    await world.push('web', [deployment('front', 'a:2')]);
    const check = await world.sweep();
    assert.deepEqual(
      [check?.sync, check?.reason, check?.drifted],
      ['Pending', 'commit c0ffee0 is not applied yet', 0],
    );
    assert.deepEqual(reasons(), []);
    await world.sweep();
    assert.deepEqual(reasons(), ['web pending']);
  });

  it('waits for a person where sync is manual, and what is applied is still checked and healed', async () => {
    await world.deploy('web', [deployment('front')], { sync: 'manual' });
    await world.push('web', [deployment('front', 'a:2')], { sync: 'manual' });
    await world.sweep();
    world.cluster.edit(webAddress, scaled);
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.drifted], ['Pending', 1]);
    assert.match(check?.reason ?? '', /waits for `trueup sync`/);
    assert.deepEqual(reasons(), ['web heal']);
  });

  it('is not hurried after a failed run, and not repeated where only a person helps', async () => {
    await world.deploy('web', [deployment('front')]);
    await world.push('web', [deployment('front', 'a:2')]);
    await world.changeInventory('web', () => ({ lastRun: failedRun(2, true) }));
    const check = await world.sweep();
    assert.equal(check?.reason, 'the last run was failed: the server said no');
    await world.sweep();
    assert.deepEqual(reasons(), []);
    world.clock.advance(5 * minute);
    await world.sweep();
    assert.deepEqual(reasons(), ['web pending']);
    await world.changeInventory('web', () => ({ lastRun: failedRun(2, false) }));
    world.clock.advance(60 * minute);
    await world.sweep();
    assert.deepEqual(reasons(), ['web pending']);
  });

  it('applied once, its drift is healed later although a run met what only a person can mend', async () => {
    await world.deploy('web', [deployment('front')]);
    world.cluster.edit(webAddress, scaled);
    await world.changeInventory('web', () => ({ lastRun: failedRun(1, false) }));
    await world.sweep();
    assert.deepEqual(reasons(), []);
    world.clock.advance(5 * minute);
    await world.sweep();
    assert.deepEqual(reasons(), ['web heal']);
  });

  it('half applied is compared object by object with what each was applied as', async () => {
    await world.deploy('web', [deployment('front'), configMap('front', { a: '1' })]);
    const pointer = await world.push('web', [deployment('front', 'a:2'), configMap('front', { a: '2' })]);
    const [config, front] = await world.resolve(pointer);
    assert.ok(config !== undefined && front !== undefined);
    await world.cluster.apply(front.address, front.object, {
      dryRun: false,
      force: true,
    });
    await world.changeInventory('web', ({ entries }) => {
      const [mine, other] = [entries[front.key], entries[config.key]];
      assert.ok(mine !== undefined && other !== undefined);
      return {
        entries: {
          [front.key]: { ...mine, desiredDigest: front.digest },
          [config.key]: { ...other, state: 'intent' },
        },
      };
    });
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.drifted], ['Pending', 0]);
    world.cluster.edit(webAddress, scaled);
    assert.equal((await world.sweep())?.drifted, 1);
  });

  it('whose run died after the pointer was reached is finished by the backstop', async () => {
    await world.deploy('web', [configMap('front')]);
    await world.changeInventory('web', ({ entries }) => ({
      entries: Object.fromEntries(
        Object.entries(entries).map(([key, entry]) => [key, { ...entry, state: 'intent' as const }]),
      ),
    }));
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.reason], ['Pending', 'a run did not finish ConfigMap web/front']);
    await world.sweep();
    assert.deepEqual(reasons(), ['web pending']);
  });

  it('of an application that was never applied is Pending, whatever stands on the cluster', async () => {
    await world.deploy('shop', [configMap('shop')]);
    await world.push('web', [configMap('front')]);
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.revision, check?.health], ['Pending', 0, 'Unknown']);
  });

  it('a commit that waits for a person no longer names the window once that has ended', async () => {
    const freeze = [{ from: '2026-11-23T00:00:00Z', until: '2026-11-24T00:00:00Z', reason: 'sale' }];
    const settings = { sync: 'manual', freeze } as const;
    await world.deploy('web', [configMap('front')], settings);
    await world.push('web', [configMap('front', { a: '2' })], settings);
    assert.match((await world.sweep())?.reason ?? '', /frozen until/);
    await world.sweep();
    world.clock.advance(13 * 60 * minute);
    const check = await world.sweep();
    assert.equal(check?.sync, 'Pending');
    assert.doesNotMatch(check?.reason ?? '', /frozen/);
  });
});
