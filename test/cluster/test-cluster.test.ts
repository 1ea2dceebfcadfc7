import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { at } from './cluster-client.ts';
import { openCluster } from './open-cluster.ts';
import { type TestCluster, clusterVariables, testCluster } from './test-cluster.ts';

describe('the cluster of a test file', () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await testCluster('test-cluster');
  });
  after(async () => cluster?.stop());

  it('has a namespace of its own', async () => {
    const namespace = await cluster.admin.get(`/api/v1/namespaces/${cluster.namespace}`);
    assert.equal(at(namespace, 'status', 'phase'), 'Active');
  });

  it('knows which field manager wrote what', async () => {
    const path = `/api/v1/namespaces/${cluster.namespace}/configmaps/shared`;
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'shared' },
      data: { a: '1', b: '1' },
    };
    const alice = await cluster.as('alice');
    await cluster.admin.apply(path, object, 'trueup');
    const edited = await alice.patch(path, { data: { a: '2' } });
    const managers = at(edited, 'metadata', 'managedFields');
    assert.ok(Array.isArray(managers));
    assert.deepEqual(
      managers.map((entry) => [at(entry, 'manager'), at(entry, 'operation')]),
      [
        ['trueup', 'Apply'],
        ['kubectl-edit', 'Update'],
      ],
    );
  });

  it('can be one that the user gave, for which nothing is built or started', async () => {
    const env = { PATH: '', TRUEUP_KUBECONFIG: cluster.kubeconfigPath };
    const given = await openCluster({ name: 'given', env });
    assert.equal(given.controlPlane, undefined);
    assert.deepEqual(clusterVariables(given), { TRUEUP_TEST_KUBECONFIG: cluster.kubeconfigPath });
    await given.stop();
    const { status } = await cluster.admin.ask('GET', '/version');
    assert.equal(status, 200);
  });

  it('that the user gave and that does not answer is an error with the variable’s name', async () => {
    const env = { TRUEUP_KUBECONFIG: '/nowhere/kubeconfig' };
    await assert.rejects(
      openCluster({ name: 'gone', env }),
      /TRUEUP_KUBECONFIG is \/nowhere\/kubeconfig.*ENOENT/,
    );
  });
});
