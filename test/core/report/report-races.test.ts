import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { keys } from '../../../core/contract/keys.ts';
import { Retry } from '../../../core/errors.ts';
import type { GitHost } from '../../../core/host-ports.ts';
import type { HealthStatus } from '../../../core/model/health.ts';
import type { Store } from '../../../core/ports.ts';
import type { ReportDeps, ReportMessage } from '../../../core/report-status.ts';
import { MemoryGitHost } from '../../memory-git-host.ts';
import { MemoryStore } from '../../fakes/memory-store.ts';
import { configMap, files } from '../produce/world.ts';
import { ReportWorld } from './report-world.ts';

/** Numbers from a seed, so that a failure can be run again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function pass(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await turnOfLoop();
}

/** The same store, each request of which takes some time. */
function slowStore(store: Store, below: (limit: number) => number): Store {
  return {
    get: async (key) => pass(below(3)).then(async () => store.get(key)),
    put: async (...put) => pass(below(3)).then(async () => store.put(...put)),
    delete: async (...removed) => store.delete(...removed),
    entries: async (prefix) => store.entries(prefix),
    list: (prefix, options) => store.list(prefix, options),
  };
}

/** Some calls fail before they are taken, some after: whoever called does not know which. */
function flakyHost(
  host: MemoryGitHost,
  below: (limit: number) => number,
): Pick<GitHost, 'status' | 'deployment'> {
  const maybeFail = (): void => {
    if (below(8) === 0)
      throw new Retry({ subject: 'repository fleet', message: 'the host dropped the call' });
  };
  return {
    async status(...told) {
      await pass(below(6));
      maybeFail();
      await host.status(...told);
      maybeFail();
    },
    async deployment(...told) {
      await pass(below(6));
      maybeFail();
      const outcome = await host.deployment(...told);
      maybeFail();
      return outcome;
    },
  };
}

const healths: readonly HealthStatus[] = ['Healthy', 'Progressing', 'Degraded'];

/** Commits and runs, each with its message, in an order that one seed gives. */
async function live(
  world: ReportWorld,
  below: (limit: number) => number,
  tell: (message: ReportMessage) => void,
) {
  const content = { web: '1', api: '1' };
  for (let step = 0; step < 14; step += 1) {
    const what = below(5);
    if (step === 0 || what === 0) {
      if (below(3) > 0) content.web = String(step);
      if (below(3) === 0) content.api = String(step);
      const digit = 'abcdef123456789'[step] ?? 'a';
      const pushed = { ...files(content.web, content.api), 'apps/api/b.yaml': configMap('b', '1') };
      for (const message of await world.commit(digit, pushed)) tell(message);
    } else {
      const name = below(2) === 0 ? 'web' : 'api';
      const outcome = below(4) === 0 ? 'failed' : 'applied';
      tell(
        await world.run(name, { outcome, health: healths[below(3)] ?? 'Healthy', message: `step ${step}` }),
      );
    }
    await pass(below(12));
  }
  // In the end all is well: nothing may stand there that says otherwise.
  for (const name of ['web', 'api']) tell(await world.run(name));
}

for (let seed = 1; seed <= 25; seed += 1) {
  test(`whatever the order, the host ends with what is: seed ${seed}`, async () => {
    const below = numbers(seed);
    const world = new ReportWorld({ deployments: true });
    const deps = { store: slowStore(world.store, below), host: flakyHost(world.host, below) };
    const handled: Promise<void>[] = [];
    const deliver = async (message: ReportMessage): Promise<void> => {
      await pass(below(20));
      // A queue gives a message again until it is taken; some it gives twice.
      for (let attempt = 0; attempt < 50; attempt += 1) {
        const isTaken = await world.tell([message], deps).then(
          () => true,
          (error: unknown) => {
            assert.ok(error instanceof Retry, String(error));
            return false;
          },
        );
        if (isTaken && below(6) > 0) return;
        await pass(below(20));
      }
    };
    await live(world, below, (message) => handled.push(deliver(message)));
    await Promise.all(handled);
    const head = (await world.state()).head.sha;

    // As if nobody had told the host anything yet.
    const fresh = new MemoryGitHost();
    const { store } = world;
    const untold = new MemoryStore();
    for (const key of (await store.entries('')).keys()) {
      if (key !== keys.report('fleet')) await untold.put(key, (await store.get(key))?.text ?? '', 'any');
    }
    await world.tell([{ version: 1, report: 'open' }], { host: fresh, store: untold });
    const statesOf = (host: MemoryGitHost) =>
      [...(host.statuses.get(`fleet@${head}`) ?? [])]
        .map(([name, { state }]) => `${name} ${state}`)
        .toSorted();
    assert.deepEqual(statesOf(world.host), statesOf(fresh));
    assert.deepEqual(statesOf(fresh), ['trueup/prod success', 'trueup/render success']);
    for (const [commit, statuses] of world.host.statuses) {
      for (const { context, state } of statuses.values())
        assert.notEqual(state, 'pending', `${context} of ${commit} is pending for ever`);
    }
    for (const { sha, state } of world.host.deployments)
      assert.ok(
        state !== 'pending' && state !== 'in_progress',
        `the deployment of ${sha} is ${state} for ever`,
      );
  });
}

/** A host that takes a status and never answers. */
function silent(host: MemoryGitHost): Pick<GitHost, 'status' | 'deployment'> {
  return {
    status: async (...told) => {
      await host.status(...told);
      await new Promise(() => undefined);
    },
    deployment: async () => 'unsupported',
  };
}

test('whoever dies while it talks to the host keeps the turn for no longer than it could have lived', async () => {
  const world = new ReportWorld();
  const commit = await world.commit('a', files('1'));
  void world.tell(commit, { host: silent(world.host) });
  await pass(50);
  assert.equal(await world.tell([await world.run('web')]), 0, 'a note is left for it');
  assert.equal(world.at('a').length, 1);
  world.clock.advance(150_000);
  await world.tell([await world.run('api')]);
  assert.equal(world.at('a')[0], 'prod success: 2 applications healthy');
});

test('what was told by whoever died is taken back, though nobody wrote down that it was told', async () => {
  const world = new ReportWorld({ context: 'x', perCluster: false });
  await world.tell(await world.commit('a', files('1')));
  await world.tell([await world.run('web'), await world.run('api')]);
  const commit = await world.commit('b', files('2'));
  void world.tell(commit, { host: silent(world.host) });
  await pass(50);
  assert.equal(world.host.calls.at(-1), `status fleet@${'b'.repeat(40)} x/render success`);
  world.clock.advance(150_000);
  await world.tell(await world.commit('c', files('3')));
  assert.match(world.host.calls.join('\n'), /status fleet@b+ x\/clusters overtaken/);
});

/** Everything that a function does outside, until it is killed before or after its n-th effect. */
function mortal(world: ReportWorld, kill: number): Partial<ReportDeps> {
  let effects = 0;
  const effect = async <T>(act: () => Promise<T>): Promise<T> => {
    effects += 1;
    if (effects * 2 - 1 >= kill) await new Promise(() => undefined);
    const result = await act();
    if (effects * 2 >= kill) await new Promise(() => undefined);
    return result;
  };
  const { store, host } = world;
  return {
    store: {
      get: async (key) => store.get(key),
      put: async (...put) => effect(async () => store.put(...put)),
      delete: async (...removed) => store.delete(...removed),
      entries: async (prefix) => store.entries(prefix),
      list: (prefix, options) => store.list(prefix, options),
    },
    host: {
      status: async (...told) => effect(async () => host.status(...told)),
      deployment: async (...told) => effect(async () => host.deployment(...told)),
    },
  };
}

test('killed before or after any effect, its message ends with what is', async () => {
  for (let kill = 1; kill <= 20; kill += 1) {
    const world = new ReportWorld({ deployments: true });
    await world.tell(await world.commit('a', files('1')));
    const message = [await world.run('web'), ...(await world.commit('b', files('1', '2')))];
    void world.tell(message, mortal(world, kill));
    await pass(60);
    const more = await world.run('api');
    await world.tell([more]);
    world.clock.advance(180_000);
    await world.tell(message);
    assert.deepEqual(
      [world.at('a')[0], world.at('b')[0], world.environments.toSorted()],
      [
        'prod overtaken: superseded by bbbbbbb before it was healthy',
        'prod success: 2 applications healthy',
        [
          'prod a inactive: superseded by bbbbbbb before it was healthy',
          'prod b success: 1 application healthy',
        ],
      ],
      `killed at ${kill}`,
    );
  }
});

test('while one tells the host of what was, nobody tells it of what is; it is told last', async () => {
  const world = new ReportWorld();
  const commit = await world.commit('a', files('1'));
  const gate = Promise.withResolvers<undefined>();
  const host: Pick<GitHost, 'status' | 'deployment'> = {
    status: async (...told) => gate.promise.then(async () => world.host.status(...told)),
    deployment: async () => 'unsupported',
  };
  const first = world.tell(commit, { host });
  await pass(50);
  assert.equal(await world.tell([await world.run('web'), await world.run('api')]), 0);
  gate.resolve(undefined);
  await first;
  assert.deepEqual(
    world.host.calls.map((call) => call.replace(/^status \S+ trueup\//, '')),
    ['render success', 'prod pending', 'prod success'],
  );
});

/** Does something once, before a key is read. */
function before(store: Store, key: string, act: () => Promise<unknown>): Store {
  let isDone = false;
  return {
    get: async (asked) => {
      if (asked === key && !isDone) {
        isDone = true;
        await act();
      }
      return store.get(asked);
    },
    put: async (...put) => store.put(...put),
    delete: async (...removed) => store.delete(...removed),
    entries: async (prefix) => store.entries(prefix),
    list: (prefix, options) => store.list(prefix, options),
  };
}

test('a commit that comes while the records are read does not lend its health to the one before', async () => {
  const world = new ReportWorld();
  const commit = await world.commit('a', files('1'));
  const web = { cluster: 'prod', application: 'web' };
  const store = before(world.store, keys.desired(web), async () => {
    await world.commit('b', files('2'));
    await world.run('web');
    await world.run('api');
  });
  await world.tell(commit, { store });
  assert.deepEqual(world.at('a'), []);
  assert.equal(world.at('b')[0], 'prod success: 2 applications healthy');
});

test('a run tells of what it did a moment before it writes it down', async () => {
  const world = new ReportWorld();
  const early = new ReportWorld();
  for (const each of [world, early]) await each.tell(await each.commit('a', files('1')));
  const told = [await early.run('web'), await early.run('api')];
  const clock = {
    now: () => world.clock.now(),
    sleep: async () => {
      for (const name of ['web', 'api']) await world.run(name);
    },
  };
  await world.tell(told, { clock });
  assert.equal(world.at('a')[0], 'prod success: 2 applications healthy');
});

test('a commit that is about to move pointers is not told of before it has', async () => {
  const world = new ReportWorld();
  await world.tell(await world.commit('a', files('1')));
  await world.tell([await world.run('web'), await world.run('api')]);
  const state = await world.state();
  const moving = { sha: 'b'.repeat(40), at: state.head.at, targets: ['prod/web'] };
  const key = keys.repository('fleet', 'refs/heads/main');
  await world.store.put(key, JSON.stringify({ ...state, seq: state.seq + 1, moving }), 'any');
  assert.equal(await world.tell([await world.run('web', { health: 'Degraded' })]), 0);
  assert.equal(world.at('a')[0], 'prod success: 2 applications healthy');
});
