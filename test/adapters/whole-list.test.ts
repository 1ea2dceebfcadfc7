import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, test } from 'node:test';
import { ApiClient } from '../../adapters/api-client.ts';
import { ApiCluster } from '../../adapters/cluster.ts';
import { accessOf } from '../../adapters/kubeconfig.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import { wholeList } from '../../adapters/whole-list.ts';
import type { KubeObject } from '../../core/model/object.ts';
import type { ApiResource, Cluster } from '../../core/ports.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';

const clock = new SystemClock();
const digestKey = new Uint8Array(32);
let real: TestCluster;
let cluster: Cluster;

before(async () => {
  real = await testCluster('whole-list');
  const access = await accessOf(real.kubeconfig, { cluster: 'east', subject: 'the test cluster' });
  cluster = new ApiCluster(new ApiClient(access, clock, () => clock.now() + 60_000));
});
after(async () => real.stop());

async function resourceOf(plural: string, group = ''): Promise<ApiResource> {
  const all = await cluster.resources();
  const found = all.find((each) => each.plural === plural && each.group === group);
  assert.ok(found !== undefined);
  return found;
}

/** A list as it is read out of an answer with a digest, and as JSON tells it. */
async function bothOf(resource: ApiResource, selector: string) {
  const told = await cluster.list(resource, selector, { metadataOnly: true, digestKey });
  const plain = await cluster.list(resource, selector, { metadataOnly: true });
  assert.notEqual(told.digest, undefined);
  return [told.items, plain.items] as const;
}

describe('a list with a digest', () => {
  test('has the items that JSON tells, member by member', async () => {
    const label = `digest-${real.namespace}`;
    const home = { apiVersion: 'v1', plural: 'namespaces', name: real.namespace };
    const owner = await cluster.get(home);
    const map: KubeObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'rich',
        namespace: real.namespace,
        labels: { [label]: '', 'trueup.dev/application': label },
        annotations: { 'example.org/note': 'größer\n"€"\u{1f600}', empty: '' },
        finalizers: ['example.org/one', 'example.org/two'],
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'Namespace',
            name: real.namespace,
            uid: owner?.metadata.uid ?? '',
            controller: true,
            blockOwnerDeletion: false,
          },
        ],
      },
      data: { a: '1' },
    };
    const path = `/api/v1/namespaces/${real.namespace}/configmaps`;
    await real.admin.create(path, map);
    await real.admin.create(path, { ...map, metadata: { name: 'poor', labels: { [label]: '' } } });
    await real.admin.remove(`${path}/rich`);
    const labelled = { metadata: { name: 'run', labels: { [label]: '' } } };
    const template = {
      metadata: { labels: { app: 'a' } },
      spec: { containers: [{ name: 'a', image: 'a:1' }] },
    };
    await real.admin.create(`/apis/apps/v1/namespaces/${real.namespace}/deployments`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      ...labelled,
      spec: { replicas: 1, selector: { matchLabels: { app: 'a' } }, template },
    });
    const [told, plain] = await bothOf(await resourceOf('configmaps'), label);
    assert.deepEqual(told, plain);
    assert.equal(told.length, 2);
    assert.ok(told.some(({ metadata }) => metadata['deletionTimestamp'] !== undefined));
    for (const [plural, group] of [
      ['deployments', 'apps'],
      ['namespaces', ''],
      ['customresourcedefinitions', 'apiextensions.k8s.io'],
      ['clusterroles', 'rbac.authorization.k8s.io'],
      ['pods', ''],
    ] as const) {
      const resource = await resourceOf(plural, group);
      const [some, same] = await bothOf(resource, plural === 'deployments' ? label : '');
      // Others write to the same server meanwhile.
      const versions = new Map(same.map((live) => [live.metadata.uid, live]));
      const still = some.filter(
        ({ metadata }) => versions.get(metadata.uid)?.metadata.resourceVersion === metadata.resourceVersion,
      );
      assert.deepEqual(
        still,
        still.map(({ metadata }) => versions.get(metadata.uid)),
      );
      assert.ok(plural !== 'deployments' || some.length === 1);
    }
    await real.admin.patch(`${path}/rich`, { metadata: { finalizers: null } });
  });

  test('comes in protobuf', async () => {
    const types: unknown[] = [];
    const note = (message: unknown): void => {
      const { response } = message as { readonly response: { readonly headers: readonly Buffer[] } };
      types.push(...response.headers.map(String).filter((text) => text.startsWith('application/')));
    };
    const resource = await resourceOf('configmaps');
    subscribe('undici:request:headers', note);
    await cluster.list(resource, 'nobody-has-this', { metadataOnly: true, digestKey });
    unsubscribe('undici:request:headers', note);
    assert.deepEqual(types, ['application/vnd.kubernetes.protobuf']);
  });

  test('that is forbidden is told in the words of the server; of a kind that is not there it is empty', async () => {
    const options = { metadataOnly: true, digestKey };
    const access = await accessOf(real.kubeconfig, { cluster: 'east', subject: 'the test cluster' });
    const impersonate = { user: 'nobody', groups: ['system:authenticated'] };
    const client = new ApiClient(access, clock, () => clock.now() + 60_000, { impersonate });
    await assert.rejects(
      new ApiCluster(client).list(await resourceOf('secrets'), '', options),
      /does not let us list secrets \(403: secrets is forbidden: User "nobody" cannot list resource/,
    );
    const alien = { group: 'example.org', version: 'v9', kind: 'Alien', plural: 'aliens' };
    const resource = { ...alien, namespaced: true, verbs: ['list'] };
    const list = await cluster.list(resource, '', options);
    assert.deepEqual([list.items, list.digest], [[], undefined]);
  });
});

describe('an answer', () => {
  const named = { apiVersion: 'v1', kind: 'ConfigMap' };
  const nonsense = () => new Error('nonsense');
  const listed = (text: string) => wholeList(Buffer.from(text), { named, digestKey, nonsense });
  const head = '{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":';

  test('in JSON differs by its items alone', () => {
    const item = '{"metadata":{"name":"a","uid":"u","resourceVersion":"7"}}';
    const one = listed(`${head}{"resourceVersion":"8"},"items":[${item}]}`);
    const other = listed(`${head}{"resourceVersion":"9","remainingItemCount":0},"items":[${item}]}`);
    assert.deepEqual([one?.resourceVersion, other?.resourceVersion], ['8', '9']);
    assert.equal(one?.digest, other?.digest);
    assert.notEqual(one?.digest, listed(`${head}{"resourceVersion":"8"},"items":[]}`)?.digest);
    assert.deepEqual(one?.items[0]?.metadata.name, 'a');
  });

  test('that is a part of a list, or something else, has none', () => {
    for (const text of [
      `${head}{"resourceVersion":"8","continue":"abc"},"items":[]}`,
      `${head}{"resourceVersion":"8","other":{}},"items":[]}`,
      `${head}{},"items":[]}`,
      '{"kind":"Status"}',
      '',
      'k8s\0',
      'k8s\0\n\x05',
    ]) {
      assert.equal(listed(text), undefined, text);
    }
  });

  test('that breaks off is no list', () => {
    const broken = listed(`${head}{"resourceVersion":"8"},"items":[{"metadata":`);
    assert.throws(() => broken?.items, /nonsense/);
  });
});
