import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import { acquireLease } from '../../../core/lease.ts';
import { clusterMemorySchema, type ClusterMemory, type ObjectMemory } from '../../../core/model/memory.ts';
import { sweepCluster } from '../../../core/sweep.ts';
import { configMap, deployment, scriptedWorld, webAddress, type SweepWorld } from './sweep-world.ts';

/** A list that is what it was is not read: what may be concluded from that, and what may not. */

const hour = 3_600_000;
const observe = { drift: 'observe' } as const;
const mapAddress = { apiVersion: 'v1', plural: 'configmaps', namespace: 'web', name: 'front' };
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
  await world.sweepAll();
  forget();
});

function forget(): void {
  world.cluster.requests.length = 0;
  world.cluster.read.length = 0;
  world.store.writes.length = 0;
}

/** Kinds whose lists were read since the last time. */
function read(): string[] {
  return [...new Set(world.cluster.read.splice(0))].sort();
}

/** Requests for single objects since the last time. */
function looks(): number {
  return world.cluster.requests.splice(0).filter((request) => /^(get|dry-run) /.test(request)).length;
}

async function memory(): Promise<ClusterMemory> {
  const document = await readDocument(world.store, keys.memory('east'), clusterMemorySchema);
  assert.ok(document !== undefined);
  return document.value;
}

async function changeMemory(change: (current: ClusterMemory) => Partial<ClusterMemory>): Promise<void> {
  const current = await memory();
  const next = { ...current, seq: current.seq + 1, ...change(current) };
  await world.store.put(keys.memory('east'), JSON.stringify(next), 'any');
}

describe('a list that is what it was', () => {
  it('is not read, and every target is as it was', async () => {
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.health], ['Synced', 'Healthy']);
    assert.deepEqual([read(), looks()], [[], 0]);
    assert.deepEqual(world.store.writes, ['checks/east.json']);
  });

  it('is told kind by kind', async () => {
    world.cluster.edit(webAddress, { status: { ...good, note: 'x' } }, 'kube-controller-manager');
    assert.equal((await world.sweep())?.sync, 'Synced');
    assert.deepEqual(read(), ['deployments']);
    await world.sweep();
    assert.deepEqual(read(), [], 'and is known again at once');
  });

  it('hides no object that goes, comes again, or loses its label', async () => {
    world.cluster.edit(mapAddress, { metadata: { labels: { 'trueup.dev/application': null } } });
    assert.equal((await world.sweep())?.drifted, 1);
    world.cluster.edit(mapAddress, { metadata: { labels: { 'trueup.dev/application': 'web' } } }, 'trueup');
    await world.sweep();
    assert.equal((await world.sweep())?.drifted, 0);
    const { object } = (await world.resolve(await world.push('web', [configMap('front')], observe)))[0] ?? {};
    assert.ok(object !== undefined);
    await world.deploy('web', [deployment('front'), configMap('front')], observe);
    await world.sweep();
    await world.cluster.delete(mapAddress);
    assert.equal((await world.sweep())?.drifted, 1);
    await world.cluster.apply(mapAddress, object, { dryRun: false, force: true });
    forget();
    await world.sweep();
    assert.deepEqual(read(), ['configmaps']);
    assert.ok(looks() > 0, 'another object of the same name is compared');
  });

  it('says nothing where the server is older than it was', async () => {
    world.cluster.restore(50);
    world.cluster.tamper(webAddress, { spec: { replicas: 9 } });
    assert.equal((await world.sweep())?.sync, 'Drifted');
    assert.deepEqual(read(), ['configmaps', 'deployments']);
  });

  it('says nothing to another engine, nor of another server', async () => {
    world.cluster.tamper(webAddress, { spec: { replicas: 9 } });
    await changeMemory(({ engine }) => ({ engine: engine - 1 }));
    assert.equal((await world.sweep())?.sync, 'Drifted');
    world.cluster.tamper(webAddress, { spec: { replicas: 2 } });
    await world.sweep();
    await world.sweep();
    assert.deepEqual(read(), ['configmaps', 'deployments']);
    forget();
    await world.sweep();
    assert.deepEqual(read(), []);
    world.cluster.tamper(webAddress, { spec: { replicas: 9 } });
    world.cluster.server = 'v1.37.0';
    assert.equal((await world.sweep())?.sync, 'Drifted');
    assert.deepEqual(read(), ['configmaps', 'deployments']);
  });

  it('says nothing of a kind that is another one', async () => {
    await changeMemory(({ kinds }) => ({
      kinds: {
        ...kinds,
        'apps/Deployment': { generationCounts: true, ...kinds['apps/Deployment'], identity: 'v2' },
      },
    }));
    world.cluster.tamper(webAddress, { spec: { replicas: 9 } });
    assert.equal((await world.sweep())?.sync, 'Drifted');
    assert.deepEqual(read(), ['deployments']);
  });

  it('does not speak for other rules', async () => {
    const rules = [{ match: {}, fields: ['/spec/replicas'], drift: 'ignore' as const }];
    await world.changePointer('web', { settings: { ...(await settings()), rules } });
    await world.sweep();
    assert.equal(looks(), 4, 'both objects are compared');
    assert.deepEqual(read(), [], 'though nothing was written to them');
  });

  it('does not make up for a run that wrote meanwhile', async () => {
    const target = { cluster: 'east', application: 'web' };
    const meanwhile: Promise<unknown>[] = [];
    world.cluster.before = (request) => {
      if (request !== 'list deployments') return;
      world.cluster.edit(webAddress, { spec: { replicas: 3 } }, 'trueup');
      meanwhile.push(acquireLease(world.deps, target));
    };
    assert.equal((await world.sweep())?.sync, 'Reconciling');
    await Promise.all(meanwhile);
  });

  it('leaves a full check what it is', async () => {
    await sweepCluster({ cluster: 'east', requestedBy: 'test', full: true }, world.deps);
    assert.equal(looks(), 4);
    world.cluster.tamper(webAddress, { spec: { replicas: 9 } });
    world.clock.advance(7 * hour);
    const { missed } = await world.sweepAll();
    assert.deepEqual(missed?.objects, ['Deployment web/front']);
    assert.deepEqual((await memory()).kinds['apps/Deployment']?.list, undefined, 'nothing of it is trusted');
  });

  it('does not stop the clock of an object that only time changes', async () => {
    const timed = ([key, uid, version, ...rest]: ObjectMemory): ObjectMemory => {
      const [generation, metadata, desired] = rest;
      return [key, uid, version, generation, metadata, desired, 'timed\nProgressing\nLate\nit is late'];
    };
    await changeMemory(({ targets }) => {
      const web = targets['web'];
      assert.ok(web !== undefined);
      const objects = web.objects.map((row) => (row[0].includes('Deployment') ? timed(row) : row));
      return { targets: { ...targets, web: { ...web, objects } } };
    });
    assert.equal((await world.sweep())?.health, 'Healthy');
    assert.deepEqual([read(), looks()], [[], 1], 'it is read for its health, and nothing else is');
  });
});

describe('whose objects they are', () => {
  it('is asked again when an inventory lets go of one that stays', async () => {
    await world.deploy('shop', [configMap('shop')]);
    await world.sweepAll();
    await world.sweepAll();
    forget();
    await world.changeInventory('web', ({ entries }) => ({
      entries: Object.fromEntries(Object.entries(entries).filter(([key]) => !key.includes('ConfigMap'))),
    }));
    for (const _ of [1, 2]) {
      await world.sweep();
      assert.deepEqual([await states(), read()], [['extra open'], ['configmaps']], 'for as long as it stays');
    }
    await world.cluster.delete(mapAddress);
    await world.sweep();
    assert.deepEqual(await states(), ['extra reverted']);
    await world.sweep();
    forget();
    await world.sweep();
    assert.deepEqual(read(), []);
  });

  it('is asked again when the target of some is gone', async () => {
    await world.deploy('shop', [configMap('shop')]);
    await world.sweepAll();
    await world.sweepAll();
    forget();
    await world.sweepAll();
    assert.deepEqual(read(), []);
    await world.store.delete(keys.desired({ cluster: 'east', application: 'shop' }), 'any');
    await world.sweepAll();
    assert.deepEqual(read(), ['configmaps']);
  });
});

describe('a list is remembered', () => {
  it('only when each object in it was clean', async () => {
    world.cluster.edit(mapAddress, { data: { a: '2' } });
    for (const _ of [1, 2, 3]) {
      assert.equal((await world.sweep())?.drifted, 1);
      assert.deepEqual(read(), ['configmaps']);
    }
    world.cluster.edit(mapAddress, { data: { a: '1' } }, 'trueup');
    assert.equal((await world.sweep())?.sync, 'Synced');
    await world.sweep();
    forget();
    await world.sweep();
    assert.deepEqual([read(), looks()], [[], 0]);
  });

  it('not while a target whose object changed was not due', async () => {
    await world.deploy('slow', [configMap('slow')], { ...observe, intervalSeconds: 3600 });
    await world.sweepAll();
    await world.sweepAll();
    world.clock.advance(60_000);
    world.cluster.edit({ ...mapAddress, name: 'slow' }, { data: { a: '2' } });
    await world.sweepAll();
    await world.sweepAll();
    assert.equal((await world.sweepAll()).targets['slow']?.sync, 'Synced', 'not looked at yet');
    world.clock.advance(hour);
    assert.equal((await world.sweepAll()).targets['slow']?.sync, 'Drifted');
  });

  it('not when the object was written to after it was listed', async () => {
    const touch = () => world.cluster.edit(mapAddress, { data: { a: '1' } }, 'trueup');
    touch();
    let edits = 0;
    world.cluster.before = (request) => {
      if (!request.startsWith('get ') || edits > 0) return;
      edits += 1;
      touch();
    };
    await world.sweep();
    assert.equal(edits, 1);
    assert.equal((await memory()).kinds['/ConfigMap']?.list, undefined);
    await world.sweep();
    forget();
    await world.sweep();
    assert.deepEqual(read(), []);
  });

  it('not of a kind of which two inventories hold the same object', async () => {
    await world.deploy('slow', [configMap('shared')], { ...observe, intervalSeconds: 3600 });
    await world.sweepAll();
    await world.sweepAll();
    // Made again by another application while `slow` is not due: its row is of an object that is gone.
    await world.deploy('web', [deployment('front'), configMap('front'), configMap('shared')], observe);
    world.clock.advance(60_000);
    await world.sweepAll();
    await world.sweepAll();
    assert.equal((await memory()).kinds['/ConfigMap']?.list, undefined);
    world.clock.advance(hour);
    const fast = (await world.sweepAll()).targets['slow']?.sync;
    const full = await sweepCluster(
      { cluster: 'east', requestedBy: 'test', all: true, full: true },
      world.deps,
    );
    assert.equal(fast, full.targets['slow']?.sync);
  });

  it('by two sweeps at once without harm', async () => {
    world.cluster.edit(mapAddress, { data: { a: '2' } });
    await Promise.all([world.sweepAll(), world.sweepAll()]);
    assert.equal((await world.sweep())?.drifted, 1);
  });
});

async function states(): Promise<string[]> {
  return (await world.records()).map((record) => `${record?.drift.kind} ${record?.state}`);
}

async function settings() {
  const text = (await world.store.get(keys.desired({ cluster: 'east', application: 'web' })))?.text ?? '';
  return (JSON.parse(text) as Awaited<ReturnType<typeof world.push>>).settings;
}
