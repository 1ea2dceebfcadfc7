import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { loadAll } from 'js-yaml';
import { accessGroups, commonKinds, rbacManifests, type RbacManifest } from '../../../core/contract/rbac.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../core/model/json.ts';
import { kubeObjectSchema, type KubeObject } from '../../../core/model/object.ts';
import type { Clusters } from '../../../core/ports.ts';
import { sweepCluster } from '../../../core/sweep.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { SweepWorld } from '../sweep/sweep-world.ts';
import { clustersOf, realWorld, settleHealth } from './real-world.ts';
import { configMap, didIn, type ReconcileWorld } from './reconcile-world.ts';
import { ScriptedCluster } from '../sweep/scripted-cluster.ts';

/** Issue 6: what `trueup grant` prints is enough for what applications consist of, and for nothing else. */

const quickstart = resolve(import.meta.dirname, '../../../examples/quickstart/apps');
let real: TestCluster;

const pathOf = ({ kind, metadata: { name } }: RbacManifest): string =>
  `/apis/rbac.authorization.k8s.io/v1/${kind.toLowerCase()}s/${encodeURIComponent(name)}`;

const asJson = (manifest: RbacManifest): JsonObject => {
  const json: Json = JSON.parse(JSON.stringify(manifest));
  assert.ok(isJsonObject(json));
  return json;
};

before(async () => {
  real = await testCluster('rights');
  for (const manifest of rbacManifests({ kinds: commonKinds })) {
    await real.admin.apply(pathOf(manifest), asJson(manifest), 'kubectl');
  }
});
after(async () => {
  for (const manifest of rbacManifests({ kinds: commonKinds })) await real.admin.remove(pathOf(manifest));
  await real.stop();
});

/** As EKS lets in an IAM role by its access entry: a user of that name, a member of that group and of no other. */
function as(group: string, clusters: Clusters): Clusters {
  const user = `arn:aws:sts::123456789012:assumed-role/${group.replace(':', '-')}/trueup`;
  return {
    connect: async (name, deadline) =>
      clusters.connect(name, deadline, { impersonate: { user, groups: [group] } }),
  };
}

/** The quickstart, in the namespace of this test. */
function objectsOf(application: string): readonly KubeObject[] {
  return globSync(`${quickstart}/${application}/**/[!k]*.yaml`)
    .toSorted()
    .flatMap((file) => loadAll(readFileSync(file, 'utf8')))
    .map((document) => kubeObjectSchema.parse(document))
    .map((object) =>
      object.kind === 'Namespace'
        ? { ...object, metadata: { name: `${real.namespace}-${application}` } }
        : object,
    );
}

type World = ReconcileWorld<ReturnType<typeof realWorld>['clock']>;

function limitedWorld(application: string): World {
  const world = realWorld(real.kubeconfig, application, real.namespace);
  const clusters = as(accessGroups.reconcile, clustersOf({ east: real.kubeconfig }, world.clock));
  return Object.assign(world, { clusters });
}

/** A sweep by the other role, over the same records. */
async function sweep({ store, sealer, clock, target }: World) {
  const clusters = as(accessGroups.sweep, clustersOf({ east: real.kubeconfig }, clock));
  const deps = { ...new SweepWorld(new ScriptedCluster()).deps, store, sealer, clock, clusters };
  const request = { version: 1, scope: 'cluster', cluster: 'east', requestedBy: 'test' } as const;
  const check = await sweepCluster(request, { ...deps, deadline: clock.now() + 60_000 });
  return check.targets[target.application];
}

test('the quickstart is applied, becomes healthy, is checked, drifts, and is pruned', async () => {
  const world = limitedWorld('rights-shop');
  const objects = [...objectsOf('storefront'), ...objectsOf('payments')];
  assert.ok(objects.length > 5);
  await world.push(objects);
  const first = await world.record();
  assert.equal(first.outcome?.kind, 'applied', first.outcome?.message);
  await settleHealth(world, first);
  const clean = await sweep(world);
  assert.equal(clean?.sync, 'Synced', clean?.reason);
  const web = `/apis/apps/v1/namespaces/${real.namespace}/deployments/web`;
  await real.admin.patch(web, { spec: { replicas: 1 } });
  assert.equal((await sweep(world))?.sync, 'Drifted');
  await world.push([configMap('web'), ...objects.filter(({ kind }) => kind === 'Namespace')]);
  const last = await world.record('push', { confirmPrune: objects.length });
  assert.equal(last.outcome?.kind, 'applied', last.outcome?.message);
  assert.ok(didIn(last).includes('pruned Deployment web'), didIn(last).join(', '));
});

test('a kind that nobody granted is refused by itself, with who may not do what; the rest is applied', async () => {
  const world = limitedWorld('rights-more');
  const quota: KubeObject = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'limit' },
    spec: { hard: { pods: '5' } },
  };
  await world.push([configMap('granted'), quota]);
  const run = await world.record();
  const { outcome } = run;
  assert.equal(outcome?.kind, 'blocked');
  assert.deepEqual(didIn(run), ['created ConfigMap granted', 'failed ResourceQuota limit']);
  assert.match(
    outcome.faults[0]?.message ?? '',
    /User "arn:aws:sts::.*" cannot \w+ resource "resourcequotas"/,
  );
});

test('the role that checks may neither create nor delete, and neither may touch the RBAC of the cluster', async () => {
  const clock = realWorld(real.kubeconfig, 'rights-none', real.namespace).clock;
  const deadline = () => Date.now() + 30_000;
  const clusters = clustersOf({ east: real.kubeconfig }, clock);
  const checker = await as(accessGroups.sweep, clusters).connect('east', deadline);
  const writer = await as(accessGroups.reconcile, clusters).connect('east', deadline);
  const address = { apiVersion: 'v1', plural: 'configmaps', namespace: real.namespace, name: 'new' };
  const object = { ...configMap('new'), metadata: { name: 'new', namespace: real.namespace } };
  const created = await checker.apply(address, object, { force: true, dryRun: false });
  assert.equal(created.kind, 'refused');
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'clusterroles', name: 'mine' };
  const mine = { apiVersion: role.apiVersion, kind: 'ClusterRole', metadata: { name: 'mine' } };
  const taken = await writer.apply(role, mine, { force: true, dryRun: false });
  assert.equal(taken.kind, 'refused');
});
