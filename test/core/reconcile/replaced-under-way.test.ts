import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld } from './reconcile-world.ts';

const address = { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'a' };

test('what somebody deletes and makes again between plan and apply is written, and never pruned', async () => {
  for (const adopt of [false, true]) {
    const clock = new ManualClock();
    const cluster = new MemoryCluster(clock);
    const world = new ReconcileWorld(clock, cluster);
    if (adopt) cluster.write(address, { kind: 'ConfigMap', data: { old: '1' } }, 'someone');
    await world.push([configMap('a'), configMap('b')], { adopt });
    await world.record();
    await world.push([configMap('a', { a: '2' }), configMap('b')], { adopt });
    clock.advance(60_000);
    let isDone = false;
    cluster.hook = (request, when) => {
      if (isDone || when !== 'before' || !request.startsWith('apply')) return;
      isDone = true;
      cluster.remove(address);
      cluster.write(address, { kind: 'ConfigMap', data: { theirs: 'x' } }, 'someone');
    };
    const record = await world.record();
    assert.match(record.outcome?.objects[0]?.message ?? '', /made again by somebody .*: never pruned/);
    const entry = (await world.inventory()).entries['/ConfigMap/default/a'];
    assert.deepEqual([entry?.created, entry?.adopted, entry?.baseline], [false, false, undefined]);
    assert.equal(entry?.uid, cluster.live(address)?.metadata.uid);
    await world.push([configMap('b')]);
    assert.deepEqual(didIn(await world.record()), []);
    assert.ok(cluster.live(address));
  }
});
