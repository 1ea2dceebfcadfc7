import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { Blocked, Retry } from '../../../core/errors.ts';
import { writeDocument } from '../../../core/documents.ts';
import { application } from '../produce/world.ts';
import { EnvironmentWorld, environmentConfig, runningWorld, shop } from './environment-world.ts';

/** What must never take a preview environment away, or anything else in its place. */

async function stands(world: EnvironmentWorld, name = 'shop-pr-1'): Promise<void> {
  assert.equal((await world.environment(name))?.state, 'present', `${name} is a tombstone`);
  const runs = await world.runAll();
  assert.deepEqual(
    runs.flatMap(({ outcome }) => outcome?.objects ?? []).filter(({ outcome }) => outcome === 'pruned'),
    [],
  );
}

describe('an environment stays', () => {
  for (const fault of [
    new Retry({ subject: 'host', message: 'is busy' }),
    new Blocked({ subject: 'host', message: 'the token was revoked' }),
  ]) {
    test(`while the host answers ${fault.name}, with its time over too`, async () => {
      const world = await runningWorld();
      world.clock.advance(100 * 3600_000);
      world.host.fault = fault;
      assert.match(await world.look({ isLast: true }), /^not followed: .*environments stay as they are/);
      world.host.fault = undefined;
      await stands(world);
    });
  }

  test('while a busy host is asked again', async () => {
    const world = await runningWorld();
    world.host.fault = new Retry({ subject: 'host', message: 'is busy' });
    await assert.rejects(world.look(), /is busy/);
    world.host.fault = undefined;
    await stands(world);
  });

  test('when the host knows of no such pull request, until its time is over', async () => {
    const world = await runningWorld();
    world.host.pullRequest = async () => undefined;
    world.host.openPullRequests = async () => [];
    await world.look();
    await stands(world);
    world.clock.advance(73 * 3600_000);
    assert.match(await world.look(), /shop-pr-1: its time was over/);
  });

  test('when its pull request is not in the list of those that are open, which may be cut', async () => {
    const world = await runningWorld();
    world.host.openPullRequests = async () => [];
    await world.look();
    await stands(world);
  });

  const { 'applications/shop.yaml': _gone, ...withoutShop } = shop();
  const broken = { ...shop(), 'applications/shop.yaml': 'a: b: c' };
  const misspelt = { ...shop(), 'applications/shop.yaml': application('shop', { clustrs: '{}' }) };
  const other = { ...withoutShop, 'applications/other.yaml': 'kind: [' };
  const unreadable: Readonly<Record<string, Record<string, string>>> = {
    'whose Application is no YAML': broken,
    'whose Application does not fit its schema': misspelt,
    'in which some file cannot be read, and the Application is not there': other,
    'without a folder for Applications': { 'README.md': 'x' },
  };
  for (const [what, files] of Object.entries(unreadable)) {
    test(`at a commit of the tracked branch ${what}`, async () => {
      const world = await runningWorld();
      world.git.push('c', files);
      await world.look();
      await stands(world);
    });
  }

  test('when the tracked branch is not there', async () => {
    const world = await runningWorld();
    world.git.current = undefined;
    assert.match(await world.look(), /nothing was changed, and nothing is taken for deleted/);
    await stands(world);
  });

  test('when its repository leaves the stack configuration', async () => {
    const world = await runningWorld();
    const [first] = environmentConfig.repositories;
    assert.ok(first);
    world.config = { ...environmentConfig, repositories: [{ ...first, name: 'other' }] };
    assert.match(await world.look(), /is not in the stack configuration/);
    await stands(world);
  });

  test('when its pull request cannot be rendered any more, with a note of that', async () => {
    const world = await runningWorld();
    const sha = world.commit('c', { ...shop('3'), 'apps/shop/a.yaml': 'a: b: c' });
    world.host.change('fleet', '1', { head: { branch: 'feature-b', sha, isFork: false } });
    assert.match(await world.look(), /1 failed \(shop-pr-1/);
    const pointer = await world.environment('shop-pr-1');
    assert.equal(pointer?.failed?.sha, sha);
    assert.equal(pointer?.commit.sha, 'b'.repeat(40));
    assert.match(world.comment('1'), /cannot be run, and nothing was changed:\n {2}- `apps\/shop\/a.yaml/);
    await stands(world);
  });

  test('when a push of its tracked branch is followed, which knows nothing of it', async () => {
    const world = await runningWorld();
    await world.push('d', shop('5'), { config: world.config });
    await world.push('e', { ...withoutShop, 'applications/keep.txt': '' }, { config: world.config });
    assert.equal((await world.pointer('shop')).state, 'gone');
    await stands(world);
  });

  test('on a cluster that is only not known yet', async () => {
    const world = await runningWorld();
    const discovery = [{ tags: { a: 'b' } }];
    const [, prod] = environmentConfig.clusters ?? [];
    assert.ok(prod);
    Object.assign(world, { config: { ...environmentConfig, clusters: [prod], discovery } });
    world.git.push('d', shop('1', 'clusters: {selector: {matchLabels: {tier: dev}}}'));
    await world.look();
    await stands(world);
  });
});

test('nor from a cluster of two that is only not known yet; from one that is known to be left it goes', async () => {
  const world = new EnvironmentWorld();
  const access = { type: 'eks', name: 'x' } as const;
  const [dev, two] = ['dev', 'dev-2'].map((name) => ({ name, access, labels: { tier: 'dev' } }));
  assert.ok(dev && two);
  world.config = { ...environmentConfig, clusters: [dev, two] };
  const wish = 'clusters: {selector: {matchLabels: {tier: dev}}}';
  const files = (value: string) => shop(value, wish, { clusters: '{names: [dev-2]}' });
  world.git.push('a', files('1'));
  world.open('b', files('2'));
  await world.look();
  await stands(world);
  world.config = { ...environmentConfig, clusters: [two], discovery: [{ tags: { a: 'b' } }] };
  await world.look();
  await stands(world);
  world.config = { ...environmentConfig, clusters: [two] };
  await world.look();
  assert.equal((await world.environment('shop-pr-1'))?.state, 'gone');
  assert.equal((await world.pointer('shop-pr-1', 'dev-2')).state, 'present');
});

describe('what is not an environment of the application is left alone', () => {
  test('an application of that name, present or gone', async () => {
    for (const files of [{}, { 'applications/shop-pr-1.yaml': '' }]) {
      const world = new EnvironmentWorld();
      const named = {
        'applications/shop-pr-1.yaml': application('shop-pr-1', {
          clusters: '{names: [dev]}',
          source: '{path: apps/shop}',
        }),
      };
      await world.push('a', { ...shop(), ...named }, { config: world.config });
      await world.push(
        'c',
        { ...shop(), ...(Object.keys(files).length === 0 ? named : {}) },
        { config: world.config },
      );
      const before = await world.environment('shop-pr-1');
      world.open('b', shop('2'));
      assert.match(
        await world.look(),
        /failed \(shop-pr-1: shop-pr-1 on cluster dev is the name of an application/,
      );
      assert.deepEqual(await world.environment('shop-pr-1'), before);
      world.host.change('fleet', '1', { state: 'closed' });
      await world.look();
      assert.deepEqual(await world.environment('shop-pr-1'), before, 'nor is it ended');
      assert.deepEqual((await world.record())?.environments, {});
    }
  });

  test('an Application that takes the name of an environment is refused, and the environment stays', async () => {
    const world = await runningWorld();
    const rival = application('shop-pr-1', { clusters: '{names: [dev]}', source: '{path: apps/shop}' });
    const outcome = await world.push(
      'c',
      { ...shop(), 'applications/shop-pr-1.yaml': rival },
      { config: world.config },
    );
    assert.match(
      outcome,
      /has the name of the preview environment of pull request 1 of the application shop/,
    );
    await stands(world);
  });

  test('an environment of another application of that name', async () => {
    const world = await runningWorld();
    const twin = {
      ...shop('1', "name: 'shop-pr-${PR_NUMBER}', clusters: {names: [dev]}"),
      'applications/api.yaml': application('api', {
        source: '{path: apps/shop}',
        previewEnvironments: "{name: 'shop-pr-${PR_NUMBER}', clusters: {names: [dev]}}",
      }),
    };
    world.git.push('c', twin);
    assert.match(await world.look(), /"shop-pr-1" is the name of one of shop/);
    assert.equal((await world.environment('shop-pr-1'))?.settings.environment?.application, 'shop');
    // The holder goes, and goes whole: the other one takes nothing over.
    world.git.push('d', {
      ...twin,
      'applications/shop.yaml': application('shop', { source: '{path: apps/shop}' }),
    });
    await world.look();
    const after = await world.environment('shop-pr-1');
    assert.equal(after?.settings.environment?.application, 'shop');
    assert.equal(after.state, 'gone');
  });
});

test('a fork is never run, whatever it carries', async () => {
  const world = new EnvironmentWorld();
  world.git.push('a', shop());
  world.open('b', shop('2'), { isFork: true, labels: ['preview'] });
  assert.equal(await world.look(), 'no environment changed');
  assert.equal(await world.environment('shop-pr-1'), undefined);
  assert.deepEqual(
    world.git.worktrees.map(({ commit }) => commit.sha[0]),
    ['a'],
    'its commit is not fetched',
  );
  assert.equal(world.comment('1'), '');
});

test('records that are damaged end nothing', async () => {
  const world = await runningWorld();
  const key = keys.environments('fleet');
  await writeDocument(world.store, key, { version: 7 }, 'any');
  world.host.change('fleet', '1', { state: 'closed' });
  assert.match(await world.look(), /was written by another version of trueup or by hand/);
  assert.equal((await world.environment('shop-pr-1'))?.state, 'present');
});
