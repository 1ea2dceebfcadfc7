import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import { at } from '../../cluster/cluster-client.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { Neighbourhood, plannedIn } from './neighbourhood.ts';
import { realWorld, type HastyClock } from './real-world.ts';
import { configMap } from './reconcile-world.ts';

let real: TestCluster;
before(async () => {
  real = await testCluster('prune');
});
after(async () => real.stop());

/** Applications of one cluster, in a namespace of their own. */
let count = 0;
async function newNeighbours(): Promise<{
  both: Neighbourhood<HastyClock>;
  path: string;
  namespace: string;
}> {
  count += 1;
  const namespace = `${real.namespace}-${count}`;
  await real.admin.create('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  const both = new Neighbourhood(realWorld(real.kubeconfig, `unused-${count}`, namespace));
  return { both, path: `/api/v1/namespaces/${namespace}`, namespace };
}

const claim = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: 'none',
  },
});

const service = (ports: readonly number[], more: KubeObject['metadata']['annotations'] = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'moved', annotations: { owner: 'somebody', ...more } },
  spec: { selector: { app: 'x' }, ports: ports.map((port) => ({ name: `p${port}`, port })) },
});

describe('an object that moves between applications on a real server', () => {
  for (const [first, second] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    test(`is handed over with its uid when ${first} runs first; fields that only a had are gone`, async () => {
      const { both, path } = await newNeighbours();
      await both.push('a', [service([80, 81], { of: 'a' }), configMap('keep-a')]);
      await both.push('b', [configMap('keep-b')]);
      assert.equal((await both.record('a')).outcome?.kind, 'applied');
      assert.equal((await both.record('b')).outcome?.kind, 'applied');
      const former = await real.admin.get(`${path}/services/moved`);
      await both.push('a', [configMap('keep-a')]);
      await both.push('b', [service([80]), configMap('keep-b')]);
      await both.run(first);
      await both.run(second);
      await both.settle();
      const live = await real.admin.get(`${path}/services/moved`);
      assert.equal(at(live, 'metadata', 'uid'), at(former, 'metadata', 'uid'));
      assert.equal(at(live, 'spec', 'clusterIP'), at(former, 'spec', 'clusterIP'));
      assert.deepEqual(at(live, 'metadata', 'annotations'), { owner: 'somebody' });
      assert.deepEqual(at(live, 'metadata', 'labels'), { 'trueup.dev/application': 'b' });
      const ports = at(live, 'spec', 'ports');
      assert.deepEqual(Array.isArray(ports) && ports.map((port) => at(port, 'name')), ['p80']);
      assert.deepEqual(await both.entries('a'), ['ConfigMap keep-a: applied ours']);
      assert.deepEqual(await both.entries('b'), [
        'ConfigMap keep-b: applied ours',
        'Service moved: applied ours',
      ]);
      await both.push('b', [configMap('keep-b')]);
      await both.run('b');
      assert.equal(await real.admin.get(`${path}/services/moved`), undefined, 'b may prune what a created');
    });
  }
});

describe('two-phase prune on a real server', () => {
  test('a claim with its data stays for ten minutes and goes by itself; back in Git it stays for good', async () => {
    const { both, path } = await newNeighbours();
    await both.push('a', [claim('data'), claim('back'), configMap('old'), configMap('keep')]);
    await both.run('a');
    await both.push('a', [configMap('keep')]);
    const record = await both.record('a');
    assert.equal(record.outcome?.kind, 'applied');
    assert.match(record.outcome.message, /1 pruned; no longer in Git: 2 wait to be pruned/);
    assert.equal(await real.admin.get(`${path}/configmaps/old`), undefined);
    assert.equal((await both.run('a', 'pending')).kind, 'rested');

    await both.push('a', [configMap('keep'), claim('back')]);
    await both.run('a');
    both.world.clock.advance(600_000);
    assert.equal((await both.run('a', 'pending')).kind, 'ran');
    await real.admin.until(`${path}/persistentvolumeclaims/data`, (live) => live === undefined);
    assert.ok(await real.admin.get(`${path}/persistentvolumeclaims/back`));
    await both.run('a', 'sync');
    assert.deepEqual(await both.entries('a'), [
      'ConfigMap keep: applied ours',
      'PersistentVolumeClaim back: applied ours',
    ]);
  });

  test('a person who confirms has a Namespace deleted at once, with all that is in it', async () => {
    const { both, namespace } = await newNeighbours();
    const name = `${namespace}-shop`;
    const shop: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    const inShop: KubeObject = { ...configMap('a'), metadata: { name: 'a', namespace: name } };
    await both.push('a', [shop, inShop, configMap('keep')]);
    await both.run('a');
    await both.push('a', [configMap('keep')]);
    const first = await both.record('a');
    assert.match(plannedIn(first).join(), new RegExp(`Namespace ${name}: mark is gone from Git`));
    await both.run('a', 'sync', { confirmPrune: 1 });
    await real.admin.until(`/api/v1/namespaces/${name}`, (live) => live === undefined);
    both.world.clock.advance(10_000);
    await both.run('a', 'health');
    assert.deepEqual(await both.entries('a'), ['ConfigMap keep: applied ours']);
  });
});

describe('protection on a real server', () => {
  test('the annotation counts that a person has put on the live object', async () => {
    const { both, path } = await newNeighbours();
    await both.push('a', [configMap('asks'), configMap('never'), configMap('plain'), configMap('keep')]);
    await both.run('a');
    const annotate = async (name: string, value: string) =>
      real.admin.patch(`${path}/configmaps/${name}`, {
        metadata: { annotations: { 'trueup.dev/prune': value } },
      });
    await annotate('asks', 'confirm');
    await annotate('never', 'disabled');
    await both.push('a', [configMap('keep')]);
    const record = await both.record('a');
    assert.equal(record.outcome?.kind, 'applied');
    assert.match(
      record.outcome.message,
      /no longer in Git: 1 wait for somebody to confirm that they are pruned, 1 are protected from pruning/,
    );
    assert.equal(await real.admin.get(`${path}/configmaps/plain`), undefined);
    await both.run('a', 'sync');
    assert.ok(await real.admin.get(`${path}/configmaps/asks`), 'a sync alone confirms nothing');
    await both.run('a', 'sync', { confirmPrune: 1 });
    assert.equal(await real.admin.get(`${path}/configmaps/asks`), undefined);
    assert.ok(await real.admin.get(`${path}/configmaps/never`));
    assert.deepEqual(await both.entries('a'), [
      'ConfigMap keep: applied ours',
      'ConfigMap never: applied ours protection',
    ]);
  });
});

describe('a deletion that hangs on a real server', () => {
  test('is named with its finalizers, is Degraded after ten minutes, and ends when they are taken off', async () => {
    const { both, path } = await newNeighbours();
    const held: KubeObject = {
      ...configMap('held'),
      metadata: { name: 'held', finalizers: ['example.org/backup', 'example.org/audit'] },
    };
    await both.push('a', [held, configMap('keep')]);
    await both.run('a');
    await both.push('a', [configMap('keep')]);
    const record = await both.record('a');
    const told = record.outcome?.objects.find(({ ref }) => ref.name === 'held');
    assert.equal(told?.outcome, 'pruning');
    assert.match(
      told.message ?? '',
      /^is being deleted since 20.*Z: it waits for whoever takes off its finalizers example\.org\/backup, example\.org\/audit$/,
    );
    assert.match(record.outcome?.message ?? '', /no longer in Git: 1 are being deleted/);
    assert.equal(record.outcome?.kind, 'applied');

    both.world.clock.advance(601_000);
    await both.run('a', 'health');
    const stuck = (await both.inventory('a'))?.health;
    assert.equal(stuck?.status, 'Degraded');
    assert.match(stuck.message, /ConfigMap .*held.* is being deleted since .*example\.org\/backup/);

    await real.admin.patch(`${path}/configmaps/held`, { metadata: { finalizers: null } });
    both.world.clock.advance(601_000);
    await both.run('a', 'health');
    assert.deepEqual(await both.entries('a'), ['ConfigMap keep: applied ours']);
    assert.notEqual((await both.inventory('a'))?.health?.status, 'Degraded');
  });

  test('what the server refuses to delete stays tracked, and is tried again', async () => {
    const { both, path, namespace } = await newNeighbours();
    await both.push('a', [configMap('refused'), configMap('keep')]);
    await both.run('a');
    const policy = `refuse-${namespace}`;
    const policies = '/apis/admissionregistration.k8s.io/v1';
    await real.admin.create(`${policies}/validatingadmissionpolicies`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: policy },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['configmaps'] },
          ],
        },
        validations: [{ expression: "oldObject.metadata.name != 'refused'", message: 'this one stays' }],
      },
    });
    await real.admin.create(`${policies}/validatingadmissionpolicybindings`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: policy },
      spec: {
        policyName: policy,
        validationActions: ['Deny'],
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
      },
    });
    try {
      await both.push('a', [configMap('keep')]);
      const deadline = Date.now() + 30_000;
      // The server takes a moment to heed a new policy.
      for (;;) {
        const probe = await real.admin.ask('DELETE', `${path}/configmaps/refused?dryRun=All`);
        if (probe.status !== 200) break;
        assert.ok(Date.now() < deadline, 'the policy never came into force');
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const record = await both.record('a');
      assert.equal(record.outcome?.kind, 'blocked');
      assert.match(record.outcome.message, /refused: .*this one stays/);
      assert.deepEqual(await both.entries('a'), [
        'ConfigMap keep: applied ours',
        'ConfigMap refused: deleting ours',
      ]);
    } finally {
      await real.admin.remove(`${policies}/validatingadmissionpolicybindings/${policy}`);
      await real.admin.remove(`${policies}/validatingadmissionpolicies/${policy}`);
    }
    await real.admin.until(`${path}/configmaps/keep`, (live) => live !== undefined);
    const deadline = Date.now() + 30_000;
    while ((await both.entries('a')).length > 1) {
      assert.ok(Date.now() < deadline, 'it was never deleted');
      await both.run('a', 'sync');
    }
    assert.equal(await real.admin.get(`${path}/configmaps/refused`), undefined);
  });
});
