import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { status } from '../../../cli/status.ts';
import { keys } from '../../../core/contract/keys.ts';
import { loadDesired } from '../../../core/desired-state.ts';
import { updateDocument } from '../../../core/documents.ts';
import { desiredPointerSchema } from '../../../core/model/desired.ts';
import { pinned } from '../../../core/model/pin.ts';
import { Blocked } from '../../../core/errors.ts';
import { decodeSnapshot } from '../../../core/snapshot.ts';
import { configMap } from '../produce/world.ts';
import { EnvironmentWorld, environmentConfig, runningWorld, shop } from './environment-world.ts';

describe('a pull request', () => {
  test('runs in a namespace of its own, beside the application, and tells where', async () => {
    const world = new EnvironmentWorld();
    const wish = 'clusters: {names: [dev]}, url: "https://pr-${PR_NUMBER}.example.com/${PR_BRANCH}"';
    world.git.push('a', shop('1', wish));
    const id = world.open('b', shop('2', wish), { branch: 'feature/x' });
    assert.equal(await world.look(), '1 changed (shop-pr-1 on dev)');
    assert.deepEqual(
      (await world.runAll()).map(({ outcome }) => outcome?.kind),
      ['applied'],
    );
    assert.deepEqual(world.cluster.effects, [
      'apply v1/namespaces//shop-pr-1',
      'apply v1/configmaps/shop-pr-1/shop',
    ]);
    const pointer = await world.environment('shop-pr-1');
    assert.equal(pointer?.commit.ref, 'refs/heads/feature/x');
    assert.equal(pointer.commit.sha, 'b'.repeat(40));
    assert.deepEqual(pointer.settings.environment, {
      application: 'shop',
      pull: id,
      url: 'https://git.example/fleet/pulls/1',
      namespace: 'shop-pr-1',
      clusterKinds: [],
    });
    assert.equal(
      world.comment(id),
      [
        '<!-- trueup: environments -->',
        '### Preview environments',
        '',
        '- **shop-pr-1** on `dev` at <https://pr-1.example.com/feature%2Fx>, commit `bbbbbbb`; kept until 2026-11-26T12:00:00.000Z, and for as long again with each commit',
        '',
      ].join('\n'),
    );
    const asked = world.host.calls.length;
    assert.equal(await world.look(), 'no environment changed');
    assert.deepEqual(
      world.host.calls.slice(asked),
      ['openPullRequests fleet'],
      'one question when nothing changed',
    );
    assert.deepEqual(world.queues.runs, []);
  });

  test('is followed commit by commit, and only the one that changed is rendered', async () => {
    const world = await runningWorld();
    world.open('c', shop('3'));
    await world.look();
    await world.runAll();
    const sha = world.commit('d', shop('4'));
    world.host.change('fleet', '2', { head: { branch: 'feature-c', sha, isFork: false } });
    const before = world.git.worktrees.length;
    assert.equal(await world.look(), '1 changed (shop-pr-2 on dev)');
    assert.deepEqual(
      world.git.worktrees.slice(before).map(({ commit }) => commit.sha[0]),
      ['a', 'd'],
    );
    assert.ok(world.git.worktrees.every(({ isDisposed }) => isDisposed));
    await world.runAll();
    assert.equal((await world.environment('shop-pr-2'))?.revision, 2);
    assert.equal((await world.environment('shop-pr-1'))?.revision, 1);
  });

  test('with its pull request, though nobody can read its Application', async () => {
    const world = await runningWorld();
    world.git.push('c', { ...shop(), 'applications/shop.yaml': 'a: b: c' });
    world.host.change('fleet', '1', { state: 'closed' });
    await world.look();
    assert.equal((await world.environment('shop-pr-1'))?.state, 'gone');
  });

  for (const state of ['closed', 'merged'] as const) {
    test(`that was ${state} leaves nothing: objects, then the namespace, then its records`, async () => {
      const world = await runningWorld();
      world.host.change('fleet', '1', { state });
      assert.match(await world.look(), new RegExp(`shop-pr-1: the pull request was ${state}`));
      await world.runAll();
      assert.deepEqual(await world.inventoryOf('shop-pr-1'), ['/Namespace//shop-pr-1']);
      await world.runPending('shop-pr-1');
      assert.deepEqual(await world.inventoryOf('shop-pr-1'), []);
      assert.deepEqual(world.cluster.effects.slice(2), [
        'delete v1/configmaps/shop-pr-1/shop',
        'delete v1/namespaces//shop-pr-1',
      ]);
      assert.equal(await world.look(), '1 removed (shop-pr-1)');
      assert.deepEqual((await world.record())?.environments, {});
      assert.match(world.comment('1'), /\*\*shop-pr-1\*\*: removed, since the pull request was/);
      assert.equal(await world.look(), 'no environment changed');
    });
  }

  test('that is opened again within the grace finds its namespace as it was', async () => {
    const world = await runningWorld();
    world.host.change('fleet', '1', { state: 'closed' });
    await world.look();
    await world.runAll();
    world.host.change('fleet', '1', { state: 'open' });
    assert.equal(await world.look(), '1 changed (shop-pr-1 on dev)');
    await world.runAll();
    world.clock.advance(3600_000);
    await world.runPending('shop-pr-1');
    assert.ok(!world.cluster.effects.includes('delete v1/namespaces//shop-pr-1'));
    assert.equal((await world.inventoryOf('shop-pr-1')).length, 2);
  });

  test('whose number comes again, of another branch, gets an environment like any other', async () => {
    const world = await runningWorld();
    world.host.change('fleet', '1', { state: 'merged' });
    await world.look();
    await world.runAll();
    const head = { branch: 'new', sha: world.commit('e', shop('9')), isFork: false };
    world.host.change('fleet', '1', { state: 'open', head });
    await world.look();
    await world.runAll();
    const pointer = await world.environment('shop-pr-1');
    assert.equal(pointer?.state, 'present');
    assert.equal(pointer.commit.sha, head.sha);
    world.host.change('fleet', '1', { head: { ...head, isFork: true } });
    assert.match(await world.look(), /shop-pr-1: the pull request comes from a fork/);
  });

  test('that is retargeted goes, and comes back with its branch', async () => {
    const world = await runningWorld();
    world.host.change('fleet', '1', { base: { branch: 'release' } });
    assert.match(await world.look(), /the pull request is for release now, and not for main/);
    assert.equal((await world.environment('shop-pr-1'))?.state, 'gone');
    world.host.change('fleet', '1', { base: { branch: 'main' } });
    await world.look();
    assert.equal((await world.environment('shop-pr-1'))?.state, 'present');
  });

  test('needs the label that the Application asks for', async () => {
    const world = new EnvironmentWorld();
    world.git.push('a', shop('1', 'label: preview, clusters: {names: [dev]}'));
    world.open('b', shop('2'));
    assert.equal(await world.look(), 'no environment changed');
    world.host.change('fleet', '1', { labels: ['preview'] });
    assert.equal(await world.look(), '1 changed (shop-pr-1 on dev)');
    await world.runAll();
    world.host.change('fleet', '1', { labels: [] });
    assert.match(await world.look(), /has no label preview/);
  });

  test('whose time is over goes, stays away, and comes back with its next commit', async () => {
    const world = await runningWorld();
    world.clock.advance(73 * 3600_000);
    assert.match(
      await world.look(),
      /its time was over at 2026-11-26T12:00:00.000Z; the next commit brings it back/,
    );
    await world.runAll();
    await world.runPending('shop-pr-1');
    await world.look();
    assert.equal((await world.record())?.environments['shop-pr-1']?.state, 'ended');
    assert.match(await world.look(), /no environment changed|not made/);
    assert.equal((await world.environment('shop-pr-1'))?.state, 'gone');
    const sha = world.commit('f', shop('7'));
    world.host.change('fleet', '1', { head: { branch: 'feature-b', sha, isFork: false } });
    assert.equal(await world.look(), '1 changed (shop-pr-1 on dev)');
  });

  test('is not run beyond what the application and the repository allow, and is told so', async () => {
    const world = new EnvironmentWorld();
    world.git.push('a', shop('1', 'max: 1, clusters: {names: [dev]}'));
    world.open('b', shop('2'));
    world.open('c', shop('3'));
    await world.look();
    assert.equal((await world.environment('shop-pr-1'))?.state, 'present');
    assert.equal(await world.environment('shop-pr-2'), undefined);
    assert.match(world.comment('2'), /\*\*shop\*\*: none, since the application has 1 already; it waits/);
    world.host.change('fleet', '1', { state: 'closed' });
    await world.look();
    assert.equal((await world.environment('shop-pr-2'))?.state, 'present');
  });

  test('is not made in the place of one whose Application cannot be read now', async () => {
    const world = new EnvironmentWorld();
    const [repository] = world.config.repositories;
    assert.ok(repository);
    const environments = { clusters: ['dev*'], max: 1 };
    world.config = { ...world.config, repositories: [{ ...repository, environments }] };
    world.git.push('a', shop('1'));
    world.open('b', shop('2'));
    await world.look();
    const broken = shop()['applications/shop.yaml'].replace('namespace: shop', 'namespace: [shop]');
    const cart = shop()['applications/shop.yaml'].replaceAll('shop', 'cart');
    const both = { 'applications/cart.yaml': cart, 'apps/cart/a.yaml': configMap('cart', '1') };
    world.git.push('c', { ...shop('1'), 'applications/shop.yaml': broken, ...both });
    await world.look();
    assert.equal(await world.environment('cart-pr-1'), undefined);
    assert.match(world.comment('1'), /\*\*cart\*\*: none, since the repository has 1 already/);
    // Read again, it is still the one that stands.
    world.git.push('d', { ...shop('1'), ...both });
    await world.look();
    assert.equal((await world.environment('shop-pr-1'))?.state, 'present');
    assert.equal(await world.environment('cart-pr-1'), undefined);
  });
});

describe('an environment goes', () => {
  for (const [what, files] of Object.entries({
    'when its Application asks for none any more': {
      ...shop(),
      'applications/shop.yaml': shop()['applications/shop.yaml'].replace(/ {2}previewEnvironments.*\n/, ''),
    },
    'when its Application is gone from the tracked branch': {
      'applications/keep.txt': '',
      'apps/shop/a.yaml': '',
    },
  })) {
    test(what, async () => {
      const world = await runningWorld();
      world.git.push('c', files);
      assert.match(
        await world.look(),
        /being removed \(shop-pr-1: the application shop asks for none any more\)/,
      );
      assert.equal((await world.environment('shop-pr-1'))?.state, 'gone');
    });
  }

  test('when the installation runs none for the repository any more, without a question to the host', async () => {
    const world = await runningWorld();
    const repositories = [{ name: 'fleet', url: 'https://git.example/fleet.git' }];
    world.config = { ...environmentConfig, repositories };
    world.host.calls.length = 0;
    assert.match(await world.look(), /the installation runs none for this repository any more/);
    assert.equal((await world.environment('shop-pr-1'))?.state, 'gone');
    await world.runAll();
    await world.runPending('shop-pr-1');
    await world.look();
    assert.deepEqual((await world.record())?.environments, {});
    assert.deepEqual(world.host.calls, []);
    assert.equal(await world.look(), 'no preview environments');
  });

  test('from a cluster that the installation does not allow any more', async () => {
    const world = await runningWorld();
    const [repository] = environmentConfig.repositories;
    assert.ok(repository);
    const environments = { clusters: ['test-*'] };
    world.config = { ...environmentConfig, repositories: [{ ...repository, environments }] };
    assert.match(await world.look(), /the installation allows no cluster for it any more/);
    assert.equal((await world.environment('shop-pr-1'))?.state, 'gone');
  });
});

describe('what a pull request changes', () => {
  test('of its own source counts, and its variables are its own', async () => {
    const world = new EnvironmentWorld();
    const substitute = 'substitute: {variables: {HOST: shop.example.com}}';
    const wish = 'clusters: {names: [dev]}, variables: {HOST: "pr-${PR_NUMBER}.dev.example.com"}';
    const map = configMap('shop', '${HOST} ${PR_SHA:-none} ${COLOUR:-red}');
    const base = { source: `{path: apps/shop, ${substitute}}` };
    const head = { source: `{path: apps/shop, substitute: {variables: {HOST: x, COLOUR: blue}}}` };
    world.git.push('a', { ...shop('1', wish, base), 'apps/shop/a.yaml': map });
    world.open('b', { ...shop('1', wish, head), 'apps/shop/a.yaml': map });
    await world.look();
    assert.deepEqual(await dataOf(world), { value: `pr-1.dev.example.com ${'b'.repeat(40)} blue` });
  });

  test('of its name is text, dollars and all', async () => {
    const world = new EnvironmentWorld();
    const wish = 'clusters: {names: [dev]}, url: "https://x.example.com/${PR_BRANCH}"';
    const map = configMap('shop', '${PR_BRANCH}');
    const base = { source: '{path: apps/shop, substitute: {}}' };
    world.git.push('a', shop('1', wish, base));
    world.open('b', { ...shop('1', wish, base), 'apps/shop/a.yaml': map }, { branch: '$&`@org)(${PR_SHA}' });
    assert.match(await world.look(), /a branch whose name is none that Git takes|1 changed/);
    world.host.change('fleet', '1', { head: { branch: 'a$&`<b>', sha: 'b'.repeat(40), isFork: false } });
    await world.look();
    assert.deepEqual(await dataOf(world), { value: 'a$&`<b>' });
    assert.ok(world.comment('1').includes('<https://x.example.com/a%24%26%60%3Cb%3E>'), world.comment('1'));
  });

  test('of where it goes, as whom and what else it reads does not count, or is refused', async () => {
    const world = new EnvironmentWorld();
    const repositories = [
      ...environmentConfig.repositories,
      { name: 'secret', url: 'https://git.example/secret.git' },
    ];
    world.config = { ...environmentConfig, repositories };
    world.git.push('a', shop('1', undefined, { impersonate: '{serviceAccount: deployer}', adopt: 'true' }));
    const wish = 'clusters: {names: [prod]}, name: "kube-system${PR_NUMBER}"';
    world.open('b', shop('2', wish, { namespace: 'kube-system', impersonate: '{groups: [system:masters]}' }));
    world.open('c', shop('2', undefined, { source: '{path: apps/shop, repository: secret}' }));
    assert.match(await world.look(), /changes which repositories it reads; that counts once it is merged/);
    const settings = (await world.environment('shop-pr-1'))?.settings;
    assert.deepEqual(settings?.impersonate, { user: 'system:serviceaccount:shop:deployer', groups: [] });
    assert.equal(settings.adopt, false);
    assert.equal(settings.onDelete, 'prune');
    assert.equal(await world.environment('shop-pr-2'), undefined);
    assert.deepEqual(Object.keys((await world.record())?.environments ?? {}), ['shop-pr-1', 'shop-pr-2']);
  });
});

test('projects bound an environment as they bound the application', async () => {
  const world = new EnvironmentWorld();
  const project = { name: 'default', repositories: ['*'], clusters: ['*'], namespaces: ['shop'] };
  world.config = { ...environmentConfig, projects: [project] };
  world.git.push('a', shop());
  world.open('b', shop('2'));
  assert.match(await world.look(), /project default does not allow namespace shop-pr-1/);
  world.config = { ...environmentConfig, projects: [{ ...project, namespaces: ['shop', 'shop-pr-*'] }] };
  assert.match(await world.look(), /project default does not allow cluster-scoped kind Namespace/);
  const allowed = { ...project, namespaces: ['shop', 'shop-pr-*'], clusterKinds: ['Namespace'] };
  world.config = { ...environmentConfig, projects: [allowed] };
  assert.equal(await world.look(), '1 changed (shop-pr-1 on dev)');
});

test('a host that takes no comment keeps no environment from being made', async () => {
  const world = new EnvironmentWorld();
  world.git.push('a', shop());
  world.open('b', shop('2'));
  const comment = world.host.comment.bind(world.host);
  world.host.comment = () => Promise.reject(new Blocked({ subject: 'token', message: 'may not comment' }));
  assert.match(
    await world.look(),
    /^1 changed \(shop-pr-1 on dev\); a pull request was not told: token: may not/,
  );
  world.host.comment = comment;
  await world.look();
  assert.match(world.comment('1'), /shop-pr-1/);
});

test('a person may pin one: what they hold stays through its commits and its end, until the pin is lifted', async () => {
  const world = await runningWorld();
  const target = { cluster: 'dev', application: 'shop-pr-1' };
  const until = '2026-11-23T13:00:00.000Z';
  const pin = { by: 'ada', reason: 'look', at: '2026-11-23T12:00:00.000Z', until };
  await updateDocument(world.store, keys.desired(target), desiredPointerSchema, (pointer) =>
    pointer === undefined ? undefined : pinned(pointer, pointer, pin),
  );
  world.host.change('fleet', '1', { state: 'closed' });
  await world.look();
  assert.equal((await world.environment('shop-pr-1'))?.state, 'present');
  world.clock.advance(2 * 3600_000);
  await world.look();
  assert.equal((await world.environment('shop-pr-1'))?.state, 'gone');
});

test('trueup status shows whose it is', async () => {
  const world = await runningWorld();
  const { data, text } = await status(world, {});
  assert.match(text, /^dev {2,}shop-pr-1 {2,}bbbbbbb/m);
  assert.match(text, /shop-pr-1: preview environment of shop for https:\/\/git.example\/fleet\/pulls\/1$/m);
  assert.match(JSON.stringify(data), /"pullRequest":"https:\/\/git.example\/fleet\/pulls\/1"/);
});

test('a snapshot that was lost is made anew', async () => {
  const world = await runningWorld();
  const { snapshot } = (await world.environment('shop-pr-1')) ?? {};
  assert.ok(snapshot);
  await world.store.delete(keys.snapshot('shop-pr-1', snapshot), 'any');
  assert.equal(await world.look(), 'no environment changed');
  await world.look({ anew: ['shop-pr-1'] });
  assert.ok(await loadDesired(world, 'shop-pr-1', snapshot));
});

async function dataOf(world: EnvironmentWorld): Promise<unknown> {
  const pointer = await world.environment('shop-pr-1');
  assert.ok(pointer);
  const stored = await world.store.get(keys.snapshot('shop-pr-1', pointer.snapshot));
  const { objects } = decodeSnapshot(pointer.snapshot, stored?.text ?? '');
  return objects.find(({ kind }) => kind === 'ConfigMap')?.['data'];
}
