import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { traceOf, traceOfCheck, type Trace } from '../../core/model/trace.ts';
import type { TrueupEvent } from '../../core/contract/events.ts';
import { produce } from '../../core/produce.ts';
import { eventsOf } from '../../core/receive/deliver.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryCluster } from '../fakes/memory-cluster.ts';
import { ProduceWorld, files } from './produce/world.ts';
import { configMap, ReconcileWorld } from './reconcile/reconcile-world.ts';

const at = '2026-11-23T11:58:00.000Z';
const push = traceOf('push', at, 'github', 'd-1');

/** Ids of the traces that events tell. */
function tracesIn(events: readonly TrueupEvent[]): readonly (readonly [string, string | undefined])[] {
  return events.map(({ type, detail }) => [type, detail.trace?.id] as const);
}

function newWorld() {
  const clock = new ManualClock();
  return new ReconcileWorld(clock, new MemoryCluster(clock));
}

describe('a trace', () => {
  it('is that of its delivery, however often that comes', () => {
    const pushed = { repository: 'fleet', ref: 'refs/heads/main', before: 'a', after: 'b' };
    const wanted = {
      kind: 'wanted',
      event: 'push',
      pushes: [pushed],
      images: [],
      pulls: [],
      stamped: true,
    } as const;
    const ids = [0, 60_000].map(
      (now) => eventsOf({ provider: 'github', id: 'd-1' }, wanted, now)[0]?.detail.trace?.id,
    );
    assert.deepEqual(ids, [push.id, push.id]);
    assert.notEqual(traceOf('push', at, 'github', 'd-2').id, push.id);
    assert.match(push.id, /^[0-9a-f]{32}$/);
  });

  it('of an audit line is its own; of a sweep that of its request', () => {
    assert.equal(traceOfCheck({ cluster: 'east', trace: push }, at)?.id, push.id);
    assert.equal(traceOfCheck({ cluster: 'east', application: 'web' }, at)?.by, 'audit');
  });

  it('goes from the push into pointers, run requests and events', async () => {
    const world = new ProduceWorld();
    const event = { ...(await world.pushed(world.git.push('a', files('1')))), trace: push };
    await produce(event, 1, world.deps());
    assert.deepEqual((await world.pointer('web')).trace, push);
    assert.deepEqual(
      world.queues.runs.map(({ trace }) => trace?.id),
      [push.id, push.id],
    );
    assert.deepEqual(tracesIn(world.bus.events), [
      ['SnapshotReady', push.id],
      ['SnapshotReady', push.id],
    ]);
    // A later push that changes one application leaves the other traced to the push that gave its revision.
    const next: Trace = traceOf('push', at, 'github', 'd-2');
    const second = { ...(await world.pushed(world.git.push('b', files('2')), 'a'.repeat(40))), trace: next };
    await produce(second, 1, world.deps());
    assert.equal((await world.pointer('web')).trace?.id, next.id);
    assert.equal((await world.pointer('api')).trace?.id, push.id);
  });

  it('is in the run and its event, and gives the lead times of the push', async () => {
    const world = newWorld();
    await world.push([configMap('a')]);
    const record = await world.record('push', { trace: push });
    assert.deepEqual(record.trace, push);
    assert.deepEqual(tracesIn(world.bus.events), [['ReconcileFinished', push.id]]);
    assert.deepEqual(
      world.metrics.data.map(({ name, value, cluster }) => [name, value, cluster]),
      [
        ['LeadTimeAppliedSeconds', 120, undefined],
        ['LeadTimeHealthySeconds', 120, undefined],
      ],
    );
  });

  it('of a sync is the person, which is no lead time', async () => {
    const world = newWorld();
    await world.push([configMap('a')]);
    const person = traceOf('person', at, 'alice');
    assert.equal((await world.record('sync', { trace: person })).trace?.by, 'person');
    assert.deepEqual(world.metrics.data, []);
  });
});
