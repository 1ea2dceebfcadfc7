import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { updateDocument } from '../../../core/documents.ts';
import { Blocked } from '../../../core/errors.ts';
import { inventorySchema } from '../../../core/model/inventory.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld, type PushOptions } from './reconcile-world.ts';
import { annotated, job } from './rollout.ts';
import { Killed, mortal } from './mortal.ts';

/** A run of a preview environment touches nothing outside of the namespace that it made itself. */

const bounds = { application: 'shop', pull: '1', url: 'https://git.example/1', namespace: 'web-pr-1' };
const environment = { ...bounds, clusterKinds: [] };
const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'web-pr-1' } };
const address = { apiVersion: 'v1', plural: 'namespaces', name: 'web-pr-1' };
const gone: PushOptions = { environment, state: 'gone', onDelete: 'prune' };
const many = Array.from({ length: 20 }, (_, index) => configMap(`a${index}`));

function newWorld(namespaces: readonly string[] = ['default']) {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock, namespaces);
  const world = new ReconcileWorld(clock, cluster, { namespace: 'web-pr-1' });
  return { world, cluster, clock };
}

async function refusal(world: ReconcileWorld<ManualClock>, says: RegExp): Promise<void> {
  const { outcome } = await world.record();
  assert.equal(outcome?.kind, 'blocked');
  assert.match(outcome.message, says);
  assert.deepEqual(outcome.objects, []);
}

describe('an environment is refused as a whole', () => {
  test('where its namespace is somebody else’s, though it may adopt', async () => {
    for (const adopt of [false, true]) {
      const { world, cluster } = newWorld(['default', 'web-pr-1']);
      const allowed = annotated(namespace, { adopt: 'allowed' });
      await world.push([adopt ? allowed : namespace, configMap('a')], { environment, adopt });
      await refusal(
        world,
        /Namespace web-pr-1 exists, and was not made for this environment: nothing is put/,
      );
      assert.deepEqual(cluster.effects, []);
      await world.push([namespace, configMap('a')], gone);
      await world.record();
      assert.deepEqual(cluster.effects, [], 'nor does its end take anything away');
    }
  });

  test('where its namespace was deleted and made again by others', async () => {
    const { world, cluster, clock } = newWorld();
    await world.push([namespace, configMap('a')], { environment });
    await world.record();
    cluster.remove(address);
    cluster.remove({ apiVersion: 'v1', plural: 'configmaps', namespace: 'web-pr-1', name: 'a' });
    cluster.write(address, { kind: 'Namespace' });
    cluster.effects.length = 0;
    await world.push([namespace, configMap('a', { a: '2' })], { environment });
    await refusal(world, /was not made for this environment/);
    await world.push([namespace, configMap('a')], gone);
    await world.record();
    clock.advance(3600_000);
    await world.record('sync');
    assert.deepEqual(cluster.effects, []);
  });

  const elsewhere = { ...configMap('a'), metadata: { name: 'a', namespace: 'default' } };
  const crd: KubeObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'gadgets.example.org' },
    spec: {
      group: 'example.org',
      scope: 'Cluster',
      names: { kind: 'Gadget', plural: 'gadgets' },
      versions: [{ name: 'v1', served: true }],
    },
  };
  const gadget: KubeObject = { apiVersion: 'example.org/v1', kind: 'Gadget', metadata: { name: 'g' } };

  test('for an object that is in another namespace', async () => {
    const { world, cluster } = newWorld();
    await world.push([namespace, configMap('b'), elsewhere], { environment });
    await refusal(
      world,
      /ConfigMap default\/a: is not in web-pr-1, the namespace of this preview environment/,
    );
    assert.deepEqual(cluster.effects, []);
  });

  test('for a kind that only the cluster knows to be cluster-scoped, unless it is allowed', async () => {
    const { world, cluster } = newWorld();
    cluster.write(
      { apiVersion: crd.apiVersion, plural: 'customresourcedefinitions', name: crd.metadata.name },
      crd,
    );
    await world.push([namespace, gadget], { environment });
    await refusal(world, /Gadget\.example\.org g: example\.org\/Gadget is cluster-scoped, and/);
    await world.push([namespace, gadget], {
      environment: { ...bounds, clusterKinds: ['example.org/Gadget'] },
    });
    assert.deepEqual(didIn(await world.record()), ['created Gadget g', 'created Namespace web-pr-1']);
  });

  test('where its inventory says of anything else that it is to be pruned', async () => {
    for (const state of ['present', 'gone'] as const) {
      const { world, cluster } = newWorld();
      await world.push([namespace, configMap('a')], { environment });
      await world.record();
      const other = { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'theirs' };
      const live = cluster.write(other, { kind: 'ConfigMap' });
      const ref = { group: '', kind: 'ConfigMap', namespace: 'default', name: 'theirs' };
      const { uid } = live.metadata;
      const entry = {
        ref,
        apiVersion: 'v1',
        plural: 'configmaps',
        uid,
        created: true,
        adopted: false,
        state: 'applied' as const,
      };
      await updateDocument(
        world.store,
        keys.inventory(world.target),
        inventorySchema,
        (current) =>
          current && {
            ...current,
            entries: { ...current.entries, '/ConfigMap/default/theirs': entry },
          },
      );
      cluster.effects.length = 0;
      await world.push([namespace, configMap('a')], { environment, state, onDelete: 'prune' });
      await refusal(world, /ConfigMap default\/theirs: is not in web-pr-1/);
      assert.deepEqual(cluster.effects, []);
    }
  });
});

describe('the end of an environment', () => {
  test('takes all of it, however much that is, and its namespace ten minutes later', async () => {
    const { world, cluster, clock } = newWorld();
    await world.push([namespace, ...many], { environment });
    await world.record();
    await world.push([namespace, ...many], gone);
    const { outcome } = await world.record();
    assert.equal(outcome?.counts.pruned, 20);
    assert.ok(cluster.live(address), 'whoever opens it again finds its volumes');
    clock.advance(11 * 60_000);
    assert.deepEqual(didIn(await world.record('pending')), ['pruned Namespace web-pr-1']);
    assert.deepEqual((await world.inventory()).entries, {});
  });

  test('leaves the namespace while another application has something in it', async () => {
    const { world, cluster, clock } = newWorld();
    await world.push([namespace, configMap('a')], { environment });
    await world.record();
    const target = { cluster: 'east', application: 'guest' };
    const guest = new ReconcileWorld(clock, cluster, { namespace: 'web-pr-1', target });
    Object.assign(guest, { store: world.store });
    await guest.push([configMap('theirs')]);
    await guest.record();
    await world.push([namespace, configMap('a')], gone);
    await world.record();
    clock.advance(11 * 60_000);
    await world.run('pending');
    assert.ok(cluster.live(address));
    assert.ok(
      cluster.live({ apiVersion: 'v1', plural: 'configmaps', namespace: 'web-pr-1', name: 'theirs' }),
    );
  });
});

test('an update may prune more than the cap: the pull request is what there is', async () => {
  const { world } = newWorld();
  await world.push([namespace, ...many], { environment });
  await world.record();
  await world.push([namespace, ...many.slice(0, 1)], { environment });
  assert.equal((await world.record()).outcome?.counts.pruned, 19);
});

test('what nobody has merged yet rings no alarm; what stays behind of it does', async () => {
  const { world } = newWorld(['default', 'web-pr-1']);
  await world.push([namespace], { environment });
  assert.equal((await world.record()).outcome?.kind, 'blocked');
  assert.deepEqual(world.metrics.data, []);
  const second = newWorld();
  await second.world.push([namespace, configMap('a')], { environment });
  await second.world.record();
  second.cluster.hook = (request, when) => {
    if (when === 'before' && request.startsWith('delete'))
      throw new Blocked({ subject: 'east', message: 'no' });
  };
  await second.world.push([namespace, configMap('a')], gone);
  await second.world.record();
  assert.ok(second.world.metrics.data.some(({ name }) => name === 'FailedRuns'));
});

test('its namespace is there before its pre hooks run', async () => {
  const { world, cluster } = newWorld();
  const hook = job('migrate', { hook: 'pre' });
  await world.push([namespace, hook, configMap('a')], { environment });
  await world.record();
  assert.deepEqual(cluster.effects, [
    'apply v1/namespaces//web-pr-1',
    'apply batch/v1/jobs/web-pr-1/migrate',
  ]);
});

test('killed at each of its effects, the next run takes its namespace for what it is: its own', async () => {
  let points = 0;
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; ; at += 1) {
      const { world, cluster, clock } = newWorld();
      await world.push([namespace, job('migrate', { hook: 'pre' }), configMap('a')], { environment });
      const dying = mortal(world.deps, { at, when });
      const ended = await world.run('push', dying.deps).then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          return false;
        },
      );
      if (ended) break;
      points += 1;
      clock.advance(200_000);
      const { outcome } = await world.record('pending');
      assert.notEqual(outcome?.kind, 'blocked', `killed ${when} effect ${at}: ${outcome?.message}`);
      assert.ok(cluster.live(address));
      assert.equal((await world.inventory()).entries['/Namespace//web-pr-1']?.created, true);
    }
  }
  assert.ok(points > 10, `${points} points`);
});
