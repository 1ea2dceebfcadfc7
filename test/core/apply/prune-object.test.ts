import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pruneRank, type PruneResult, type PruneTask } from '../../../core/apply.ts';
import { defaultSettings } from '../../../core/model/desired.ts';
import { refKey } from '../../../core/model/object.ts';
import type { Json } from '../../../core/model/json.ts';
import { Policy } from '../../../core/policy.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';

const address = { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'a' };
const ref = { group: '', kind: 'ConfigMap', namespace: 'default', name: 'a' };

/** An object that is about to be deleted, with this metadata. */
function world(metadata: { readonly [key: string]: Json }) {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const { uid } = cluster.write(address, { kind: 'ConfigMap', metadata }).metadata;
  const policy = new Policy(defaultSettings);
  const effects = { cluster, clock, policy, mayProceed: async () => undefined };
  const common = { apiVersion: 'v1', plural: 'configmaps', created: true, adopted: false };
  const entry = { ref, ...common, state: 'deleting' as const, uid };
  const prune = async (more: Partial<PruneTask> = {}): Promise<PruneResult> => {
    const task = { key: refKey(ref), ref, address, uid, application: 'web', confirmed: false, entry };
    const { results } = await pruneRank([{ ...task, wantedAs: undefined, ...more }], effects);
    const [result] = results;
    assert.ok(result !== undefined);
    return result;
  };
  return { cluster, prune };
}

describe('what keeps an object that was deleted', () => {
  test('its finalizers and the time are told and noted, and it is not asked for twice', async () => {
    const { cluster, prune } = world({ finalizers: ['example.org/backup'] });
    const message =
      'is being deleted since 2026-11-23T12:00:00Z: it waits for whoever takes off its finalizers example.org/backup';
    for (const time of ['first', 'second']) {
      const { outcome, forget, entry } = await prune();
      assert.deepEqual([outcome.outcome, outcome.message, forget], ['pruning', message, false], time);
      assert.deepEqual(
        [entry?.state, entry?.kept?.because, entry?.kept?.message],
        ['deleting', 'finalizers', message],
      );
    }
    assert.deepEqual(cluster.effects, ['delete v1/configmaps/default/a']);
  });

  test('one without finalizers waits for its grace period', async () => {
    const { prune } = world({ deletionTimestamp: '2026-11-23T12:00:30Z' });
    const { outcome } = await prune();
    assert.equal(outcome.outcome, 'pruning');
    assert.match(outcome.message ?? '', /it waits for its grace period$/);
  });
});

describe('an object that asks a person first', () => {
  const metadata = { annotations: { 'trueup.dev/prune': 'confirm' } };

  test('is kept as it was when nobody has confirmed', async () => {
    const { cluster, prune } = world(metadata);
    const { outcome, forget, entry } = await prune();
    assert.deepEqual([outcome.outcome, forget, entry?.state], ['skipped', false, 'applied']);
    assert.equal(outcome.message, 'its annotation trueup.dev/prune asks a person first; left alone');
    assert.ok(cluster.live(address));
  });

  test('goes when somebody has', async () => {
    const { cluster, prune } = world(metadata);
    const { outcome, forget } = await prune({ confirmed: true });
    assert.deepEqual([outcome.outcome, forget], ['pruned', true]);
    assert.equal(cluster.live(address), undefined);
  });
});
