import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { GitHost, GitWorld } from './git-world.ts';
import { ProduceWorld, application, configMap } from './world.ts';

const count = 60;
const names = Array.from({ length: count }, (_, index) => `app-${index}`);

/** Sixty applications that read nothing but their own folder. */
function fleet(changed: Readonly<Record<string, string>> = {}): Record<string, string> {
  const files = names.map((name) => ({
    [`applications/${name}.yaml`]: application(name),
    [`apps/${name}/a.yaml`]: configMap(name, changed[name] ?? '1'),
  }));
  return Object.assign({}, ...files);
}

interface Traffic {
  readonly gets: readonly string[];
  readonly puts: readonly string[];
}

/** What a push asks of the store. */
function watch(world: ProduceWorld): () => Traffic {
  const seen: { gets: string[]; puts: string[] } = { gets: [], puts: [] };
  const [get, put] = [world.store.get.bind(world.store), world.store.put.bind(world.store)];
  world.store.get = async (key) => {
    seen.gets.push(key);
    return get(key);
  };
  world.store.put = async (key, text, condition) => {
    seen.puts.push(key);
    return put(key, text, condition);
  };
  return () => {
    const taken = { gets: [...seen.gets], puts: seen.puts.filter((key) => !key.startsWith('deliveries/')) };
    seen.gets.length = 0;
    seen.puts.length = 0;
    return taken;
  };
}

const state = keys.repository('fleet', 'refs/heads/main');

test('a push that changes nothing costs as much as one to a single application does, and writes one document', async () => {
  const world = new ProduceWorld();
  await world.push('a', fleet());
  await world.push('b', fleet({ 'app-7': '2' }));
  const taken = watch(world);
  assert.match(await world.push('c', { ...fleet({ 'app-7': '2' }), 'README.md': '' }), /60 unchanged/);
  const { gets, puts } = taken();
  assert.deepEqual(puts, [state]);
  assert.ok(gets.length < 10, gets.join());
  assert.deepEqual(world.git.worktrees.at(-1)?.fetched, new Set());
});

test('a push to one application reads, fetches and writes what is of that one', async () => {
  const world = new ProduceWorld();
  await world.push('a', fleet());
  const taken = watch(world);
  await world.push('b', fleet({ 'app-7': '2' }));
  const { gets, puts } = taken();
  const pointer = keys.desired({ cluster: 'prod', application: 'app-7' });
  const snapshot = keys.snapshot('app-7', (await world.pointer('app-7')).snapshot);
  const [renders, pointers] = [
    keys.renders('fleet', 'refs/heads/main'),
    keys.pointers('fleet', 'refs/heads/main'),
  ];
  assert.deepEqual(puts.toSorted(), [snapshot, renders, pointer, state, state, pointers].toSorted());
  assert.ok(gets.length < 12, gets.join());
  assert.deepEqual(world.git.worktrees.at(-1)?.fetched, new Set(['apps/app-7/a.yaml']));
});

test('a pointer that somebody else has written since is read again', async () => {
  const world = new ProduceWorld();
  await world.push('a', fleet());
  const target = { cluster: 'prod', application: 'app-3' };
  const pointer = await world.pointer('app-3');
  await world.store.put(keys.desired(target), JSON.stringify({ ...pointer, seq: 9 }), 'any');
  await world.store.delete(keys.desired({ ...target, application: 'app-4' }), 'any');
  await world.push('b', fleet({ 'app-3': '2' }));
  assert.equal((await world.pointer('app-3')).seq, 10);
  assert.equal((await world.pointer('app-4')).revision, 1, 'one that was deleted is written again');
});

test('of sixty applications on six shared bases a push renders exactly the dependants, over the real Git and kustomize', async () => {
  const host = await GitHost.start();
  after(() => host.stop());
  const world = await GitWorld.start(host, 'sixty');
  const base = (index: number, value: string) => ({
    [`bases/b${index}/kustomization.yaml`]: 'resources: [web.yaml]\n',
    [`bases/b${index}/web.yaml`]: configMap('web', value),
  });
  const on = (index: number) => names.filter((_, at) => at % 6 === index).sort();
  const overlays = names.map((name, index) => ({
    [`applications/${name}.yaml`]: application(name),
    [`apps/${name}/kustomization.yaml`]: `resources: [../../bases/b${index % 6}]\nnamePrefix: ${name}-\n`,
  }));
  const bases = names.slice(0, 6).map((_, index) => base(index, '1'));
  assert.equal((await world.push(Object.assign({}, ...bases, ...overlays))).length, count);
  assert.deepEqual(await world.push(base(2, '2')), on(2));
  assert.equal(on(2).length, 10);
  const overlay = { 'apps/app-7/kustomization.yaml': 'resources: [../../bases/b1]\nnamePrefix: other-\n' };
  assert.deepEqual(await world.push(overlay), ['app-7']);
  assert.deepEqual(await world.push({ ...base(0, '3'), ...base(5, '3') }), [...on(0), ...on(5)].sort());
  assert.deepEqual(await world.push({ 'README.md': 'Sixty' }), []);
});
