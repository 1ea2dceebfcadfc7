import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { labels } from '../../../core/contract/kubernetes.ts';
import { keys } from '../../../core/contract/keys.ts';
import { writeDocument } from '../../../core/documents.ts';
import { Blocked, Retry } from '../../../core/errors.ts';
import type { AskedDocument } from '../../../core/model/asked.ts';
import type { JsonObject } from '../../../core/model/json.ts';
import { application, configMap } from '../produce/world.ts';
import { FactsWorld, baseConfig, chartFiles } from './facts-world.ts';

const versioned = configMap('x', '{{ .Capabilities.KubeVersion.Version }}');
const plain = { 'applications/web.yaml': application('web'), 'apps/web/a.yaml': configMap('x', '1') };
const valueOf = async (world: FactsWorld) => (await world.snapshot()).objects[0]?.['data'];
const address = { apiVersion: 'v1', plural: 'secrets', namespace: 'web', name: 'token' };
const base64 = (text: string) => Buffer.from(text).toString('base64');
const token = (value: string, more: JsonObject = {}) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'token', namespace: 'web' },
  data: { p: base64(value) },
  ...more,
});
const readsToken =
  'apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata: {p: "{{ ((lookup "v1" "Secret" "web" "token").data).p }}"}\n';
const declared = '{lookup: [{apiVersion: v1, kind: Secret, name: token}]}';

describe('version and kinds', () => {
  test('a new version of a cluster renders what asked for it, once, without a push', async () => {
    const world = new FactsWorld();
    await world.push('a', chartFiles(versioned));
    assert.equal(await world.settle(), 1, 'what was unknown is known now');
    assert.deepEqual(await valueOf(world), { value: 'v1.34.0' });
    assert.deepEqual(await world.sweep(), []);
    world.server = 'v1.35.0';
    const hints = await world.sweep();
    assert.deepEqual(
      hints.map(({ repository, ref, provider }) => [repository, ref, provider]),
      [['fleet', 'refs/heads/main', 'sweep']],
    );
    assert.equal((await world.sweep()).length, 1, 'a hint that was lost is given again');
    assert.equal(await world.settle(), 1);
    assert.deepEqual(await valueOf(world), { value: 'v1.35.0' });
    assert.equal((await world.world.pointer('web')).revision, 3);
  });

  test('an application that asks nothing costs nothing: no hint, and no document of it is read', async () => {
    const world = new FactsWorld();
    await world.push('a', plain);
    const { store } = world.world;
    await world.sweep();
    const get = store.get.bind(store);
    const read: string[] = [];
    store.get = async (key) => {
      read.push(key);
      return get(key);
    };
    world.server = 'v1.35.0';
    assert.deepEqual(await world.sweep(), []);
    assert.deepEqual(read, ['facts/prod.json.gz']);
  });

  test('a chart that wants a newer server is rendered when the server is newer', async () => {
    const world = new FactsWorld();
    const files = chartFiles(configMap('x', '1'));
    files['chart/Chart.yaml'] += 'kubeVersion: ">=1.35.0-0"\n';
    await world.sweep();
    assert.match(await world.push('a', files), /1 failed \(web\)/);
    assert.deepEqual(await world.sweep(), []);
    world.server = 'v1.35.1';
    assert.equal(await world.settle(), 1);
    assert.deepEqual(await valueOf(world), { value: '1' });
  });

  test('a label of the configuration is such a fact; one that nobody asked for is none', async () => {
    const world = new FactsWorld();
    const source = '{path: apps/web, substitute: {labels: {REGION: region}}}';
    const files = { ...plain, 'applications/web.yaml': application('web', { source }) };
    await world.push('a', { ...files, 'apps/web/a.yaml': configMap('x', '${REGION}') });
    assert.deepEqual(await world.sweep(), []);
    const [cluster] = baseConfig.clusters ?? [];
    assert.ok(cluster !== undefined);
    const labelled = (own: Record<string, string>) => ({
      ...baseConfig,
      clusters: [{ ...cluster, labels: own }],
    });
    world.config = labelled({ region: 'eu', tier: '1' });
    assert.deepEqual(await world.sweep(), []);
    world.config = labelled({ region: 'us' });
    assert.equal(await world.settle(), 1);
    assert.deepEqual(await valueOf(world), { value: 'us' });
  });

  test('what is not asked any more, and repositories that are not followed any more, wake nobody', async () => {
    const world = new FactsWorld();
    await world.push('a', chartFiles(versioned));
    await world.settle();
    await world.push('b', plain);
    world.server = 'v1.36.0';
    assert.deepEqual(await world.sweep(), []);
    await world.push('c', chartFiles(versioned));
    world.server = 'v1.37.0';
    world.config = { ...baseConfig, repositories: [{ name: 'other', url: 'https://git.example/other.git' }] };
    assert.deepEqual(await world.sweep(), []);
  });
});

describe('lookups', () => {
  test('are not known, then known, then followed; and no value of a Secret rests in the clear', async () => {
    const world = new FactsWorld();
    await world.put(token('correct horse'), 'secrets');
    const outcome = await world.push('a', chartFiles(readsToken, declared));
    assert.match(outcome, /1 failed \(web\); folder chart: v1 Secret web\/token is not known yet/);
    assert.equal(await world.settle(), 1);
    const { objects, provenance } = await world.snapshot();
    assert.match(JSON.stringify(objects), /sealed:v1/);
    const { uid, resourceVersion } = world.cluster.live(address)?.metadata ?? {};
    const seen = [{ name: 'token', namespace: 'web', uid, resourceVersion }];
    assert.deepEqual(provenance.lookups, [
      { apiVersion: 'v1', kind: 'Secret', namespace: 'web', name: 'token', seen },
    ]);
    const first = (await world.world.pointer('web')).snapshot;
    await world.put(token('battery staple'), 'secrets');
    assert.equal(await world.settle(), 1);
    assert.notEqual((await world.world.pointer('web')).snapshot, first);
    const stored = await world.everythingStored();
    for (const value of ['correct horse', 'battery staple']) {
      assert.ok(!stored.includes(value) && !stored.includes(base64(value)), `${value} is in the store`);
    }
  });

  test('a write that changes nothing to be read is no news, and is not written', async () => {
    const world = new FactsWorld();
    await world.put(token('correct horse'), 'secrets');
    await world.push('a', chartFiles(readsToken, declared));
    await world.settle();
    const before = world.world.store.writes.length;
    world.cluster.write(address, { kind: 'Secret', metadata: { name: 'token', generation: 7 } });
    assert.deepEqual(await world.sweep(), []);
    assert.equal(world.world.store.writes.length, before);
  });

  test('what is gone is absent, and what nobody looks up any more is forgotten', async () => {
    const world = new FactsWorld();
    await world.put(token('correct horse'), 'secrets');
    await world.push('a', chartFiles(readsToken, declared));
    await world.settle();
    world.cluster.remove(address);
    assert.equal(await world.settle(), 1);
    assert.deepEqual((await world.snapshot()).provenance.lookups?.[0]?.seen, []);
    const key = keys.lookups({ cluster: 'prod', application: 'web' }, 'fleet');
    assert.notEqual(await world.world.store.get(key), undefined);
    await world.push('b', plain);
    await world.sweep();
    assert.equal(await world.world.store.get(key), undefined);
  });

  test('a cluster that does not answer leaves what is known; one that refuses says so', async () => {
    const world = new FactsWorld();
    await world.put(token('correct horse'), 'secrets');
    await world.push('a', chartFiles(readsToken, declared));
    await world.settle();
    const fault = { subject: 'cluster prod', message: 'does not answer' };
    world.cluster.hook = (request) => {
      if (request.startsWith('get')) throw new Retry(fault);
    };
    assert.deepEqual(await world.sweep(), []);
    world.cluster.hook = (request) => {
      if (request.startsWith('get')) throw new Blocked({ ...fault, message: 'does not let us get secrets' });
    };
    assert.equal(await world.settle(), 1);
    const { failed } = await world.world.pointer('web');
    assert.match(
      failed?.faults[0]?.message ?? '',
      /^lookup of v1 Secret web\/token: the cluster does not let us get/,
    );
    world.cluster.hook = () => undefined;
    assert.equal(await world.settle(), 1);
    assert.equal((await world.world.pointer('web')).failed, undefined);
  });

  test('are made with the rights of the application, and what others read is not for it', async () => {
    const world = new FactsWorld();
    await world.put(token('correct horse'), 'secrets');
    const as = (name: string) => ({ impersonate: `{serviceAccount: ${name}}` });
    await world.push('a', chartFiles(readsToken, declared, as('weak')));
    await world.settle();
    assert.deepEqual([...new Set(world.impersonated)], ['system:serviceaccount:web:weak']);
    assert.match(await world.push('b', chartFiles(readsToken, declared, as('strong'))), /is not known yet/);
    assert.match(await world.push('c', chartFiles(readsToken, declared)), /is not known yet/);
  });

  test('what is in order takes no data key', async () => {
    const world = new FactsWorld();
    await world.put(token('correct horse'), 'secrets');
    await world.push('a', chartFiles(readsToken, declared));
    await world.settle();
    const { sealer } = world.world;
    const before = sealer.dataKeys;
    for (let sweep = 0; sweep < 3; sweep += 1) await world.sweep();
    assert.equal(sealer.dataKeys, before);
  });

  test('a value that is a reference to a store of secrets is none of the application: nothing follows it', async () => {
    const world = new FactsWorld();
    await world.put(token('ref+awssecrets://acme/db#/password'), 'secrets');
    await world.push('a', chartFiles(readsToken, declared));
    await world.settle();
    await assert.rejects(world.world.pointer('web'), /there is no desired/);
    assert.match(
      await world.push('b', chartFiles(readsToken, declared)),
      /lookup of v1 Secret web\/token: what was found holds a reference to Secrets Manager or SSM/,
    );
  });

  test('another repository that has an application of the same name neither changes nor wakes anything', async () => {
    const world = new FactsWorld();
    await world.put(token('correct horse'), 'secrets');
    const rival = { name: 'other', url: 'https://git.example/other.git' };
    world.config = { ...baseConfig, repositories: [...(baseConfig.repositories ?? []), rival] };
    await world.push('a', chartFiles(readsToken, declared));
    await world.settle();
    const key = keys.lookups({ cluster: 'prod', application: 'web' }, 'fleet');
    const before = await world.world.store.get(key);
    assert.ok(before !== undefined);
    const lookup = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'web', name: 'theirs' };
    for (const as of [undefined, { user: 'theirs', groups: [] }]) {
      const web = { facts: { lookups: null }, lookups: { lookups: [lookup], ...(as && { as }) } };
      const ref = 'refs/heads/main';
      const asked: AskedDocument = { version: 1, repository: 'other', ref, applications: { web } };
      await writeDocument(world.world.store, keys.asked('prod', 'other', ref), asked, 'any');
      for (let sweep = 0; sweep < 3; sweep += 1) {
        const woken = (await world.sweep()).map(({ repository }) => repository);
        assert.deepEqual(woken, ['other'], 'what it was told is not what holds for it');
      }
      assert.deepEqual(await world.world.store.get(key), before);
    }
  });

  test('are forgotten with the repository, but not because a document of it cannot be read', async () => {
    const world = new FactsWorld();
    const { store } = world.world;
    await world.put(token('correct horse'), 'secrets');
    await world.push('a', chartFiles(readsToken, declared));
    await world.settle();
    const key = keys.lookups({ cluster: 'prod', application: 'web' }, 'fleet');
    const asked = keys.asked('prod', 'fleet', 'refs/heads/main');
    const before = (await store.get(asked))?.text ?? '';
    await store.put(asked, '{}', 'any');
    assert.deepEqual(await world.sweep(), []);
    assert.notEqual(await store.get(key), undefined);
    await store.put(asked, before, 'any');
    world.config = { ...baseConfig, repositories: [{ name: 'other', url: 'https://git.example/other.git' }] };
    await world.sweep();
    assert.equal(await store.get(key), undefined);
  });

  test('thousands of objects are too many, and only what is declared is ever asked', async () => {
    const world = new FactsWorld();
    for (let index = 0; index < 101; index += 1) {
      const metadata = { name: `c-${index}`, namespace: 'web' };
      await world.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata }, 'configmaps');
    }
    const counts = configMap('x', '{{ len (lookup "v1" "ConfigMap" "web" "").items }}');
    await world.push('a', chartFiles(counts, '{lookup: [{apiVersion: v1, kind: ConfigMap}]}'));
    await world.settle();
    const outcome = await world.push(
      'b',
      chartFiles(counts, '{lookup: [{apiVersion: v1, kind: ConfigMap}]}'),
    );
    assert.match(
      outcome,
      /lookup of v1 ConfigMap web\/\*: there are more than 100; declare those it needs by name/,
    );
  });
});

describe('a chart that looks up what it renders', () => {
  const own = (data: JsonObject) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', namespace: 'web', labels: { [labels.application]: 'web' } },
    data,
  });
  const lookup = '{lookup: [{apiVersion: v1, kind: ConfigMap, name: x}]}';
  const found = '((lookup "v1" "ConfigMap" "web" "x").data).value';

  /** Render, apply, sweep, until nobody asks for anything. */
  async function run(world: FactsWorld): Promise<number> {
    for (let round = 0; round < 30; round += 1) {
      const hints = await world.sweep();
      if (hints.length === 0) return round;
      for (const hint of hints) await world.follow(hint);
      world.world.clock.advance(300_000);
      const { failed } = await world.world.pointer('web').catch(() => ({ failed: undefined }));
      if (failed === undefined) {
        const [object] = (await world.snapshot()).objects;
        await world.put(own(JSON.parse(JSON.stringify(object?.['data']))), 'configmaps');
      }
    }
    return 30;
  }

  test('settles where it keeps what it finds', async () => {
    const world = new FactsWorld();
    await world.push('a', chartFiles(configMap('x', `{{ ${found} | default "first" }}`), lookup));
    assert.ok((await run(world)) <= 3);
    assert.deepEqual(await valueOf(world), { value: 'first' });
  });

  test('is stopped where each render changes the next, and goes on with the next change of the chart', async () => {
    const world = new FactsWorld();
    const counting = configMap('x', `{{ ${found} | default "0" | int | add1 }}`);
    await world.push('a', chartFiles(counting, lookup));
    const rounds = await run(world);
    assert.ok(rounds < 10, `${rounds} rounds`);
    const { failed } = await world.world.pointer('web');
    assert.match(
      failed?.faults[0]?.message ?? '',
      /finds objects of its own by lookup, and with each render they changed/,
    );
    const reached = (await world.snapshot()).objects[0]?.['data'];
    assert.deepEqual(await world.sweep(), []);
    await world.push('b', { ...chartFiles(counting, lookup), 'README.md': 'nothing to do with it' });
    assert.ok((await world.world.pointer('web')).failed !== undefined);
    assert.deepEqual((await world.snapshot()).objects[0]?.['data'], reached);
    const mended = chartFiles(configMap('x', `{{ ${found} | default "first" }}`), lookup);
    await world.push('c', mended);
    await run(world);
    assert.equal((await world.world.pointer('web')).failed, undefined);
  });

  test('stays stopped however long nothing but its own objects changes', async () => {
    const world = new FactsWorld();
    const counting = configMap('x', `{{ ${found} | default "0" | int | add1 }}`);
    await world.push('a', chartFiles(counting, lookup));
    await run(world);
    for (let day = 1; day <= 3; day += 1) {
      world.world.clock.advance(25 * 3_600_000);
      assert.equal(await run(world), 0, `day ${day}`);
    }
  });

  test('what others change is followed six times an hour at most', async () => {
    const world = new FactsWorld();
    const theirs = (value: string) => ({ ...own({ value }), metadata: { name: 'theirs', namespace: 'web' } });
    const reads = configMap('x', '{{ ((lookup "v1" "ConfigMap" "web" "theirs").data).value }}');
    await world.put(theirs('v0'), 'configmaps');
    await world.push('a', chartFiles(reads, '{lookup: [{apiVersion: v1, kind: ConfigMap, name: theirs}]}'));
    await world.settle();
    let followed = 0;
    for (let change = 1; change <= 12; change += 1) {
      await world.put(theirs(`v${change}`), 'configmaps');
      const hints = await world.sweep();
      followed += hints.length;
      for (const hint of hints) await world.follow(hint);
      world.world.clock.advance(300_000);
    }
    assert.ok(followed === 6, `${followed} in an hour`);
    world.world.clock.advance(3_600_000);
    await world.settle();
    assert.deepEqual(await valueOf(world), { value: 'v12' });
  });
});
