import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { ApiClient } from '../../adapters/api-client.ts';
import { Discovery } from '../../adapters/api-discovery.ts';
import { ApiCluster } from '../../adapters/cluster.ts';
import { accessOf } from '../../adapters/kubeconfig.ts';
import { ApiLiveCluster } from '../../adapters/live-cluster.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import { Blocked, Retry } from '../../core/errors.ts';
import { membersOf } from '../../core/model/json-parts.ts';
import type { KubeObject } from '../../core/model/object.ts';
import type { ApplyOptions, Cluster, ObjectAddress } from '../../core/ports.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { clusterContract } from '../contract/cluster-contract.ts';

const clock = new SystemClock();
let real: TestCluster;
let cluster: Cluster;

before(async () => {
  real = await testCluster('cluster');
  const access = await accessOf(real.kubeconfig, { cluster: 'east', subject: 'the test cluster' });
  cluster = new ApiCluster(new ApiClient(access, clock, () => clock.now() + 60_000));
});
after(async () => real.stop());

clusterContract('a real API server', async () => {
  const { namespace } = real;
  const write = async (address: ObjectAddress, content: Parameters<typeof real.admin.create>[1]) => {
    const path = `/api/v1/namespaces/${namespace}/${address.plural}`;
    const object = { ...content, apiVersion: address.apiVersion };
    const found = await real.admin.get(`${path}/${address.name}`);
    await (found === undefined
      ? real.admin.create(path, { ...object, metadata: { name: address.name } })
      : real.admin.patch(`${path}/${address.name}`, object, 'kubectl'));
  };
  return { cluster, namespace, write };
});

const options: ApplyOptions = { dryRun: false, force: true };

function addressed(object: KubeObject, plural: string): ObjectAddress {
  const { name, namespace } = object.metadata;
  return { apiVersion: object.apiVersion, plural, namespace, name };
}

function deployment(name: string, spec: object = {}): KubeObject {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app:1' }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: real.namespace },
    spec: { selector: { matchLabels: labels }, template, ...spec },
  };
}

const apply = async (object: KubeObject, plural: string, more: Partial<ApplyOptions> = {}) =>
  cluster.apply(addressed(object, plural), object, { ...options, ...more });

describe('what the API server refuses is said in its words', () => {
  test('an immutable field is named', async () => {
    assert.equal((await apply(deployment('fixed'), 'deployments')).kind, 'applied');
    const outcome = await apply(
      deployment('fixed', { selector: { matchLabels: { app: 'other' } } }),
      'deployments',
    );
    assert.equal(outcome.kind, 'invalid');
    assert.match(outcome.message, /spec\.selector: Invalid value: .*field is immutable/);
  });

  // The server answers 500 to all of these, which elsewhere means: try again.
  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['a misspelt field', { replicsa: 3 }, /\.spec\.replicsa: field not declared in schema/],
    ['a wrong type', { replicas: 'three' }, /\.spec\.replicas: expected numeric/],
    [
      'a container twice',
      { template: { spec: { containers: [{ name: 'a' }, { name: 'a' }] } } },
      /duplicate entries for key \[name="a"\]/,
    ],
    [
      'a quantity that is none',
      { template: { spec: { containers: [{ name: 'a', resources: { limits: { cpu: 'much' } } }] } } },
      /quantities must match/,
    ],
  ];
  for (const [name, spec, message] of wrong) {
    test(`${name} is the fault of the object, not a bad moment`, async () => {
      const outcome = await apply(deployment('wrong', spec), 'deployments');
      assert.equal(outcome.kind, 'invalid');
      assert.match(outcome.message, message);
    });
  }

  test('a namespace that is going away is not there', async () => {
    const name = `${real.namespace}-leaving`;
    const finalizers = { spec: { finalizers: ['kubernetes'] }, metadata: { name } };
    await real.admin.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', ...finalizers });
    const held = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', namespace: name } };
    const kept = { ...held, metadata: { ...held.metadata, finalizers: ['example.org/wait'] } };
    assert.equal((await apply(kept, 'configmaps')).kind, 'applied');
    await real.admin.remove(`/api/v1/namespaces/${name}`);
    const late = { ...held, metadata: { name: 'late', namespace: name } };
    const outcome = await apply(late, 'configmaps');
    assert.equal(outcome.kind, 'absent');
    assert.match(outcome.message, /being terminated/);
    await real.admin.patch(`/api/v1/namespaces/${name}/configmaps/held`, { metadata: { finalizers: [] } });
  });
});

test('names with capitals and colons are what they are', async () => {
  const name = `MyRole:Admin:${real.namespace}`;
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: [],
  };
  const outcome = await apply(role, 'clusterroles');
  assert.equal(outcome.kind, 'applied');
  const live = await cluster.get(addressed(role, 'clusterroles'));
  assert.equal(live?.metadata.name, name);
  const { uid, resourceVersion } = live.metadata;
  assert.equal(
    (await cluster.delete(addressed(role, 'clusterroles'), { uid, resourceVersion })).kind,
    'deleted',
  );
});

test('custom kinds are served after a refresh, and their unknown fields are refused', async () => {
  const group = `${real.namespace}.example.org`;
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: 'Thing', plural: 'things' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } },
            },
          },
        },
      ],
    },
  };
  assert.equal((await apply(definition, 'customresourcedefinitions')).kind, 'applied');
  const things = `/apis/${group}/v1/namespaces/${real.namespace}/things`;
  // Established and served are not the same moment: 404 and 429 come in between, which a run waits for.
  const deadline = clock.now() + 30_000;
  while ((await real.admin.ask('GET', things)).status !== 200) {
    assert.ok(clock.now() < deadline, 'the definition is served in time');
    await clock.sleep(50);
  }
  const thing = {
    apiVersion: `${group}/v1`,
    kind: 'Thing',
    metadata: { name: 'a', namespace: real.namespace },
    spec: { a: 'x', unknown: 'y' },
  };
  const strict = await apply(thing, 'things');
  assert.equal(strict.kind, 'invalid', JSON.stringify(strict));
  assert.match(strict.message, /spec\.unknown: field not declared in schema/);
  const known = { ...thing, spec: { a: 'x' } };
  assert.equal((await apply(known, 'things')).kind, 'applied');
  const resources = await cluster.resources({ refresh: true });
  assert.ok(resources.some(({ kind, namespaced }) => kind === 'Thing' && namespaced));
  await real.admin.remove(
    `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${definition.metadata.name}`,
  );
});

test('a Service that is deleted is gone, although the server answers with the object', async () => {
  const metadata = { name: 'gone', namespace: real.namespace };
  const service = { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } };
  const outcome = await apply(service, 'services');
  assert.equal(outcome.kind, 'applied');
  const { uid, resourceVersion } = outcome.object.metadata;
  const address = addressed(service, 'services');
  assert.equal((await cluster.delete(address, { uid, resourceVersion })).kind, 'deleted');
  assert.equal(await cluster.get(address), undefined);
});

test('an authority that did not sign the certificate is Blocked: nothing is sent', async () => {
  const access = await accessOf(real.kubeconfig, { cluster: 'east', subject: 'the test cluster' });
  const ca = rootCertificates[0] ?? '';
  const stranger = new ApiCluster(new ApiClient({ ...access, ca }, clock, () => clock.now() + 60_000));
  await assert.rejects(stranger.resources(), (error) => {
    assert.ok(error instanceof Blocked);
    assert.match(error.message, /^cluster east at https:.*: its certificate was refused .*correct the CA/);
    return true;
  });
});

test('requests after each other do not open a connection each', async () => {
  let connections = 0;
  const count = (): void => {
    connections += 1;
  };
  const access = await accessOf(real.kubeconfig, { cluster: 'east', subject: 'the test cluster' });
  const fresh = new ApiCluster(new ApiClient(access, clock, () => clock.now() + 60_000));
  subscribe('undici:client:connected', count);
  try {
    for (let again = 0; again < 20; again += 1) {
      await fresh.get({ apiVersion: 'v1', plural: 'namespaces', name: real.namespace });
    }
  } finally {
    unsubscribe('undici:client:connected', count);
  }
  assert.ok(connections <= 2, String(connections));
});

test('more objects than fit on a page are all listed', async () => {
  const resource = (await cluster.resources()).find(
    ({ plural, group }) => plural === 'configmaps' && group === '',
  );
  assert.ok(resource);
  const names = Array.from({ length: 520 }, (_, index) => `page-${index}`);
  for (let start = 0; start < names.length; start += 40) {
    await Promise.all(
      names.slice(start, start + 40).map(async (name) => {
        const metadata = { name, namespace: real.namespace, labels: { paged: real.namespace } };
        await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata }, 'configmaps');
      }),
    );
  }
  const { items: listed } = await cluster.list(resource, `paged=${real.namespace}`, { metadataOnly: true });
  assert.equal(new Set(listed.map(({ metadata }) => metadata.name)).size, 520);
});

test('discovery stands for a moment, then is asked for again and answered without a body while nothing changed', async () => {
  const access = await accessOf(real.kubeconfig, { cluster: 'east', subject: 'the test cluster' });
  let now = 0;
  const discovery = new Discovery({ now: () => now });
  const statuses: unknown[] = [];
  const count = (message: unknown): void => {
    const { request, response } = message as {
      request: { path: string };
      response: { statusCode: number };
    };
    if (/^\/apis?$/.test(request.path)) statuses.push(response.statusCode);
  };
  const connect = () =>
    new ApiCluster(new ApiClient(access, clock, () => clock.now() + 60_000), discovery).resources();
  subscribe('undici:request:headers', count);
  try {
    const first = await connect();
    now += 1_000;
    assert.equal(await connect(), first);
    assert.equal(statuses.length, 2);
    now += 1_000;
    assert.deepEqual(await connect(), first);
  } finally {
    unsubscribe('undici:request:headers', count);
  }
  assert.deepEqual(statuses.slice(0, 2), [200, 200]);
  // Other test files may define a kind in between.
  assert.ok(statuses.slice(2).every((status) => status === 304 || status === 200));
  assert.equal(statuses.length, 4);
});

test('what was asked before kinds changed does not stand for what is asked after', async () => {
  const discovery = new Discovery({ now: () => 0 });
  const kinds = (resource: string) => ({
    status: 200,
    body: {
      kind: 'APIGroupDiscoveryList',
      items: [
        {
          metadata: { name: '' },
          versions: [
            {
              version: 'v1',
              resources: [{ resource, responseKind: { kind: resource }, scope: 'Cluster', verbs: [] }],
            },
          ],
        },
      ],
    },
    warnings: [],
  });
  const ask = (resource: string) => discovery.resources('east', async () => kinds(resource));
  const slow = ask('old');
  discovery.expire();
  assert.deepEqual(new Set((await slow).map(({ plural }) => plural)), new Set(['old']));
  assert.deepEqual(new Set((await ask('new')).map(({ plural }) => plural)), new Set(['new']));
  assert.deepEqual(new Set((await ask('newer')).map(({ plural }) => plural)), new Set(['new']));
});

test('a kind that we define is served without a refresh', async () => {
  const group = `fresh-${real.namespace}.example.org`;
  const isKnown = async () => (await cluster.resources()).some((each) => each.group === group);
  assert.equal(await isKnown(), false);
  const schema = { openAPIV3Schema: { type: 'object' } };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: 'Thing', plural: 'things' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
  const outcome = await apply(definition, 'customresourcedefinitions');
  assert.equal(outcome.kind, 'applied');
  await real.admin.until(`/apis/${group}/v1`, (found) => found !== undefined);
  const address = addressed(definition, 'customresourcedefinitions');
  const deadline = clock.now() + 30_000;
  while (!(await isKnown()) && clock.now() < deadline) {
    // Discovery follows a moment after the path is served: applying again forgets what was known.
    await apply(definition, 'customresourcedefinitions');
    await clock.sleep(50);
  }
  assert.equal(await isKnown(), true);
  const live = await cluster.get(address);
  const { uid, resourceVersion } = live?.metadata ?? { uid: '', resourceVersion: '' };
  await cluster.delete(address, { uid, resourceVersion });
});

test('what a person sees of a cluster: events about one object, and logs where there are any', async () => {
  const { namespace } = real;
  const access = await accessOf(real.kubeconfig, { cluster: 'east', subject: 'the test cluster' });
  const live = new ApiLiveCluster(new ApiClient(access, clock, () => clock.now() + 60_000), cluster);
  const about = { kind: 'Pod', namespace, name: 'seen' };
  for (const name of ['seen', 'other']) {
    await real.admin.create(`/api/v1/namespaces/${namespace}/events`, {
      metadata: { name: `${name}.1`, namespace },
      involvedObject: { ...about, name },
      reason: 'Told',
      message: name,
      type: 'Warning',
      lastTimestamp: '2026-11-23T10:00:00Z',
    });
  }
  const events = await live.events(about);
  assert.deepEqual(
    events.map((event) => membersOf(event)['message']),
    ['seen'],
  );
  assert.deepEqual(await live.events({ ...about, namespace: 'nowhere' }), []);
  const question = { namespace, pod: 'none', container: 'app', previous: false, lines: 10 };
  assert.equal(await live.logs(question), undefined);
  // No node has it, or one that is not there: nothing has written, or nobody can tell.
  const containers = [{ name: 'app', image: 'app:1' }];
  await real.admin.create(`/api/v1/namespaces/${namespace}/pods`, {
    metadata: { name: 'seen' },
    spec: { containers },
  });
  const nothing = await live.logs({ ...question, pod: 'seen' }).catch((error: unknown) => error);
  assert.ok(nothing === '' || nothing instanceof Retry, String(nothing));
});
