import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadAll } from 'js-yaml';
import type { Json } from '../../../core/model/json.ts';
import { kubeObjectSchema, type KubeObject } from '../../../core/model/object.ts';
import { reconcile } from '../../../core/reconcile.ts';
import type { RunRecord } from '../../../core/model/run.ts';
import type { Target } from '../../../core/model/target.ts';
import { at } from '../../cluster/cluster-client.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { clustersOf, HastyClock, realWorld } from './real-world.ts';
import { configMap, pushTo, ReconcileWorld } from './reconcile-world.ts';

let real: TestCluster;
before(async () => {
  real = await testCluster('order');
});
after(async () => real.stop());

let count = 0;
async function newNamespace(): Promise<string> {
  count += 1;
  const namespace = `${real.namespace}-${count}`;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await real.admin.create('/api/v1/namespaces', body);
  return namespace;
}

function manifests(yaml: string): KubeObject[] {
  return loadAll(yaml).map((object) => kubeObjectSchema.parse(object));
}

const job = (name: string, notes: string, spec = ''): KubeObject[] =>
  manifests(`
apiVersion: batch/v1
kind: Job
metadata: { name: ${name}, annotations: { ${notes} } }
spec:
  backoffLimit: 0
  ${spec}
  template: { spec: { restartPolicy: Never, containers: [{ name: a, image: busybox }] } }
`);
const deployment = (name: string, notes = ''): KubeObject[] =>
  manifests(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, annotations: { ${notes} } }
spec:
  replicas: 1
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: a, image: busybox }] }
`);

type World = ReconcileWorld<HastyClock>;

/** Runs as the queue asks, with the clock put forward, until nothing more is asked for; gives the last record. */
async function settle(world: World, target: Target = world.target): Promise<RunRecord> {
  const request = (reason: 'push' | 'health' | 'continue' | 'retry') => {
    return reconcile({ version: 1, target, reason, requestedBy: 'test' }, world.deps);
  };
  const first = await request('push');
  if (first.kind !== 'ran') throw new Error(first.why);
  let { record } = first;
  const deadline = Date.now() + 90_000;
  while (record.outcome?.kind === 'waiting' && Date.now() < deadline) {
    // The server and its controllers go by their own clock.
    await world.clock.sleep(500);
    const later = world.queues.later.pop();
    world.clock.advance(((later?.delaySeconds ?? 5) - 0.5) * 1000);
    const result = await request('continue');
    if (result.kind === 'ran') ({ record } = result);
  }
  return record;
}

function textOf(object: Json | undefined, ...path: string[]): string {
  const text = at(object, ...path);
  return typeof text === 'string' ? text : '';
}

const timeOf = (...place: Parameters<typeof textOf>): number => Date.parse(textOf(...place));

test('a Deployment of wave 1 is not there before the Job of wave 0 is complete', async () => {
  const namespace = await newNamespace();
  const world = realWorld(real.kubeconfig, 'waves', namespace);
  await world.push([...deployment('web', 'trueup.dev/wave: "1"'), ...job('prepare', '')]);
  const record = await settle(world);
  assert.equal(record.outcome?.kind, 'applied', record.outcome?.message);
  const prepare = await real.admin.get(`/apis/batch/v1/namespaces/${namespace}/jobs/prepare`);
  const web = await real.admin.get(`/apis/apps/v1/namespaces/${namespace}/deployments/web`);
  const completed = timeOf(prepare, 'status', 'completionTime');
  assert.ok(completed > 0, 'the Job is complete');
  assert.ok(timeOf(web, 'metadata', 'creationTimestamp') >= completed, 'and the Deployment came after that');
});

test('hooks: pre before all, post after all is Healthy, each once a revision, replaced with the next', async () => {
  const namespace = await newNamespace();
  const world = realWorld(real.kubeconfig, 'hooks', namespace);
  const objects = (value: string) => [
    ...job('migrate', 'trueup.dev/hook: pre'),
    ...job('smoke', 'trueup.dev/hook: post'),
    ...deployment('web'),
    configMap('settings', { value }),
  ];
  const jobNamed = (name: string) => real.admin.get(`/apis/batch/v1/namespaces/${namespace}/jobs/${name}`);
  await world.push(objects('1'));
  assert.equal((await settle(world)).outcome?.kind, 'applied');
  const [migrate, smoke] = [await jobNamed('migrate'), await jobNamed('smoke')];
  const web = await real.admin.get(`/apis/apps/v1/namespaces/${namespace}/deployments/web`);
  const created = timeOf(web, 'metadata', 'creationTimestamp');
  assert.ok(timeOf(migrate, 'status', 'completionTime') <= created);
  assert.ok(timeOf(smoke, 'metadata', 'creationTimestamp') >= created);
  assert.equal(at(web, 'status', 'availableReplicas'), 1);
  await world.record('sync');
  assert.equal(
    at(await jobNamed('migrate'), 'metadata', 'uid'),
    at(migrate, 'metadata', 'uid'),
    'a sync runs none',
  );
  await world.push(objects('2'));
  const second = await settle(world);
  assert.equal(second.outcome?.kind, 'applied', second.outcome?.message);
  const again = await jobNamed('migrate');
  assert.notEqual(at(again, 'metadata', 'uid'), at(migrate, 'metadata', 'uid'));
  assert.match(textOf(again, 'metadata', 'annotations', 'trueup.dev/hook-run'), /^2 /);
});

test('a pre hook that fails ends the revision with the words of the Job, and the fail hook runs', async () => {
  const namespace = await newNamespace();
  const world = realWorld(real.kubeconfig, 'failing', namespace);
  await world.push([
    // Nowhere to run: the Job controller ends it by its deadline.
    ...job('stuck', 'trueup.dev/hook: pre', 'activeDeadlineSeconds: 1\n  suspend: false\n  parallelism: 0'),
    ...job('tell', 'trueup.dev/hook: fail'),
    configMap('never'),
  ]);
  const record = await settle(world);
  assert.equal(record.outcome?.kind, 'failed');
  assert.match(
    record.outcome.message,
    /^pre hook Job .*stuck: failed: Degraded: DeadlineExceeded: Job was active longer/,
  );
  const { hooks, entries } = await world.inventory();
  assert.deepEqual(entries, {});
  const tell = hooks[`fail batch/Job/${namespace}/tell`]?.state;
  assert.ok(tell === 'succeeded' || tell === 'running', `${tell}`);
});

test('delete hooks run before the objects of an application that is gone are pruned', async () => {
  const namespace = await newNamespace();
  const world = realWorld(real.kubeconfig, 'leaving', namespace);
  const objects = [...job('backup', 'trueup.dev/hook: delete'), configMap('a')];
  await world.push(objects, { onDelete: 'prune' });
  assert.equal((await settle(world)).outcome?.kind, 'applied');
  await world.push(objects, { onDelete: 'prune', state: 'gone' });
  const record = await settle(world);
  assert.equal(record.outcome?.kind, 'applied', record.outcome?.message);
  assert.ok(record.outcome.counts.pruned === 1);
  assert.deepEqual((await world.inventory()).hooks, {});
  const jobs = await real.admin.get(`/apis/batch/v1/namespaces/${namespace}/jobs`);
  const items = at(jobs, 'items');
  assert.ok(
    Array.isArray(items) && items.every((item) => at(item, 'metadata', 'deletionTimestamp') !== undefined),
  );
});

test('dependsOn: an application waits for one on another cluster until that is rolled out', async () => {
  const namespace = await newNamespace();
  const clock = new HastyClock();
  const clusters = clustersOf({ east: real.kubeconfig, west: real.kubeconfig }, clock);
  const target = { cluster: 'east', application: 'front' };
  const world = new ReconcileWorld(clock, clusters, { namespace, target });
  const behind = { cluster: 'west', application: 'behind' };
  await world.push([configMap('front')], { dependsOn: [{ application: 'behind', cluster: 'west' }] });
  const first = await world.record();
  assert.equal(first.outcome?.message, 'waits for behind on west: there is no such application there');
  const { store, sealer } = world;
  await pushTo({ store, sealer, clock, target: behind, namespace }, deployment('behind'));
  await settle(world, behind);
  const deadline = Date.now() + 60_000;
  let message = '';
  while (!message.startsWith('1 created') && Date.now() < deadline) {
    await clock.sleep(500);
    clock.advance(60_000);
    await reconcile({ version: 1, target: behind, reason: 'health', requestedBy: 'test' }, world.deps);
    const result = await world.run('continue');
    if (result.kind === 'ran') message = result.record.outcome?.message ?? '';
    assert.match(message, /^(1 created|waits for behind on west: Progressing)/);
  }
  const rolled = await real.admin.get(`/apis/apps/v1/namespaces/${namespace}/deployments/behind`);
  const front = await real.admin.get(`/api/v1/namespaces/${namespace}/configmaps/front`);
  assert.equal(at(rolled, 'status', 'availableReplicas'), 1);
  const condition = at(rolled, 'status', 'conditions');
  const available = Array.isArray(condition)
    ? condition.find((each) => at(each, 'type') === 'Available')
    : undefined;
  assert.ok(timeOf(front, 'metadata', 'creationTimestamp') >= timeOf(available, 'lastTransitionTime'));
});
