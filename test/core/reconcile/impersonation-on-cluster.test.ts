import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { realWorld } from './real-world.ts';
import { configMap, didIn } from './reconcile-world.ts';
import { deployment } from './rollout.ts';

let real: TestCluster;
before(async () => {
  real = await testCluster('impersonation');
});
after(async () => real.stop());

/** A service account that may do all with ConfigMaps of its namespace, and nothing else. */
async function deployer(): Promise<string> {
  const { namespace, admin } = real;
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const metadata = { name: 'deployer' };
  await admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata,
  });
  await admin.create(`${rbac}/roles`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata,
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }],
  });
  await admin.create(`${rbac}/rolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'deployer' },
    subjects: [{ kind: 'ServiceAccount', name: 'deployer', namespace }],
  });
  return `system:serviceaccount:${namespace}:deployer`;
}

test('an application has the rights of its service account: what those forbid blocks alone, with the server’s words', async () => {
  const user = await deployer();
  const world = realWorld(real.kubeconfig, 'limited', real.namespace);
  const names = ['a', 'b', 'c', 'd', 'e'];
  const objects = [...names.map((name) => configMap(name)), deployment('web')];
  await world.push(objects, { impersonate: { user, groups: [] } });
  const first = await world.record();
  assert.equal(first.outcome?.kind, 'blocked');
  assert.deepEqual(didIn(first).toSorted(), [
    ...names.map((name) => `created ConfigMap ${name}`),
    'failed Deployment web',
  ]);
  assert.equal(first.outcome.faults.length, 1);
  assert.equal(first.outcome.faults[0]?.subject, `Deployment ${real.namespace}/web`);
  assert.match(
    first.outcome.faults[0]?.message ?? '',
    new RegExp(`deployments.apps "web" is forbidden: User "${user}" cannot patch resource "deployments"`),
  );
  // It may not list over all namespaces, and so each is read by its name.
  const changed = names.slice(1).map((name) => configMap(name, { a: '2' }));
  await world.push(changed, { impersonate: { user, groups: [] } });
  const second = await world.record();
  assert.equal(second.outcome?.kind, 'applied', second.outcome?.message);
  assert.deepEqual(didIn(second), [
    'pruned ConfigMap a',
    ...names.slice(1).map((name) => `updated ConfigMap ${name}`),
  ]);
});
