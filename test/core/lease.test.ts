import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../core/contract/keys.ts';
import { acquireLease, isLeaseHeld, LeaseLost } from '../../core/lease.ts';
import { CountingIds, ManualClock } from '../fakes/manual-clock.ts';
import { MemoryStore } from '../fakes/memory-store.ts';

const target = { cluster: 'east', application: 'web' };

function world() {
  return { store: new MemoryStore(), clock: new ManualClock(), ids: new CountingIds() };
}

test('one holder at a time; the next one has a higher token', async () => {
  const deps = world();
  const first = await acquireLease(deps, target);
  assert.equal(first?.token, 1);
  assert.equal(await acquireLease(deps, target), undefined);
  assert.equal(await isLeaseHeld(deps, target), true);

  await first.release();
  assert.equal(await isLeaseHeld(deps, target), false);
  assert.equal((await acquireLease(deps, target))?.token, 2);
});

test('of many that ask at once, one gets it', async () => {
  const deps = world();
  const asked = await Promise.all(Array.from({ length: 16 }, async () => acquireLease(deps, target)));
  assert.equal(asked.filter((lease) => lease !== undefined).length, 1);
});

test('leases of other targets are other leases', async () => {
  const deps = world();
  await acquireLease(deps, target);
  assert.notEqual(await acquireLease(deps, { ...target, cluster: 'west' }), undefined);
});

test('a lease is renewed every 20 s, and the deadline moves with it, 10 s before its end', async () => {
  const deps = world();
  const start = deps.clock.now();
  const lease = await acquireLease(deps, target);
  assert.ok(lease);
  assert.equal(lease.deadline(), start + 80_000);

  deps.clock.advance(19_000);
  await lease.hold();
  assert.equal(deps.store.writes.length, 1, 'too early to renew');

  deps.clock.advance(1_000);
  await Promise.all([lease.hold(), lease.hold(), lease.hold()]);
  assert.equal(deps.store.writes.length, 2, 'callers at the same time share one renewal');
  assert.equal(lease.deadline(), start + 20_000 + 80_000);
});

test('an expired lease may be taken, and its former holder finds out before the next effect', async () => {
  const deps = world();
  const stale = await acquireLease(deps, target);
  assert.ok(stale);
  deps.clock.advance(90_001);
  const next = await acquireLease(deps, target);
  assert.equal(next?.token, 2);

  await assert.rejects(stale.hold(), LeaseLost);
  await stale.release();
  assert.equal(await isLeaseHeld(deps, target), true, 'a late release leaves the new holder alone');
  await next.hold();
});

test('a holder that slept past the fence stops even if nobody took the lease', async () => {
  const deps = world();
  const lease = await acquireLease(deps, target);
  assert.ok(lease);
  deps.clock.advance(80_000);
  await assert.rejects(lease.hold(), LeaseLost);
});

test('a renewal that meets another holder is a lost lease', async () => {
  const deps = world();
  const lease = await acquireLease(deps, target);
  assert.ok(lease);
  const stored = await deps.store.get(keys.lease(target));
  assert.ok(stored);
  await deps.store.put(keys.lease(target), stored.text.replace('id-0001', 'somebody'), 'any');
  deps.clock.advance(20_000);
  await assert.rejects(lease.hold(), /target east\/web: its lease was taken by another run/);
});
