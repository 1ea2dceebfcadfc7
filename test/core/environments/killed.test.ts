import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { followPulls } from '../../../core/preview-environments.ts';
import { EnvironmentWorld, runningWorld, shop } from './environment-world.ts';

/** Every effect of a look may be its last. The next one, of the same message, ends where an undisturbed one would. */

class Killed extends Error {}

/** The same look, killed at its n-th effect, before or after it; false where it had fewer. */
async function lookKilled(world: EnvironmentWorld, at: number, when: 'before' | 'after'): Promise<boolean> {
  let count = 0;
  let isDead = false;
  const effects = new Set(['put', 'delete', 'publish', 'run', 'comment']);
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return async (...args: readonly unknown[]) => {
          if (isDead) throw new Killed();
          if (!effects.has(String(name))) return Reflect.apply(member, target, args);
          count += 1;
          isDead = count === at;
          if (isDead && when === 'before') throw new Killed();
          const answer: unknown = await Reflect.apply(member, target, args);
          if (isDead) throw new Killed();
          return answer;
        };
      },
    });
  const { store, bus, queues, host, ...deps } = world.environmentDeps;
  const ports = { store: wrap(store), bus: wrap(bus), queues: wrap(queues), host: wrap(host) };
  try {
    await followPulls('fleet', { deliveryId: 'd', isLast: false }, { ...deps, ...ports });
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
  return isDead;
}

async function settled(world: EnvironmentWorld): Promise<object> {
  await world.look({ isRepeated: true });
  await world.runAll();
  await world.look();
  const pointer = await world.environment('shop-pr-1');
  const { seq: _seq, revision: _revision, examined: _examined, ...rest } = pointer ?? {};
  const { seq: __, ...record } = (await world.record()) ?? {};
  const effects = [...new Set(world.cluster.effects)].sort();
  return { rest, record, effects, inventory: await world.inventoryOf('shop-pr-1'), told: world.comment('1') };
}

const beginnings: Readonly<Record<string, () => Promise<EnvironmentWorld>>> = {
  'made for the first time': async () => {
    const world = new EnvironmentWorld();
    world.git.push('a', shop());
    world.open('b', shop('2'));
    return world;
  },
  'with a newer commit': async () => {
    const world = await runningWorld();
    const head = { branch: 'feature-b', sha: world.commit('c', shop('3')), isFork: false };
    world.host.change('fleet', '1', { head });
    return world;
  },
  'whose pull request was closed': async () => {
    const world = await runningWorld();
    world.host.change('fleet', '1', { state: 'closed' });
    return world;
  },
};

for (const [what, begin] of Object.entries(beginnings)) {
  test(`an environment ${what}, killed at each of its effects, ends as if nothing had happened`, async () => {
    const undisturbed = await settled(await begin());
    let points = 0;
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; ; at += 1) {
        const world = await begin();
        if (!(await lookKilled(world, at, when))) break;
        points += 1;
        assert.deepEqual(await settled(world), undisturbed, `killed ${when} effect ${at}`);
      }
    }
    assert.ok(points >= 8, `${points} points`);
  });
}

/** Lets `act` run just before the first write of a key. */
function beforeWrite(world: EnvironmentWorld, key: string, act: () => Promise<unknown>): void {
  const put = world.store.put.bind(world.store);
  world.store.put = async (written, text, condition) => {
    if (written === key) {
      world.store.put = put;
      await act();
    }
    return put(written, text, condition);
  };
}

const pointerKey = keys.desired({ cluster: 'dev', application: 'shop-pr-1' });

test('a look that was overtaken by a newer commit never writes the older one over it', async () => {
  for (const key of [pointerKey, keys.environments('fleet')]) {
    const world = await runningWorld();
    const older = { branch: 'feature-b', sha: world.commit('c', shop('3')), isFork: false };
    world.host.change('fleet', '1', { head: older });
    const sha = world.commit('d', shop('4'));
    beforeWrite(world, key, async () => {
      world.host.change('fleet', '1', { head: { ...older, sha } });
      await world.look();
    });
    await world.look();
    assert.equal((await world.environment('shop-pr-1'))?.commit.sha, sha);
    assert.equal((await world.record())?.environments['shop-pr-1']?.sha, sha);
  }
});

test('a look that was overtaken by the newer commit, and then died, leaves nothing old behind', async () => {
  const world = await runningWorld();
  const older = { branch: 'feature-b', sha: world.commit('c', shop('3')), isFork: false };
  world.host.change('fleet', '1', { head: older });
  // The newer commit is the content that runs already: there is nothing new to write of it.
  const sha = world.commit('d', shop('2'));
  beforeWrite(world, pointerKey, async () => {
    world.host.change('fleet', '1', { head: { ...older, sha } });
    await world.look();
    const put = world.store.put.bind(world.store);
    world.store.put = async (key, text, condition) => {
      const outcome = await put(key, text, condition);
      if (key === pointerKey) throw new Killed();
      return outcome;
    };
  });
  await world.look().catch(() => undefined);
  const { put } = Object.getPrototypeOf(world.store);
  world.store.put = put.bind(world.store);
  await world.look();
  const pointer = await world.environment('shop-pr-1');
  assert.equal(pointer?.examined.sha, sha);
  assert.equal(pointer.commit.sha, 'b'.repeat(40), 'content that was first seen at the first commit');
});

test('a pull request that is closed while its commit is rendered ends as a tombstone', async () => {
  const world = new EnvironmentWorld();
  world.git.push('a', shop());
  world.open('b', shop('2'));
  beforeWrite(world, pointerKey, async () => {
    world.host.change('fleet', '1', { state: 'closed' });
    await world.look();
  });
  await world.look();
  assert.equal((await world.environment('shop-pr-1'))?.state, 'gone');
  await world.runAll();
  assert.deepEqual(await world.inventoryOf('shop-pr-1'), []);
});

test('and one whose look died in that moment is found by a later look', async () => {
  const world = new EnvironmentWorld();
  world.git.push('a', shop());
  world.open('b', shop('2'));
  beforeWrite(world, pointerKey, async () => {
    world.host.change('fleet', '1', { state: 'closed' });
    await world.look();
    const put = world.store.put.bind(world.store);
    world.store.put = async (key, text, condition) => {
      world.store.put = () => Promise.reject(new Killed());
      return put(key, text, condition);
    };
  });
  await assert.rejects(world.look(), Killed);
  const { put } = Object.getPrototypeOf(world.store);
  world.store.put = put.bind(world.store);
  assert.equal((await world.environment('shop-pr-1'))?.state, 'present');
  world.clock.advance(15 * 60_000);
  await world.look();
  assert.equal((await world.environment('shop-pr-1'))?.state, 'gone');
  world.clock.advance(15 * 60_000);
  await world.runAll();
  await world.look();
  assert.deepEqual((await world.record())?.environments, {});
});

test('a host that lags behind its own event is asked again, then believed', async () => {
  const world = await runningWorld();
  const sha = world.commit('c', shop('3'));
  const hint = { id: '1', action: 'updated', sha: sha.slice(0, 12) } as const;
  await assert.rejects(world.look({ hint }), /still shows pull request 1 as it was before/);
  assert.equal(await world.look({ hint, isLast: true }), 'no environment changed');
  const closed = { id: '1', action: 'closed', sha: 'b'.repeat(40) } as const;
  await assert.rejects(world.look({ hint: closed }), /still shows/);
  const sleep = world.clock.sleep.bind(world.clock);
  world.clock.sleep = async (milliseconds) => {
    world.host.change('fleet', '1', { state: 'closed' });
    await sleep(milliseconds);
  };
  assert.match(await world.look({ hint: closed }), /the pull request was closed/);
});
