import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CountedStore } from '../../adapters/counted-store.ts';
import { measured } from '../../adapters/measured.ts';
import { RequestGate } from '../../adapters/request-gate.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { RecordingMetrics } from '../fakes/recorders.ts';

async function send(gate: RequestGate, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    await gate.enter(() => Number.POSITIVE_INFINITY);
    gate.leave();
  }
}

it('tells what a piece of work asked of the API server, and sends a metric only of what was put off', async () => {
  const clock = new ManualClock();
  const gate = new RequestGate(clock);
  const metrics = new RecordingMetrics();
  const store = new CountedStore(new MemoryStore());
  const deps = { clusters: { traffic: () => gate.traffic }, metrics, store };
  await store.put('before', '', 'any');
  await send(gate, 5);
  const quiet = await measured(deps, 'east', async () => {
    await store.get('a');
    await Array.fromAsync(store.list('b/'));
    return send(gate, 3).then(() => 'done');
  });
  assert.deepEqual(quiet, ['done', { requests: 3, throttled: 0, s3Reads: 1, s3Writes: 1 }]);
  assert.deepEqual(metrics.data, []);
  const [, busy] = await measured(deps, 'east', async () => {
    await send(gate, 2);
    await store.put('a', 'x', 'any');
    await store.delete('a', 'any');
    gate.pause(clock.now(), 1_000);
  });
  assert.deepEqual(busy, { requests: 2, throttled: 1, s3Reads: 0, s3Writes: 1 });
  assert.deepEqual(metrics.data, [{ name: 'ThrottledRequests', value: 1, unit: 'Count', cluster: 'east' }]);
});
