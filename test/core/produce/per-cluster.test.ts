import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StackConfigInput } from '../../../core/contract/config.ts';
import { keys } from '../../../core/contract/keys.ts';
import { produce } from '../../../core/produce.ts';
import { decodeSnapshot } from '../../../core/snapshot.ts';
import { noteClusterFacts } from '../../../core/sweep/cluster-facts.ts';
import { KnownDocuments } from '../../../core/sweep/known-documents.ts';
import { ProduceWorld, application, configMap } from './world.ts';

const access = { type: 'eks', name: 'x' } as const;

function configOf(
  labels: Readonly<Record<string, Record<string, string>>>,
  more: { variables?: Record<string, string>; own?: Record<string, Record<string, string>> } = {},
): StackConfigInput {
  return {
    repositories: [{ name: 'fleet', url: 'https://git.example/fleet.git' }],
    clusters: Object.entries(labels).map(([name, each]) => ({
      name,
      access,
      labels: each,
      variables: more.own?.[name] ?? {},
    })),
    variables: more.variables ?? {},
  };
}

const twoClusters = configOf({ dev: { region: 'eu' }, prod: { region: 'us' } });
const clusters = '{names: [dev, prod]}';
const substitute = '{path: apps/web, substitute: {labels: {REGION: region}}}';
const web = (source: string, value: string) => ({
  'applications/web.yaml': application('web', { source, clusters }),
  'apps/web/a.yaml': configMap('web', value),
});

/** Data of the only object of a target's snapshot. */
async function dataOf(world: ProduceWorld, cluster: string) {
  const { snapshot } = await world.pointer('web', cluster);
  const stored = await world.store.get(keys.snapshot('web', snapshot));
  return decodeSnapshot(snapshot, stored?.text ?? '').objects[0]?.['data'];
}

/** How many renders there were: each looks for its snapshot. */
function countRenders(world: ProduceWorld): () => number {
  const get = world.store.get.bind(world.store);
  let count = 0;
  world.store.get = async (key) => {
    if (key.startsWith('snapshots/')) count += 1;
    return get(key);
  };
  return () => {
    const seen = count;
    count = 0;
    return seen;
  };
}

test('clusters share one render until it asks for what they differ in', async () => {
  const world = new ProduceWorld();
  const rendered = countRenders(world);
  await world.push('a', web('{path: apps/web}', '${REGION}'), { config: twoClusters });
  assert.equal(rendered(), 1);
  assert.equal((await world.pointer('web', 'dev')).snapshot, (await world.pointer('web', 'prod')).snapshot);
  await world.push('b', web(substitute, '${REGION}'), { config: twoClusters });
  assert.equal(rendered(), 2);
  assert.deepEqual(await dataOf(world, 'dev'), { value: 'eu' });
  assert.deepEqual(await dataOf(world, 'prod'), { value: 'us' });
});

test('a label that a render asked for renders its cluster anew, another one nothing', async () => {
  const world = new ProduceWorld();
  const rendered = countRenders(world);
  const content = web(substitute, '${REGION}');
  await world.push('a', content, { config: twoClusters });
  const again = async (config: StackConfigInput) => {
    rendered();
    await produce(await world.pushed('a'.repeat(40)), 1, world.deps(config));
    return rendered();
  };
  assert.equal(await again(configOf({ dev: { region: 'eu', tier: '1' }, prod: { region: 'us' } })), 0);
  assert.equal(await again(configOf({ dev: { region: 'eu' }, prod: { region: 'asia' } })), 1);
  assert.deepEqual(await dataOf(world, 'prod'), { value: 'asia' });
  assert.equal((await world.pointer('web', 'dev')).revision, 1);
});

test('overrides make a render of their own for the clusters that they choose, and for a cluster that is relabelled', async () => {
  const world = new ProduceWorld();
  const rendered = countRenders(world);
  const source =
    '{path: apps/web, overrides: [{clusters: {selector: {matchLabels: {region: us}}}, path: apps/us}]}';
  const files = { ...web(source, 'all'), 'apps/us/a.yaml': configMap('web', 'us') };
  const three = configOf({ dev: { region: 'eu' }, prod: { region: 'us' }, spare: { region: 'eu' } });
  files['applications/web.yaml'] = application('web', { source, clusters: '{names: [dev, prod, spare]}' });
  await world.push('a', files, { config: three });
  assert.equal(rendered(), 2);
  assert.deepEqual(await dataOf(world, 'dev'), { value: 'all' });
  assert.deepEqual(await dataOf(world, 'prod'), { value: 'us' });
  const moved = configOf({ dev: { region: 'us' }, prod: { region: 'us' }, spare: { region: 'eu' } });
  rendered();
  await produce(await world.pushed('a'.repeat(40)), 1, world.deps(moved));
  assert.equal(rendered(), 0);
  assert.deepEqual(await dataOf(world, 'dev'), { value: 'us' });
  // A commit to the folder of some renders for those alone.
  rendered();
  await world.push('b', { ...files, 'apps/us/a.yaml': configMap('web', 'us 2') }, { config: moved });
  assert.equal(rendered(), 1);
  assert.equal((await world.pointer('web', 'spare')).revision, 1);
});

test('the clusters of each stage stand with the state of the repository, and a relabelled one changes its stage', async () => {
  const world = new ProduceWorld();
  const stages =
    '[{name: canary, clusters: {selector: {matchLabels: {region: eu}}}, soak: 30m}, {name: rest, pause: true}]';
  const files = web('{path: apps/web}', 'x');
  files['applications/web.yaml'] = application('web', {
    source: '{path: apps/web}',
    clusters,
    rollout: `{stages: ${stages}, alarms: [errors]}`,
  });
  await world.push('a', files, { config: twoClusters });
  const stagesNow = async () => (await world.state()).applications['web']?.stages;
  assert.deepEqual(await stagesNow(), [['dev'], ['prod']]);
  const settings = {
    stages: [
      { name: 'canary', soakSeconds: 1800 },
      { name: 'rest', pause: true },
    ],
    alarms: ['errors'],
  };
  assert.deepEqual((await world.pointer('web', 'dev')).settings.rollout, settings);
  const moved = configOf({ dev: { region: 'eu' }, prod: { region: 'eu' } });
  await produce(await world.pushed('a'.repeat(40)), 1, world.deps(moved));
  assert.deepEqual(await stagesNow(), [['dev', 'prod'], []]);
  assert.equal((await world.pointer('web', 'prod')).revision, 1);
});

test('of variables the application wins, then its labels, then the cluster, then the installation', async () => {
  const world = new ProduceWorld();
  const more = {
    variables: { A: 'installation', B: 'installation', C: 'installation', D: 'installation' },
    own: { prod: { A: 'cluster', B: 'cluster', C: 'cluster' } },
  };
  const config = configOf({ prod: { a: 'label' } }, more);
  const source = '{path: apps/web, substitute: {variables: {A: application}, labels: {A: a, B: a}}}';
  const content = {
    'applications/web.yaml': application('web', { source }),
    'apps/web/a.yaml': configMap('web', '${A} ${B} ${C} ${D}'),
  };
  await world.push('a', content, { config });
  assert.deepEqual(await dataOf(world, 'prod'), { value: 'application label cluster installation' });
});

test('a variable that is not there fails the application, and names cluster, file and field', async () => {
  const world = new ProduceWorld();
  await world.push('a', web(substitute, '1'), { config: twoClusters });
  const config = configOf({ dev: { region: 'eu' }, prod: {} });
  const outcome = await world.push('b', web(substitute, '${REGION}'), { config });
  assert.match(
    outcome,
    /1 failed \(web\); apps\/web\/a\.yaml:1: data\.value: there is no variable REGION for cluster prod/,
  );
  assert.equal((await world.pointer('web', 'dev')).failed?.sha, 'b'.repeat(40));
});

test('what a cluster serves is an input only where a chart is rendered, and is read once', async () => {
  const world = new ProduceWorld();
  const rendered = countRenders(world);
  const chart = {
    ...web('{path: apps/web}', '1'),
    'applications/chart.yaml': application('chart', { source: '{path: chart}', clusters }),
    'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 1.0.0\n',
    'chart/templates/a.yaml': configMap('chart', '{{ .Capabilities.KubeVersion }}'),
  };
  const deps = {
    ...world.deps(twoClusters),
    renderers: {
      ...world.deps().renderers,
      helm: async ({
        capabilities,
      }: {
        readonly capabilities: { readonly version: string } | undefined;
      }) => ({
        kind: 'rendered' as const,
        output: `---\n# Source: chart/templates/a.yaml\n${configMap('chart', capabilities?.version ?? 'none')}`,
      }),
    },
  };
  const follow = async (sha: string) => {
    rendered();
    await produce(await world.pushed(sha), 1, deps);
    return rendered();
  };
  const sweep = { store: world.store, documents: new KnownDocuments() };
  const sha = world.git.push('a', chart);
  assert.equal(await follow(sha), 2, 'as long as nobody knows, both clusters are alike');
  for (const name of ['dev', 'prod']) {
    await noteClusterFacts(sweep, name, { served: [], server: 'v1.34.0' });
  }
  assert.equal(await follow(sha), 1);
  await noteClusterFacts(sweep, 'prod', { served: [], server: 'v1.35.0' });
  assert.equal(await follow(sha), 1);
  const [dev, prod] = [await world.pointer('chart', 'dev'), await world.pointer('chart', 'prod')];
  assert.notEqual(dev.snapshot, prod.snapshot);
  assert.equal(await follow(sha), 0);
});

test('what the configuration says of fetching is an input of every render', async () => {
  const world = new ProduceWorld();
  const rendered = countRenders(world);
  await world.push('a', web('{path: apps/web}', '1'), { config: twoClusters });
  const again = async (config: StackConfigInput) => {
    rendered();
    await produce(await world.pushed('a'.repeat(40)), 1, world.deps(config));
    return rendered();
  };
  assert.equal(await again({ ...twoClusters, sweepMinutes: 7 }), 0);
  const url = 'https://git.example/fleet.git';
  assert.equal(await again({ ...twoClusters, repositories: [{ name: 'fleet', url, lfs: {} }] }), 1);
});
