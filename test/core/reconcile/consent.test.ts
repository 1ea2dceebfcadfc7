import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunRequest } from '../../../core/model/run.ts';
import { reconcile } from '../../../core/reconcile.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, ReconcileWorld } from './reconcile-world.ts';
import { job } from './rollout.ts';

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const world = new ReconcileWorld(clock, cluster);
  const deletions = () => cluster.effects.filter((effect) => effect.startsWith('delete'));
  return { world, clock, cluster, deletions };
}

const names = Array.from({ length: 20 }, (_, at) => `c${at}`);
const all = names.map((name) => configMap(name));

describe('what a person agreed to holds for the revision that they saw', () => {
  test('not for the objects that a newer revision gives up', async () => {
    const { world, deletions } = newWorld();
    await world.push(all);
    await world.record();
    const { revision } = await world.push(all.slice(10));
    await world.push(all.slice(0, 10));
    const request: RunRequest = { ...world.request('sync'), confirmPrune: 10, revision };
    const newer = await reconcile(request, world.deps);
    assert.equal(newer.kind === 'ran' && newer.record.outcome?.kind, 'blocked');
    assert.deepEqual(deletions(), []);
    const seen = await reconcile({ ...request, revision: revision + 1 }, world.deps);
    assert.equal(seen.kind === 'ran' && seen.record.outcome?.kind, 'applied');
    assert.equal(deletions().length, 10);
  });

  test('nor where the newer revision comes while the run is under way', async () => {
    const { world, cluster } = newWorld();
    await world.push(all);
    await world.record();
    await world.push(all.slice(10));
    let isPushed = false;
    cluster.hook = (request) => {
      if (isPushed || !request.startsWith('list')) return;
      isPushed = true;
      void world.push(all.slice(0, 10));
    };
    const { outcome } = await world.record('sync', { confirmPrune: 10 });
    assert.equal(outcome?.kind, 'cancelled');
    const [next] = world.queues.runs;
    assert.deepEqual([next?.reason, next?.confirmPrune], ['sync', undefined]);
  });

  test('a run by itself that stops half-way goes on as it began, where sync is manual', async () => {
    const { world, clock } = newWorld();
    const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    await world.push([shop, configMap('a')], { sync: 'manual' });
    await world.record('sync');
    await world.push([configMap('a')], { sync: 'manual' });
    await world.record('sync');
    clock.advance(11 * 60_000);
    world.budgetMs = 20_000;
    assert.equal((await world.record('pending')).outcome?.kind, 'cancelled');
    assert.deepEqual(
      world.queues.later.map(({ request }) => request.reason),
      ['pending'],
    );
  });

  test('a wait that a person began in a freeze goes on with no other revision', async () => {
    const { world, clock } = newWorld();
    const freeze = [{ from: '2020-01-01T00:00:00Z', until: '2040-01-01T00:00:00Z', reason: 'peak' }];
    await world.push([configMap('a'), job('migrate', { hook: 'pre' })], { freeze });
    assert.equal((await world.record('sync')).outcome?.kind, 'waiting');
    await world.push([configMap('a', { new: '1' })], { freeze });
    const [later] = world.queues.later;
    assert.ok(later !== undefined);
    clock.advance(later.delaySeconds * 1000);
    const went = await reconcile(later.request, world.deps);
    assert.match(went.kind === 'rested' ? went.why : went.kind, /^frozen until/);
  });
});
