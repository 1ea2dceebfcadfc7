import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { loadAll } from 'js-yaml';
import { kubeObjectSchema, type KubeObject } from '../../../core/model/object.ts';
import { at } from '../../cluster/cluster-client.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { realWorld, settleHealth, type HastyClock } from './real-world.ts';
import { configMap, didIn, type ReconcileWorld } from './reconcile-world.ts';

let real: TestCluster;
before(async () => {
  real = await testCluster('reconcile');
});
after(async () => real.stop());

/** A world of its own per test: applications of one cluster do not meet. */
let count = 0;
async function newWorld(): Promise<ReconcileWorld<HastyClock>> {
  count += 1;
  const namespace = `${real.namespace}-${count}`;
  await real.admin.create('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  return realWorld(real.kubeconfig, `app-${count}`, namespace);
}

function manifests(yaml: string): KubeObject[] {
  return loadAll(yaml).map((object) => kubeObjectSchema.parse(object));
}

const shop = (image: string): KubeObject[] =>
  manifests(`
apiVersion: v1
kind: ServiceAccount
metadata: { name: shop }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: shop }
rules: [{ apiGroups: [""], resources: [configmaps], verbs: [get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: shop }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: shop }
subjects: [{ kind: ServiceAccount, name: shop, namespace: default }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: shop }
data: { mode: fast }
---
apiVersion: v1
kind: Secret
metadata: { name: shop }
stringData: { password: hunter2 }
---
apiVersion: v1
kind: Service
metadata: { name: shop }
spec: { selector: { app: shop }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop, labels: { app: shop } }
spec:
  replicas: 2
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop }, creationTimestamp: null }
    spec:
      containers:
        - name: shop
          image: ${image}
          ports: [{ containerPort: 8080 }]
          resources: { requests: { cpu: 100m, memory: 64Mi }, limits: { memory: 0.5Gi } }
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: shop }
spec:
  schedule: "0 3 * * *"
  jobTemplate: { spec: { template: { spec: { restartPolicy: Never, containers: [{ name: a, image: ${image} }] } } } }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: shop }
spec: { minAvailable: 1, selector: { matchLabels: { app: shop } } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: shop }
spec: { podSelector: {}, policyTypes: [Ingress] }
`);

describe('an application of many kinds', () => {
  let world: ReconcileWorld<HastyClock>;
  const live = async (path: string) => real.admin.get(path.replace('NS', world.namespace));
  const versionsOf = async (): Promise<Record<string, unknown>> => {
    const paths = [
      '/api/v1/namespaces/NS/configmaps/shop',
      '/api/v1/namespaces/NS/secrets/shop',
      '/api/v1/namespaces/NS/services/shop',
      '/apis/apps/v1/namespaces/NS/deployments/shop',
      '/apis/batch/v1/namespaces/NS/cronjobs/shop',
      '/apis/policy/v1/namespaces/NS/poddisruptionbudgets/shop',
      '/apis/networking.k8s.io/v1/namespaces/NS/networkpolicies/shop',
    ];
    const found = await Promise.all(
      paths.map(async (path) => [path, at(await live(path), 'metadata', 'resourceVersion')]),
    );
    return Object.fromEntries(found);
  };
  before(async () => {
    world = await newWorld();
  });

  test('is applied in one run and becomes healthy', async () => {
    await world.push(shop('shop:1'));
    const record = await world.record();
    assert.equal(record.outcome?.message, '10 created, 0 updated, 0 unchanged, 0 pruned');
    assert.match(await settleHealth(world, record), /^Healthy/);
    const pods = await real.admin.list(`/api/v1/namespaces/${world.namespace}/pods`);
    assert.equal(pods.length, 2);
    assert.equal(
      at(pods[0], 'metadata', 'labels', 'trueup.dev/application'),
      undefined,
      'not in pod templates',
    );
    const entries = Object.values((await world.inventory()).entries);
    assert.ok(
      entries.every(({ created, state, uid }) => created && state === 'applied' && uid !== undefined),
    );
  });

  test('applied again changes nothing: no resourceVersion moves', async () => {
    const earlier = await versionsOf();
    const { outcome } = await world.record('sync');
    assert.equal(outcome?.message, '0 created, 0 updated, 10 unchanged, 0 pruned');
    assert.deepEqual(await versionsOf(), earlier);
  });

  test('an update of one field is one update and nothing else', async () => {
    const earlier = await versionsOf();
    await world.push(
      shop('shop:2').map((object) =>
        object.kind === 'CronJob'
          ? (shop('shop:1').find(({ kind }) => kind === 'CronJob') ?? object)
          : object,
      ),
    );
    const record = await world.record();
    assert.deepEqual(didIn(record), ['updated Deployment shop']);
    assert.match(await settleHealth(world, record), /^Healthy/);
    const later = await versionsOf();
    const moved = Object.keys(later).filter((path) => later[path] !== earlier[path]);
    assert.ok(
      !moved.some((path) => /configmaps|secrets|services|cronjobs|networkpolicies/.test(path)),
      moved.join(),
    );
    assert.equal(
      at(
        await live('/apis/apps/v1/namespaces/NS/deployments/shop'),
        'spec',
        'template',
        'spec',
        'containers',
        0,
        'image',
      ),
      'shop:2',
    );
  });

  test('what left Git is pruned', async () => {
    const kept = shop('shop:2').filter(({ kind }) => kind !== 'NetworkPolicy' && kind !== 'Service');
    await world.push(kept);
    const { outcome } = await world.record();
    assert.equal(outcome?.counts.pruned, 2);
    assert.equal(await live('/api/v1/namespaces/NS/services/shop'), undefined);
    assert.equal(Object.keys((await world.inventory()).entries).length, 8);
  });

  test('gone from Git with onDelete: prune takes the rest, once confirmed', async () => {
    await world.push([], { state: 'gone', onDelete: 'prune' });
    assert.equal((await world.record()).outcome?.kind, 'blocked');
    const { outcome } = await world.record('sync', { confirmPrune: 8 });
    assert.equal(outcome?.kind, 'applied', outcome?.message);
    await real.admin.until(
      `/apis/apps/v1/namespaces/${world.namespace}/deployments/shop`,
      (found) => found === undefined,
    );
  });
});

describe('sets that bring what they need', () => {
  test('a namespace, its content, a definition and objects of it, in one run', async () => {
    const world = await newWorld();
    const name = `${world.namespace}-own`;
    const group = `${world.namespace}.example.org`;
    await world.push(
      manifests(`
apiVersion: ${group}/v1
kind: Widget
metadata: { name: first, namespace: ${name} }
spec: { size: 3 }
---
apiVersion: v1
kind: Pod
metadata: { name: bare, namespace: ${name} }
spec: { containers: [{ name: a, image: a }] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: content, namespace: ${name} }
---
apiVersion: v1
kind: Namespace
metadata: { name: ${name} }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.${group} }
spec:
  group: ${group}
  scope: Namespaced
  names: { kind: Widget, plural: widgets }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { size: { type: integer } } } } } }
`),
    );
    const record = await world.record();
    assert.equal(record.outcome?.kind, 'applied', record.outcome?.message);
    assert.equal(record.outcome.counts.created, 5);
    const widget = await real.admin.get(`/apis/${group}/v1/namespaces/${name}/widgets/first`);
    assert.equal(at(widget, 'spec', 'size'), 3);
    assert.match(await settleHealth(world, record), /^Healthy/);
    await world.push([], { state: 'gone', onDelete: 'prune' });
    const pruned = await world.record('sync');
    assert.equal(pruned.outcome?.kind, 'applied', pruned.outcome?.message);
    const deadline = Date.now() + 60_000;
    while (Object.keys((await world.inventory()).entries).length > 0 && Date.now() < deadline) {
      await world.clock.sleep(100);
      // Namespaces and definitions go in a second phase, for which the sweep asks.
      world.clock.advance(660_000);
      await world.run('pending');
      await world.run('health');
    }
    assert.deepEqual((await world.inventory()).entries, {}, 'each is forgotten once it is surely gone');
  });
});

describe('what the server refuses', () => {
  test('is told by object, with the field; the rest of the set is applied', async () => {
    const world = await newWorld();
    const deployment = (selector: string, more = ''): KubeObject[] =>
      manifests(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  ${more}
  selector: { matchLabels: { app: ${selector} } }
  template:
    metadata: { labels: { app: ${selector} } }
    spec: { containers: [{ name: web, image: web }] }
`);
    await world.push(deployment('one'));
    await world.record();
    await world.push([...deployment('two'), configMap('beside')]);
    const immutable = await world.record();
    assert.equal(immutable.outcome?.kind, 'failed');
    assert.deepEqual(didIn(immutable), ['created ConfigMap beside', 'failed Deployment web']);
    assert.match(
      immutable.outcome.faults[0]?.message ?? '',
      /^spec\.selector cannot be changed on an object that exists/,
    );
    await world.push([...deployment('one', 'replicsa: 3'), configMap('beside')]);
    const misspelt = await world.record();
    assert.match(misspelt.outcome?.message ?? '', /\.spec\.replicsa: field not declared in schema/);
    assert.equal(world.queues.later.filter(({ request }) => request.reason === 'retry').length, 0);
  });

  test('an object of somebody else blocks until Git says to adopt it', async () => {
    const world = await newWorld();
    const path = `/api/v1/namespaces/${world.namespace}/configmaps`;
    const theirs = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'found' },
      data: { theirs: 'x' },
    };
    await real.admin.create(path, theirs);
    await world.push([configMap('found', { ours: 'y' })]);
    const { outcome } = await world.record();
    assert.equal(outcome?.kind, 'blocked');
    assert.match(outcome.message, /found: exists already, and nothing proves that we created it/);
    const annotations = { 'trueup.dev/adopt': 'allowed' };
    const found = configMap('found', { ours: 'y' });
    await world.push([{ ...found, metadata: { name: 'found', annotations } }]);
    assert.deepEqual(didIn(await world.record()), ['updated ConfigMap found']);
    assert.deepEqual(at(await real.admin.get(`${path}/found`), 'data'), { theirs: 'x', ours: 'y' });
    const key = `/ConfigMap/${world.namespace}/found`;
    const entry = (await world.inventory()).entries[key];
    assert.deepEqual([entry?.created, entry?.adopted], [false, true]);
  });
});

test('an object that moves between API groups keeps its uid and is never pruned', async () => {
  const world = await newWorld();
  world.pruneCap = { percent: 0, objects: 0 };
  const event = (apiVersion: string): KubeObject[] =>
    manifests(`
apiVersion: ${apiVersion}
kind: Event
metadata: { name: moved }
${apiVersion === 'v1' ? 'involvedObject' : 'regarding'}: { kind: Namespace, name: ${world.namespace}, namespace: ${world.namespace} }
${apiVersion === 'v1' ? 'reportingComponent' : 'reportingController'}: example.org/a
reportingInstance: a
reason: Moved
action: Move
type: Normal
eventTime: "2026-11-23T12:00:00.000000Z"
`);
  await world.push(event('v1'));
  assert.equal((await world.record()).outcome?.counts.created, 1);
  const path = `/api/v1/namespaces/${world.namespace}/events/moved`;
  const uid = at(await real.admin.get(path), 'metadata', 'uid');
  await world.push(event('events.k8s.io/v1'));
  const { plan, outcome } = await world.record();
  assert.ok(
    plan.actions.every(({ action }) => action !== 'prune'),
    JSON.stringify(plan),
  );
  assert.deepEqual(outcome?.faults, []);
  assert.equal(at(await real.admin.get(path), 'metadata', 'uid'), uid);
  const { entries } = await world.inventory();
  assert.deepEqual(
    Object.entries(entries).map(([key, entry]) => [key, entry.uid, entry.created]),
    [[`events.k8s.io/Event/${world.namespace}/moved`, uid, true]],
  );
});
