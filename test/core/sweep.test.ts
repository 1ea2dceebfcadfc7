import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { acquireLease } from '../../core/lease.ts';
import { sweepFleet } from '../../core/sweep.ts';
import {
  scriptedWorld,
  type SweepWorld,
  configMap,
  deployment,
  secret,
  webAddress,
} from './sweep/sweep-world.ts';

const shopAddress = { apiVersion: 'v1', plural: 'configmaps', namespace: 'web', name: 'shop' };
const minute = 60_000;
const scaled = { spec: { replicas: 9 } };
const observe = { drift: 'observe' } as const;

let world: SweepWorld;
beforeEach(() => {
  world = scriptedWorld();
});

function reasons(): string[] {
  return world.queues.later.map(({ request: { target, reason } }) => `${target.application} ${reason}`);
}

async function states(): Promise<string[]> {
  return (await world.records()).map((record) => `${record?.drift.kind} ${record?.state}`);
}

describe('a sweep that finds nothing', () => {
  it('looks at everything once, and remembers it', async () => {
    await world.deploy('web', [deployment('front'), configMap('front')]);
    await world.deploy('shop', [configMap('shop')]);
    world.store.writes.length = 0;
    world.cluster.requests.length = 0;
    await world.sweepAll();
    const written = ['facts/east.json.gz', 'checks/east.json', 'memory/east.json.gz'];
    assert.deepEqual(world.store.writes, written);
    const kinds = Object.groupBy(world.cluster.requests, (request) => request.split(' ')[0] ?? '');
    assert.deepEqual([kinds['get']?.length, kinds['dry-run']?.length, kinds['list']?.length], [3, 3, 2]);
  });

  it('writes one document for all targets, sends one figure, and asks for lists alone', async () => {
    await world.deploy('web', [deployment('front'), configMap('front')]);
    await world.deploy('shop', [configMap('shop')]);
    await world.sweepAll();
    world.sentMetrics();
    world.store.writes.length = 0;
    world.cluster.requests.length = 0;
    const { targets, requestedBy } = await world.sweepAll();
    assert.deepEqual(
      Object.values(targets).map(({ sync, reason, drifted, revision }) => [sync, reason, drifted, revision]),
      [
        ['Synced', '', 0, 1],
        ['Synced', '', 0, 1],
      ],
    );
    assert.equal(requestedBy, 'test');
    assert.deepEqual(world.store.writes, ['checks/east.json']);
    assert.deepEqual(world.sentMetrics(), []);
    assert.deepEqual([world.bus.events, world.queues.later], [[], []]);
    assert.deepEqual(world.cluster.requests.toSorted(), ['list configmaps', 'list deployments', 'resources']);
  });

  it('leaves a target alone that is not due yet, and does not call it unchecked', async () => {
    await world.deploy('web', [configMap('front')], { intervalSeconds: 3600 });
    const first = await world.sweep();
    world.clock.advance(30 * minute);
    world.cluster.edit({ ...shopAddress, name: 'front' }, { data: { a: '2' } });
    const { targets, oldestAt } = await world.sweepAll();
    assert.deepEqual([targets['web'], oldestAt], [first, '2026-11-23T12:30:00.000Z']);
    world.clock.advance(30 * minute);
    assert.equal((await world.sweep())?.sync, 'Drifted');
  });
});

describe('drift', () => {
  it('is recorded, told and healed by a run where the mode is heal', async () => {
    await world.deploy('web', [deployment('front')]);
    world.cluster.edit(webAddress, scaled);
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.drifted], ['Drifted', 1]);
    const [record] = await world.records();
    assert.equal(record?.drift.fields[0]?.path, 'spec.replicas');
    assert.deepEqual([record?.mode, record?.drift.fields[0]?.manager], ['heal', 'kubectl-edit']);
    assert.deepEqual(
      world.bus.events.map(({ type }) => type),
      ['DriftDetected'],
    );
    assert.deepEqual(reasons(), ['web heal']);
  });

  it('is only recorded where the mode is observe; figures are sent while it lasts and once as 0', async () => {
    await world.deploy('web', [deployment('front')], observe);
    world.cluster.edit(webAddress, scaled);
    await world.sweep();
    assert.deepEqual(reasons(), []);
    const figures = ['DriftedObjects 1', 'OldestDriftSeconds 3600', 'ForeignFields 0'];
    const ofFleet = figures.map((each) => `fleet ${each}`);
    assert.deepEqual(world.sentMetrics(), ['fleet DetectSeconds 3600', ...figures, ...ofFleet]);
    world.store.writes.length = 0;
    world.clock.advance(minute);
    await world.sweep();
    assert.deepEqual(world.store.writes, ['checks/east.json']);
    assert.ok(world.sentMetrics().includes('OldestDriftSeconds 3660'));
    world.cluster.edit(webAddress, { spec: { replicas: 2 } }, 'trueup');
    assert.equal((await world.sweep())?.sync, 'Synced');
    assert.deepEqual(await states(), ['fields reverted']);
    assert.ok(world.sentMetrics().includes('DriftedObjects 0'));
    await world.sweep();
    assert.deepEqual(world.sentMetrics(), []);
  });

  it('by foreign fields alone is recorded under a figure of its own: no alarm, no run', async () => {
    await world.deploy('web', [deployment('front')]);
    world.cluster.edit(webAddress, { metadata: { annotations: { note: 'x' } } });
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.drifted], ['Synced', 0]);
    assert.deepEqual(await states(), ['fields open']);
    assert.deepEqual(world.sentMetrics().slice(0, 3), [
      'DriftedObjects 0',
      'OldestDriftSeconds 0',
      'ForeignFields 1',
    ]);
    assert.deepEqual(reasons(), []);
  });

  it('is seen when an object is gone, and when our label was taken off', async () => {
    await world.deploy('web', [deployment('front'), configMap('front')], observe);
    await world.cluster.delete({ ...shopAddress, name: 'front' });
    const check = await world.sweep();
    assert.deepEqual(await states(), ['missing open']);
    assert.deepEqual(
      [check?.health, check?.healthMessage],
      ['Missing', 'ConfigMap web/front: Missing: is not on the cluster'],
    );
    world.cluster.edit(webAddress, { metadata: { labels: { 'trueup.dev/application': 'other' } } });
    assert.equal((await world.sweep())?.drifted, 2);
  });

  it('by an extra object is recorded and never healed; another application knows its own', async () => {
    await world.deploy('web', [configMap('front')]);
    await world.deploy('shop', [configMap('shop')]);
    const label = { metadata: { labels: { 'trueup.dev/application': 'web' } } };
    const copy = { ...shopAddress, name: 'copy' };
    world.cluster.edit(
      copy,
      { ...configMap('copy'), ...label, metadata: { ...label.metadata, name: 'copy', namespace: 'web' } },
      'kubectl-create',
    );
    assert.equal((await world.sweep())?.drifted, 1);
    assert.deepEqual(await states(), ['extra open']);
    assert.deepEqual(reasons(), []);
    await world.cluster.delete(copy);
    await world.sweep();
    assert.deepEqual(await states(), ['extra reverted']);
  });

  it('is no object that pruning was told to leave behind', async () => {
    const pointer = await world.deploy('web', [configMap('front'), configMap('old')], { prune: false });
    const old = (await world.resolve(pointer)).find(({ ref }) => ref.name === 'old');
    await world.changeInventory('web', ({ entries }) => ({
      entries: Object.fromEntries(Object.entries(entries).filter(([key]) => key !== old?.key)),
    }));
    assert.equal((await world.sweep())?.sync, 'Synced');
    await world.changePointer('web', { settings: { ...pointer.settings, prune: true } });
    assert.equal((await world.sweep())?.drifted, 1);
  });

  it('of a Secret shows nowhere in the clear', async () => {
    await world.deploy('web', [secret('key', 'c2VjcmV0')], observe);
    const address = { apiVersion: 'v1', plural: 'secrets', namespace: 'web', name: 'key' };
    world.cluster.edit(address, { data: { password: 'b3RoZXI=' } });
    await world.sweep();
    const names = await Array.fromAsync(world.store.list(''));
    const texts = await Promise.all(
      names.filter((name) => !name.startsWith('snapshots/')).map((name) => world.store.get(name)),
    );
    const everything = JSON.stringify([texts, world.bus.events]);
    assert.match(everything, /hmac:[0-9a-f]{64}/);
    assert.doesNotMatch(everything, /c2VjcmV0|b3RoZXI=/);
  });
});

describe('health', () => {
  it('is read again though nothing was pushed and nothing drifts: Degraded is a figure, and once 0', async () => {
    await world.deploy('web', [deployment('front')]);
    const failing = [
      {
        type: 'Progressing',
        status: 'False',
        reason: 'ProgressDeadlineExceeded',
        message: 'no pod became ready',
      },
    ];
    world.cluster.edit(
      webAddress,
      { status: { observedGeneration: 1, conditions: failing } },
      'kube-controller-manager',
    );
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.health], ['Synced', 'Degraded']);
    assert.match(
      check?.healthMessage ?? '',
      /Deployment web\/front: ProgressDeadlineExceeded: no pod became ready/,
    );
    assert.deepEqual(world.sentMetrics(), ['DegradedTargets 1', 'fleet DegradedTargets 1']);
    const good = {
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      conditions: [],
    };
    world.cluster.edit(webAddress, { status: good }, 'kube-controller-manager');
    assert.equal((await world.sweep())?.health, 'Healthy');
    assert.deepEqual(world.sentMetrics(), ['DegradedTargets 0', 'fleet DegradedTargets 0']);
    await world.sweep();
    assert.deepEqual(world.sentMetrics(), []);
  });
});

describe('targets that are gone from Git', () => {
  it('are Pending while they have objects, and forgotten once they have none', async () => {
    const { revision } = await world.deploy('web', [configMap('front')]);
    await world.changePointer('web', { state: 'gone', revision: revision + 1 });
    const check = await world.sweep();
    assert.deepEqual(
      [check?.sync, check?.reason],
      ['Pending', 'its Application is gone from Git; its objects are about to go'],
    );
    await world.changeInventory('web', () => ({ entries: {} }));
    assert.deepEqual((await world.sweepAll()).targets, {});
  });

  it('drift no more once nothing is left of them: what was open is closed, unless a run is at work', async () => {
    const { revision } = await world.deploy('web', [deployment('front'), configMap('front')], observe);
    world.cluster.edit(webAddress, { metadata: { annotations: { note: 'x' } } });
    world.cluster.edit({ ...shopAddress, name: 'front' }, { data: { a: '2' } });
    await world.sweep();
    await world.changePointer('web', { state: 'gone', revision: revision + 1 });
    await world.changeInventory('web', () => ({ entries: {} }));
    const lease = await acquireLease(world.deps, { cluster: 'east', application: 'web' });
    await world.sweep();
    assert.deepEqual(await states(), ['fields open', 'fields open']);
    await lease?.release();
    world.sentMetrics();
    await world.sweep();
    assert.deepEqual(await states(), ['fields overwritten', 'fields overwritten']);
    assert.ok(world.sentMetrics().includes('DriftedObjects 0'));
    await world.sweep();
    assert.deepEqual(world.sentMetrics(), []);
  });
});

describe('a sweep of the fleet', () => {
  it('is a request for each configured cluster', async () => {
    const finder = { list: async () => ({ clusters: [], unread: undefined }) };
    await sweepFleet({ ...world.deps, finder }, 'schedule');
    assert.deepEqual(
      world.queues.sweeps.map((request) => [
        request.scope,
        'cluster' in request ? request.cluster : '',
        request.requestedBy,
      ]),
      [
        ['cluster', 'east', 'schedule'],
        ['cluster', 'west', 'schedule'],
      ],
    );
  });
});
