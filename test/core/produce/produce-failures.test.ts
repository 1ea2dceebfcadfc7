import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StackConfigInput } from '../../../core/contract/config.ts';
import { produce } from '../../../core/produce.ts';
import { ProduceWorld, application, configMap, files } from './world.ts';

const broken = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n   labels: {}\n';

test('a broken application stays at its last good snapshot, and the others of the commit go on', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1', '1'));
  const before = await world.pointer('web');
  world.takeRuns();
  world.takeEvents();
  const outcome = await world.push('b', { ...files('2', '2'), 'apps/web/a.yaml': broken });
  assert.equal(
    outcome,
    'commit bbbbbbb: 1 changed (api on prod), 1 failed (web); ' +
      'apps/web/a.yaml:5: cannot be read as YAML: bad indentation of a mapping entry',
  );
  assert.deepEqual(world.takeRuns(), ['api on prod']);
  const after = await world.pointer('web');
  assert.deepEqual(
    [after.snapshot, after.revision, after.commit],
    [before.snapshot, before.revision, before.commit],
  );
  assert.equal(after.failed?.sha, 'b'.repeat(40));
  assert.equal(after.examined.sha, 'b'.repeat(40));
  assert.equal(after.failed.faults[0]?.subject, 'apps/web/a.yaml:5');
  const failed = world.bus.events.find((event) => event.type === 'SnapshotFailed');
  assert.deepEqual(failed?.detail.applications, ['web']);
  assert.deepEqual(
    failed.detail.faults.map(({ subject }) => subject),
    ['apps/web/a.yaml:5'],
  );
});

test('the ledger says of a push whether all of it could be followed, anew each time', async () => {
  const world = new ProduceWorld();
  const said = async (push: Awaited<ReturnType<ProduceWorld['pushed']>>) => {
    await produce(push, 1, world.deps());
    const { outcome = '', failed } = await world.delivery(push.deliveryId);
    return [outcome.slice(0, 14), failed];
  };
  const bad = await world.pushed(world.git.push('a', { ...files('1'), 'apps/web/a.yaml': broken }));
  assert.deepEqual(await said(bad), ['commit aaaaaaa', true]);
  const good = await world.pushed(world.git.push('b', files('1')), 'a'.repeat(40));
  assert.deepEqual(await said(good), ['commit bbbbbbb', undefined]);
  // The first delivery again: by now its branch is at a commit that can be followed.
  assert.deepEqual(await said(bad), ['commit bbbbbbb', undefined]);
  const astray = await world.pushed(world.git.push('c', { 'apps/web/application.yaml': 'a: [' }));
  assert.equal((await said(astray))[1], true);
});

test('a commit that fails is told once, however often it is examined, and its recovery too', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  world.takeEvents();
  const event = await world.pushed(
    world.git.push('b', { ...files('2'), 'apps/web/a.yaml': broken }),
    'a'.repeat(40),
  );
  await produce(event, 1, world.deps());
  await produce(event, 1, world.deps());
  assert.deepEqual(world.takeEvents(), ['SnapshotFailed']);
  await world.push('c', files('1'));
  assert.deepEqual(world.takeEvents(), []);
  assert.equal((await world.pointer('web')).failed, undefined);
  assert.deepEqual(world.takeRuns(), ['api on prod', 'web on prod'], 'of the first commit only');
  const values = world.metrics.data.map(({ name, value }) => `${name} ${value}`);
  assert.deepEqual(values, ['FailedSnapshots 1', 'FailedSnapshots 1', 'FailedSnapshots 0']);
});

test('an application that was broken from its first commit on has no pointer', async () => {
  const world = new ProduceWorld();
  const outcome = await world.push('a', { ...files('1'), 'apps/web/a.yaml': broken });
  assert.match(outcome, /1 changed \(api on prod\), 1 failed \(web\)/);
  await assert.rejects(world.pointer('web'), /there is no desired/);
  assert.match(await world.push('b', files('1')), /1 changed \(web on prod\), 1 unchanged \(api\)/);
});

const { 'applications/web.yaml': _, 'apps/web/a.yaml': __, ...withoutWeb } = files('1');

test('an application that is gone from Git leaves a tombstone, once', async () => {
  const world = new ProduceWorld();
  await world.push('a', {
    ...files('1'),
    'applications/web.yaml': application('web', { onDelete: 'prune' }),
  });
  world.takeRuns();
  world.takeEvents();
  assert.equal(await world.push('b', withoutWeb), 'commit bbbbbbb: 1 gone (web on prod), 1 unchanged (api)');
  const gone = await world.pointer('web');
  assert.deepEqual([gone.state, gone.revision, gone.settings.onDelete], ['gone', 2, 'prune']);
  assert.deepEqual(world.takeRuns(), ['web on prod']);
  assert.deepEqual(world.takeEvents(), []);
  await world.push('c', withoutWeb);
  assert.deepEqual(await world.pointer('web'), gone);
  assert.deepEqual(world.takeRuns(), []);
  assert.match(await world.push('d', files('1')), /1 changed \(web on prod\)/);
  const back = await world.pointer('web');
  assert.deepEqual([back.state, back.revision, back.snapshot], ['present', 3, gone.snapshot]);
});

test('a cluster that is no longer chosen leaves a tombstone there alone', async () => {
  const world = new ProduceWorld();
  const on = (clusters: string) => ({
    ...files('1'),
    'applications/web.yaml': application('web', { clusters }),
  });
  await world.push('a', on('{names: [dev, prod]}'));
  world.takeRuns();
  assert.match(await world.push('b', on('{names: [prod]}')), /^commit bbbbbbb: 1 gone \(web on dev\)/);
  assert.deepEqual(world.takeRuns(), ['web on dev']);
  assert.equal((await world.pointer('web', 'dev')).state, 'gone');
  assert.equal((await world.pointer('web', 'prod')).state, 'present');
});

const held: { why: string; commit: Record<string, string>; says: RegExp }[] = [
  {
    why: 'its own file is broken',
    commit: { ...files('1'), 'applications/web.yaml': 'kind: [' },
    says: /1 failed \(web\); applications\/web\.yaml:\d+: cannot be read/,
  },
  {
    why: 'its own file is of another shape',
    commit: { ...files('1'), 'applications/web.yaml': application('web', { sink: 'auto' }) },
    says: /1 failed \(web\); applications\/web\.yaml:\d+: spec\.sink: there is no such field/,
  },
  {
    why: 'it is gone and any other file is broken',
    commit: { ...withoutWeb, 'applications/new.yaml': 'kind: [' },
    says: /1 failed \(web\); applications\/new\.yaml:\d+: cannot be read/,
  },
  {
    why: 'it names a cluster that is not configured',
    commit: {
      ...files('1'),
      'applications/web.yaml': application('web', { clusters: '{names: [prod, prdo]}' }),
    },
    says: /1 failed \(web\); .*cluster "prdo" is not in the stack configuration/,
  },
  {
    why: 'its folder is gone',
    commit: {
      'applications/web.yaml': application('web'),
      'applications/api.yaml': application('api'),
      'apps/api/a.yaml': configMap('api', '1'),
    },
    says: /1 failed \(web\); folder apps\/web: holds no files/,
  },
  {
    why: 'it is defined twice',
    commit: { ...files('1'), 'applications/also.yaml': application('web') },
    says: /1 failed \(web\); applications\/also\.yaml:1: application web is defined in applications\/web\.yaml:1 too/,
  },
  {
    why: 'the folder of applications is missing',
    commit: { 'apps/web/a.yaml': configMap('web', '1') },
    says: /2 failed \(api; web\); folder applications: there is no such folder/,
  },
];
for (const { why, commit, says } of held) {
  test(`an application is held as it was when ${why}`, async () => {
    const world = new ProduceWorld();
    await world.push('a', files('1'));
    const before = await world.pointer('web');
    world.takeRuns();
    assert.match(await world.push('b', commit), says);
    const { failed, seq, examined, ...rest } = await world.pointer('web');
    assert.deepEqual({ ...rest, seq: seq - 1, examined: before.examined }, before);
    assert.equal(failed?.sha, examined.sha);
    assert.deepEqual(world.takeRuns(), []);
    // And it is followed again, or gone, with the next good commit.
    assert.match(await world.push('c', files('2')), /1 changed \(web on prod\)/);
  });
}

test('a dropped cluster is held as well while another Application is broken, and goes with the next good commit', async () => {
  const world = new ProduceWorld();
  const web = (clusters: string) => ({ 'applications/web.yaml': application('web', { clusters }) });
  await world.push('a', { ...files('1'), ...web('{names: [dev, prod]}') });
  await world.push('b', { ...files('2'), ...web('{names: [prod]}'), 'applications/x.yaml': 'kind: [' });
  assert.equal((await world.pointer('web', 'dev')).state, 'present');
  assert.equal((await world.pointer('web', 'prod')).revision, 2, 'what is sure goes on');
  await world.push('c', { ...files('2'), ...web('{names: [prod]}') });
  assert.equal((await world.pointer('web', 'dev')).state, 'gone');
});

const twoRepositories: StackConfigInput = {
  repositories: [
    { name: 'fleet', url: 'https://git.example/fleet.git' },
    { name: 'team', url: 'https://git.example/team.git' },
  ],
  clusters: [{ name: 'prod', access: { type: 'eks', name: 'x' } }],
};

test('of two repositories that define one application the first keeps it', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'), { config: twoRepositories });
  const owned = await world.pointer('web');
  const event = await world.pushed(world.git.push('b', files('2', '2')), 'a'.repeat(40), 'team');
  const outcome = await produce(event, 1, world.deps(twoRepositories));
  assert.match(
    outcome,
    /2 failed \(api; web\); applications\/api\.yaml: application api on cluster prod belongs to repository fleet and is defined in repository team too; rename one/,
  );
  assert.deepEqual(await world.pointer('web'), owned);
  // What the other repository never owned, it cannot take away.
  const empty = await world.pushed(
    world.git.push('c', { 'applications/README.md': '' }),
    'b'.repeat(40),
    'team',
  );
  await produce(empty, 1, world.deps(twoRepositories));
  assert.deepEqual(await world.pointer('web'), owned);
});

test('an application moves to another repository once the first has let go, or has left the installation', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'), { config: twoRepositories });
  await world.push('b', withoutWeb, { config: twoRepositories });
  const event = await world.pushed(world.git.push('c', files('2')), 'b'.repeat(40), 'team');
  assert.match(
    await produce(event, 1, world.deps(twoRepositories)),
    /1 changed \(web on prod\), 1 failed \(api\)/,
  );
  assert.equal((await world.pointer('web')).repository, 'team');
  const alone = { ...twoRepositories, repositories: twoRepositories.repositories.slice(1) };
  assert.match(await produce(event, 1, world.deps(alone)), /1 changed \(api on prod\)/);
  assert.equal((await world.pointer('api')).repository, 'team');
});

test('the alarm returns when the last failing repository has recovered, not before', async () => {
  const world = new ProduceWorld();
  const team = (name: string) => ({
    [`applications/${name}.yaml`]: application(name),
    [`apps/${name}/a.yaml`]: configMap(name, '1'),
  });
  const follow = async (digit: string, content: Record<string, string>, repository: string) => {
    const event = await world.pushed(world.git.push(digit, content), '0'.repeat(40), repository);
    await produce(event, 1, world.deps(twoRepositories));
  };
  await follow('a', { ...team('one'), 'apps/one/a.yaml': broken }, 'fleet');
  await follow('b', { ...team('two'), 'apps/two/a.yaml': broken }, 'team');
  await follow('c', team('one'), 'fleet');
  await follow('d', team('two'), 'team');
  await follow('e', team('two'), 'team');
  assert.deepEqual(
    world.metrics.data.map(({ value }) => value),
    [1, 2, 1, 0],
  );
});

test('an application by the name of an inherited member fails alone', async () => {
  const world = new ProduceWorld();
  const name = 'constructor';
  const commit = { ...files('1'), [`applications/${name}.yaml`]: application(name) };
  const outcome = await world.push('a', { ...commit, [`apps/${name}/a.yaml`]: broken });
  assert.match(outcome, /2 changed \(api on prod; web on prod\), 1 failed \(constructor\)/);
  const good = { ...commit, [`apps/${name}/a.yaml`]: configMap(name, '1') };
  assert.match(await world.push('b', good), /1 changed \(constructor on prod\)/);
  assert.match(await world.push('c', files('1')), /1 gone \(constructor on prod\)/);
});

for (const name of ['toString', '__proto__']) {
  test(`a refused application by the name ${name} fails alone`, async () => {
    const world = new ProduceWorld();
    const outcome = await world.push('a', { ...files('1'), 'applications/x.yaml': application(name) });
    assert.match(outcome, /2 changed \(api on prod; web on prod\)/);
    assert.match(await world.push('b', files('2')), /^commit bbbbbbb: 1 changed \(web on prod\)/);
  });
}

test('a commit of very many faults is told in an event that the bus takes', async () => {
  const world = new ProduceWorld();
  const commit: Record<string, string> = { ...files('1') };
  for (let count = 0; count < 60; count += 1) {
    commit[`applications/x${count}.yaml`] = application(`x${count}`, { ['y'.repeat(5000)]: '1' });
  }
  await world.push('a', commit);
  const failed = world.bus.events.find((event) => event.type === 'SnapshotFailed');
  assert.equal(failed?.detail.faults.length, 51);
  assert.deepEqual(failed.detail.faults.at(-1), { subject: 'repository fleet', message: 'and 10 more' });
  assert.ok(failed.detail.faults.every(({ message }) => message.length <= 1000));
  assert.ok(JSON.stringify(failed.detail).length < 250_000);
});
