import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import { acquireLease } from '../../../core/lease.ts';
import { clusterMemorySchema, type ClusterMemory } from '../../../core/model/memory.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { sweepCluster } from '../../../core/sweep.ts';
import { scriptedWorld, type SweepWorld, configMap, deployment, webAddress } from './sweep-world.ts';

const hour = 3_600_000;
const web = { cluster: 'east', application: 'web' };
const configAddress = { apiVersion: 'v1', plural: 'configmaps', namespace: 'web', name: 'front' };
const observe = { drift: 'observe' } as const;
const good = {
  observedGeneration: 1,
  replicas: 2,
  updatedReplicas: 2,
  readyReplicas: 2,
  availableReplicas: 2,
};

let world: SweepWorld;
beforeEach(async () => {
  world = scriptedWorld();
  await world.deploy('web', [deployment('front'), configMap('front')], observe);
  world.cluster.edit(webAddress, { status: good }, 'kube-controller-manager');
  await world.sweepAll();
  world.sentMetrics();
  world.store.writes.length = 0;
  world.cluster.requests.length = 0;
});

/** Requests for single objects since the last time. */
function looks(): string[] {
  const requests = world.cluster.requests.splice(0);
  return requests
    .filter((request) => /^(get|dry-run) /.test(request))
    .map((request) => request.replace(/ .*\//, ' '));
}

async function memory(): Promise<ClusterMemory | undefined> {
  return (await readDocument(world.store, keys.memory('east'), clusterMemorySchema))?.value;
}

describe('an object that was clean', () => {
  it('is not looked at again while nothing is written to it', async () => {
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.health], ['Synced', 'Healthy']);
    assert.deepEqual(looks(), []);
    assert.deepEqual(world.store.writes, ['checks/east.json']);
  });

  it('is read for its health alone when its status changes, and compared no more than before', async () => {
    const failing = [
      { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'late' },
    ];
    world.cluster.edit(webAddress, { status: { ...good, conditions: failing } }, 'kube-controller-manager');
    world.bus.events.length = 0;
    assert.equal((await world.sweep())?.health, 'Degraded');
    assert.deepEqual(looks(), ['get front']);
    assert.deepEqual(
      world.bus.events.map(({ type, detail }) => [
        type,
        'from' in detail && detail.from,
        'to' in detail && detail.to,
      ]),
      [['HealthChanged', 'Healthy', 'Degraded']],
    );
    const since = (await world.sweep())?.healthSince;
    assert.deepEqual(looks(), []);
    world.clock.advance(60_000);
    assert.equal((await world.sweep())?.healthSince, since);
  });

  it('is compared when its metadata changes, or its generation', async () => {
    world.cluster.edit(webAddress, { metadata: { annotations: { note: 'x' } } });
    await world.sweep();
    assert.deepEqual(looks(), ['get front', 'dry-run front', 'dry-run trueup-defaults']);
    world.cluster.edit(webAddress, { spec: { replicas: 9 } });
    assert.equal((await world.sweep())?.sync, 'Drifted');
  });

  it('is compared whenever it was written to, if its kind has no generation', async () => {
    world.cluster.edit(configAddress, { data: { a: '2' } });
    assert.equal((await world.sweep())?.sync, 'Drifted');
    assert.deepEqual(looks(), ['get front', 'dry-run front']);
    world.cluster.edit(configAddress, { data: { a: '1' } }, 'trueup');
    assert.equal((await world.sweep())?.sync, 'Synced');
    world.cluster.requests.length = 0;
    await world.sweep();
    assert.deepEqual(looks(), []);
  });

  it('is compared when it was deleted and created again, and missed when it is gone', async () => {
    const [, front] = await world.resolve(
      await world.push('web', [deployment('front'), configMap('front')], observe),
    );
    assert.ok(front !== undefined);
    await world.cluster.delete(front.address);
    await world.cluster.apply(front.address, front.object, { dryRun: false, force: true });
    world.cluster.requests.length = 0;
    await world.sweep();
    assert.deepEqual(looks(), ['get front', 'dry-run front']);
    await world.cluster.delete(front.address);
    const check = await world.sweep();
    assert.deepEqual([check?.drifted, check?.health], [1, 'Missing']);
  });

  it('is asked for by its name before it is called missing: only its label may be gone', async () => {
    world.cluster.edit(configAddress, { metadata: { labels: { 'trueup.dev/application': null } } });
    world.cluster.requests.length = 0;
    assert.equal((await world.sweep())?.drifted, 1);
    assert.deepEqual(looks(), ['get front', 'dry-run front']);
    const [record] = await world.records();
    assert.equal(record?.drift.fields[0]?.path, 'metadata.labels["trueup.dev/application"]');
  });

  it('is compared when other rules judge it; a commit that changes neither it nor them costs nothing', async () => {
    const pointer = await world.push('web', [deployment('front'), configMap('front')], observe);
    await world.changePointer('web', { revision: 1, seq: pointer.seq + 1 });
    await world.sweep();
    assert.deepEqual(looks(), []);
    const rules = [{ match: {}, fields: ['/spec/replicas'], drift: 'ignore' as const }];
    await world.changePointer('web', { settings: { ...pointer.settings, rules } });
    await world.sweep();
    assert.equal(looks().length, 4);
  });

  it('is trusted by its version alone where a rule may look at its status', async () => {
    const rules = [{ match: {}, when: 'object.status.replicas == 0', drift: 'ignore' as const }];
    const pointer = await world.deploy('web', [deployment('front'), configMap('front')], {
      ...observe,
      rules,
    });
    await world.sweep();
    world.cluster.requests.length = 0;
    world.cluster.edit(webAddress, { status: { ...good, replicas: 1 } }, 'kube-controller-manager');
    await world.sweep();
    assert.deepEqual(looks(), ['get front', 'dry-run front']);
    assert.equal(pointer.revision, 2);
  });
});

describe('what is remembered of a cluster', () => {
  it('counts no more when the server has another version', async () => {
    world.cluster.server = 'v1.37.0';
    await world.sweep();
    assert.equal(looks().length, 4);
    await world.sweep();
    assert.deepEqual(looks(), []);
  });

  it('may be lost, cut off or nonsense: then everything is compared, once', async () => {
    const text = (await world.store.get(keys.memory('east')))?.text ?? '';
    const rows = text.replaceAll(/\["(apps\/Deployment[^"]*)",/g, '["$1",7,');
    assert.notEqual(rows, text);
    for (const broken of ['', text.slice(0, 100), '{"version":1}', 'null', rows]) {
      await world.store.put(keys.memory('east'), broken, 'any');
      assert.equal((await world.sweep())?.sync, 'Synced');
      assert.equal(looks().length, 4, broken.slice(0, 40));
      assert.equal((await memory())?.targets['web']?.objects.length, 2);
    }
    await world.store.delete(keys.memory('east'), 'any');
    await world.sweep();
    assert.equal(looks().length, 4);
  });

  it('is dropped when the server is older than it was: a restored backup, which is told once', async () => {
    await world.deploy('shop', [configMap('shop')], { intervalSeconds: 3600 });
    await world.sweepAll();
    world.sentMetrics();
    world.clock.advance(60_000);
    world.cluster.restore(50);
    world.cluster.tamper(webAddress, { spec: { replicas: 9 } });
    const { restored, targets } = await world.sweepAll();
    assert.deepEqual([restored?.to, targets['web']?.sync], ['50', 'Drifted']);
    assert.equal(targets['shop']?.at, targets['web']?.at, 'though it was not due yet');
    assert.ok(world.sentMetrics().includes('fleet RestoredServers 1'));
    await world.sweepAll();
    assert.ok(!world.sentMetrics().some((sent) => sent.startsWith('fleet RestoredServers')));
  });

  it('compares versions as numbers', async () => {
    world.cluster.restore(1_000_000);
    await world.sweepAll();
    assert.equal((await world.sweepAll()).restored, undefined);
  });

  it('is dropped when an exact check finds what a glance did not, which is told', async () => {
    world.cluster.tamper(webAddress, { spec: { replicas: 9 } });
    assert.equal((await world.sweep())?.sync, 'Synced');
    world.clock.advance(7 * hour);
    const { missed, targets } = await world.sweepAll();
    assert.deepEqual([missed?.objects, targets['web']?.sync], [['Deployment web/front'], 'Drifted']);
    assert.ok(world.sentMetrics().includes('fleet MissedDrift 1'));
    assert.deepEqual((await memory())?.targets, {});
  });

  it('holds no value of any object', async () => {
    await world.deploy('shop', [configMap('shop', { secret: 'hunter2' })]);
    world.cluster.edit(
      { ...configAddress, name: 'shop' },
      { metadata: { annotations: { note: 'hunter2' } } },
      'trueup',
    );
    await world.sweepAll();
    assert.doesNotMatch((await world.store.get(keys.memory('east')))?.text ?? '', /hunter2/);
  });
});

describe('a full check', () => {
  it('comes by the clock, and whenever somebody asks for it', async () => {
    await sweepCluster({ cluster: 'east', requestedBy: 'test', full: true }, world.deps);
    assert.equal(looks().length, 4);
    world.clock.advance(7 * hour);
    await world.sweep();
    assert.equal(looks().length, 4);
  });

  it('of many targets is spread over the sweeps of its period', async () => {
    for (let index = 0; index < 60; index += 1) await world.deploy(`app${index}`, [configMap(`c${index}`)]);
    await world.sweepAll();
    const due: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      world.clock.advance(hour / 2);
      world.cluster.requests.length = 0;
      await world.sweepAll();
      due.push(world.cluster.requests.filter((request) => request.startsWith('dry-run')).length);
    }
    assert.equal(
      due.reduce((sum, each) => sum + each, 0),
      62,
    );
    assert.ok(Math.max(...due) < 20, String(due));
  });

  it('reads many objects of a kind by one list', async () => {
    for (let index = 0; index < 30; index += 1) await world.deploy(`app${index}`, [configMap(`c${index}`)]);
    world.cluster.requests.length = 0;
    await sweepCluster({ cluster: 'east', requestedBy: 'test', full: true }, world.deps);
    const kinds = Object.groupBy(world.cluster.requests, (request) => request.split(' ')[0] ?? '');
    assert.deepEqual([kinds['get']?.length, kinds['list']?.length, kinds['dry-run']?.length], [1, 3, 32]);
  });
});

describe('beside running work', () => {
  it('a run that writes while objects are listed makes the target Reconciling', async () => {
    const meanwhile: Promise<unknown>[] = [];
    world.cluster.before = (request) => {
      if (request !== 'list deployments') return;
      world.cluster.edit(webAddress, { spec: { replicas: 3 } }, 'trueup');
      meanwhile.push(acquireLease(world.deps, web));
    };
    assert.equal((await world.sweep())?.sync, 'Reconciling');
    await Promise.all(meanwhile);
    world.cluster.before = () => undefined;
    world.clock.advance(hour);
    assert.equal((await world.sweep())?.sync, 'Drifted', 'it died there: what it wrote nobody desires');
  });

  it('a run that has written nothing yet leaves true what is said of the last one', async () => {
    const meanwhile: Promise<unknown>[] = [];
    world.cluster.before = (request) => {
      if (request === 'list deployments') meanwhile.push(acquireLease(world.deps, web));
    };
    assert.equal((await world.sweep())?.sync, 'Synced');
    await Promise.all(meanwhile);
    world.cluster.before = () => undefined;
    assert.equal((await world.sweep())?.sync, 'Reconciling', 'the next sweep finds its lease');
  });

  it('another sweep of the same cluster does no harm', async () => {
    world.cluster.edit(configAddress, { data: { a: '2' } });
    await world.deploy('shop', [configMap('shop')]);
    const [one, other] = await Promise.all([world.sweepAll(), world.sweepAll()]);
    for (const { targets } of [one, other]) {
      assert.deepEqual([targets['web']?.sync, targets['shop']?.sync], ['Drifted', 'Synced']);
    }
    assert.equal((await world.records()).length, 1);
    const { targets, missed, restored } = await world.sweepAll();
    assert.deepEqual(
      [targets['web']?.sync, targets['shop']?.sync, missed, restored],
      ['Drifted', 'Synced', undefined, undefined],
    );
  });
});

describe('a clean sweep of 1,001 objects', () => {
  it('asks for one list a kind, reads three documents and writes one', async () => {
    const kinds: readonly (readonly [string, string])[] = [
      ['v1', 'ConfigMap'],
      ['v1', 'ServiceAccount'],
      ['networking.k8s.io/v1', 'Ingress'],
    ];
    for (let index = 0; index < 250; index += 1) {
      const name = `app${index}`;
      const others = kinds.map(([apiVersion, kind]): KubeObject => ({
        apiVersion,
        kind,
        metadata: { name, namespace: 'web' },
      }));
      await world.deploy(name, [deployment(name), ...others]);
    }
    await world.sweepAll();
    world.cluster.requests.length = 0;
    world.store.writes.length = 0;
    const reads: string[] = [];
    const { store } = world;
    const get = store.get.bind(store);
    const entries = store.entries.bind(store);
    store.get = async (key) => (reads.push(`get ${key}`), get(key));
    store.entries = async (prefix) => (reads.push(`entries ${prefix}`), entries(prefix));
    const { targets } = await world.sweepAll();
    assert.equal(Object.values(targets).filter(({ sync }) => sync === 'Synced').length, 251);
    // Discovery is two requests, and the version one: eight in all.
    assert.deepEqual(world.cluster.requests.toSorted(), [
      'list configmaps',
      'list deployments',
      'list ingresses',
      'list serviceaccounts',
      'resources',
    ]);
    assert.deepEqual(reads.toSorted(), [
      'entries asked/east/',
      'entries desired/east/',
      'entries inventory/east/',
      'entries leases/east/',
      'get checks/east.json',
      'get facts/east.json.gz',
      'get memory/east.json.gz',
    ]);
    assert.deepEqual(world.store.writes, ['checks/east.json']);
  });
});
