import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import { clusterCheckSchema, type ClusterCheck } from '../../../core/model/check.ts';
import { sweepCluster } from '../../../core/sweep.ts';
import { scriptedWorld, type SweepWorld, configMap, deployment, webAddress } from './sweep-world.ts';

const minute = 60_000;
const scaled = { spec: { replicas: 9 } };
const hourly = { drift: 'observe', intervalSeconds: 3600 } as const;
const failing = {
  observedGeneration: 1,
  replicas: 2,
  conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'late' }],
};

let world: SweepWorld;
beforeEach(() => {
  world = scriptedWorld();
});

async function document(): Promise<ClusterCheck | undefined> {
  return (await readDocument(world.store, keys.check('east'), clusterCheckSchema))?.value;
}

describe('a sweep beside another one', () => {
  it('leaves what that one saw of targets that it did not look at, and keeps new ones', async () => {
    await world.deploy('web', [deployment('front')], hourly);
    await world.deploy('shop', [configMap('shop')]);
    await world.sweepAll();
    world.clock.advance(5 * minute);
    const status = { ...failing, observedGeneration: 2 };
    world.cluster.edit(webAddress, { status }, 'kube-controller-manager');
    world.cluster.edit(webAddress, scaled);
    const { cluster } = world;
    // The scheduled sweep has read its records when it lists: a person's sweep begins then and ends first.
    const list = cluster.list.bind(cluster);
    let isFirst = true;
    cluster.list = async (...given) => {
      if (!isFirst) return list(...given);
      isFirst = false;
      await world.deploy('new', [configMap('new')]);
      await sweepCluster({ cluster: 'east', requestedBy: 'ada', all: true }, world.deps);
      world.bus.events.length = 0;
      return list(...given);
    };
    const { targets, requestedBy } = await world.sweepAll();
    assert.equal(requestedBy, 'test');
    assert.deepEqual([targets['web']?.sync, targets['web']?.health], ['Drifted', 'Degraded']);
    assert.equal(targets['new']?.sync, 'Synced');
    assert.deepEqual((await document())?.targets, targets);
    assert.deepEqual(
      world.bus.events.filter(({ type }) => type === 'HealthChanged'),
      [],
      'and it tells nobody what that one has told',
    );
  });
});

describe('a sweep that a person asks for', () => {
  it('looks at every target, due or not, and compares no more than what changed', async () => {
    await world.deploy('web', [deployment('front'), configMap('front')], hourly);
    await world.sweepAll();
    world.clock.advance(5 * minute);
    world.cluster.edit(webAddress, scaled);
    assert.equal((await world.sweep())?.sync, 'Synced', 'a scheduled one leaves it its hour');
    world.cluster.requests.length = 0;
    const asked = await sweepCluster({ cluster: 'east', requestedBy: 'ada', all: true }, world.deps);
    assert.equal(asked.targets['web']?.sync, 'Drifted');
    assert.ok(!world.cluster.requests.some((request) => request.startsWith('dry-run v1/configmaps')));
  });
});

describe('health of a target that cannot be looked at', () => {
  it('counts as it was last known: neither the alarm nor an event says that it changed', async () => {
    await world.deploy('web', [deployment('front')], { drift: 'observe' });
    await world.deploy('shop', [configMap('shop')]);
    world.cluster.edit(webAddress, { status: failing }, 'kube-controller-manager');
    assert.equal((await world.sweep())?.health, 'Degraded');
    assert.ok(world.sentMetrics().includes('DegradedTargets 1'));
    world.bus.events.length = 0;
    for (const unreachable of ['timeout', 'timeout', undefined]) {
      world.cluster.unreachable = unreachable;
      const check = await world.sweep();
      assert.equal(check?.health, unreachable === undefined ? 'Degraded' : 'Unknown');
      assert.ok(world.sentMetrics().includes('DegradedTargets 1'));
    }
    assert.equal(world.bus.events.length, 0);
    assert.equal((await document())?.targets['web']?.lastHealth, undefined);
    world.cluster.unreachable = 'timeout';
    await world.sweep();
    world.cluster.unreachable = undefined;
    const good = { ...failing, conditions: [], updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
    world.cluster.edit(webAddress, { status: good }, 'kube-controller-manager');
    assert.equal((await world.sweep())?.health, 'Healthy');
    assert.deepEqual(
      world.bus.events.map(({ detail }) => ['from' in detail && detail.from, 'to' in detail && detail.to]),
      [['Degraded', 'Healthy']],
    );
    // The same changes stay in the document for those who look back.
    const { healthChanges = [] } = (await document())?.targets['web'] ?? {};
    assert.deepEqual(
      healthChanges.map(({ from, to }) => `${from} → ${to}`),
      ['Unknown → Degraded', 'Degraded → Healthy'],
    );
  });
});

describe('a sweep that dies before it is done', () => {
  it('does not leave a memory that the check document no longer warns of', async () => {
    await world.deploy('web', [deployment('front')], { drift: 'observe' });
    await world.sweepAll();
    world.cluster.restore(50);
    world.cluster.tamper(webAddress, scaled);
    const { store } = world;
    const put = store.put.bind(store);
    for (const dying of [keys.memory('east'), keys.check('east')]) {
      store.put = async (key, ...rest) => {
        if (key === dying) throw new Error('killed');
        return put(key, ...rest);
      };
      await assert.rejects(world.sweepAll(), /killed/);
    }
    store.put = put;
    const check = await world.sweepAll();
    assert.deepEqual([check.restored?.to, check.targets['web']?.sync], ['50', 'Drifted']);
  });
});
