import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Clusters } from '../../../core/ports.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { clustersOf, HastyClock } from './real-world.ts';
import { configMap, ReconcileWorld } from './reconcile-world.ts';

const skip = process.env['TRUEUP_KUBECONFIG']
  ? 'TRUEUP_KUBECONFIG is set: no control plane is started'
  : false;

describe('two clusters, one of which stops half-way', { skip }, () => {
  let east: TestCluster;
  let west: ControlPlane;
  const clock = new HastyClock();
  const objects = Array.from({ length: 60 }, (_, index) => configMap(`c${index}`));
  const worlds: Record<'east' | 'west', ReconcileWorld<HastyClock> | undefined> = {
    east: undefined,
    west: undefined,
  };
  const worldOf = (cluster: 'east' | 'west'): ReconcileWorld<HastyClock> => {
    const world = worlds[cluster];
    assert.ok(world);
    return world;
  };

  before(async () => {
    [east, west] = await Promise.all([testCluster('east'), startControlPlane({ name: 'west', nodes: 0 })]);
    const clusters = clustersOf({ east: east.kubeconfig, west: west.kubeconfig }, clock);
    for (const cluster of ['east', 'west'] as const) {
      const namespace = cluster === 'east' ? east.namespace : 'default';
      worlds[cluster] = new ReconcileWorld(clock, clusters, {
        namespace,
        target: { cluster, application: 'web' },
      });
    }
  });
  after(async () => {
    await west?.stop();
    await east?.stop();
  });

  test('the other one is applied; the stopped one fails with its reason and is tried again', async () => {
    const [healthy, stopping] = [worldOf('east'), worldOf('west')];
    await Promise.all([healthy.push(objects), stopping.push(objects)]);
    let applied = 0;
    const halfWay: Clusters = {
      connect: async (...given) => {
        const cluster = await stopping.clusters.connect(...given);
        const apply = cluster.apply.bind(cluster);
        cluster.apply = async (...call) => {
          applied += 1;
          if (applied === 30) west.pauseApiserver();
          return apply(...call);
        };
        return cluster;
      },
    };
    const [well, badly] = await Promise.all([
      healthy.record(),
      stopping.record('push', { clusters: halfWay }),
    ]);
    assert.equal(well.outcome?.message, '60 created, 0 updated, 0 unchanged, 0 pruned');
    assert.equal(badly.outcome?.kind, 'failed');
    assert.match(
      badly.outcome.message,
      /^cluster west at https:.*: connected, but a request had no answer within 15 s/,
    );
    assert.ok(badly.outcome.counts.created > 0 && badly.outcome.counts.created < 60);
    assert.equal(stopping.queues.later[0]?.request.reason, 'retry');
  });

  test('while it is silent, a try ends with a connect timeout; when it is back, the next one completes', async () => {
    const world = worldOf('west');
    clock.advance(5_000);
    const silent = await world.record('retry');
    assert.match(
      silent.outcome?.message ?? '',
      /^cluster west at https:.*: no answer within 5 s; check that it runs/,
    );
    west.resumeApiserver();
    clock.advance(10_000);
    const back = await world.record('retry');
    assert.equal(back.outcome?.kind, 'applied', back.outcome?.message);
    const { entries } = await world.inventory();
    assert.equal(Object.keys(entries).length, 60);
    // Those that were under way when it stopped were created and never confirmed: settled as ours all the same.
    const strangers = Object.values(entries).filter(({ created }) => !created);
    assert.deepEqual(strangers, []);
  });

  test('an API server that is gone refuses the connection, and that is said', async () => {
    await west.stopApiserver();
    const { outcome } = await worldOf('west').record('sync');
    assert.match(outcome?.message ?? '', /^cluster west at https:.*: the connection was refused/);
  });
});
