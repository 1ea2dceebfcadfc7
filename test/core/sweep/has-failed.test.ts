import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings, type DesiredPointer } from '../../../core/model/desired.ts';
import { inventoryEntrySchema, inventorySchema, type InventoryEntry } from '../../../core/model/inventory.ts';
import { hasFailed } from '../../../core/sweep/judge-target.ts';

const target = { cluster: 'east', application: 'web' };
const time = (clock: string): string => `2026-11-23T${clock}:00.000Z`;
const person = { name: 'Ada', email: 'ada@example.com', at: time('11:00') };
const sha = 'a'.repeat(40);
const git = { repository: 'config', ref: 'refs/heads/main' };
const pointer: DesiredPointer = {
  version: 1,
  seq: 1,
  target,
  ...git,
  state: 'present',
  revision: 1,
  snapshot: 'sha256:0',
  objects: 1,
  settings: defaultSettings,
  commit: { ...git, sha, author: person, committer: person, subject: 'one' },
  examined: { sha, at: time('12:00') },
};

/** Applied at noon, and tried again at one o'clock. */
function stateOf(outcome: 'applied' | 'failed' | 'blocked', entry: Partial<InventoryEntry> = {}) {
  const ref = { group: '', kind: 'Namespace', name: 'shop' };
  const common = { ref, apiVersion: 'v1', plural: 'namespaces', state: 'applied', created: true };
  const inventory = inventorySchema.parse({
    version: 1,
    seq: 1,
    target,
    entries: { '/Namespace//shop': inventoryEntrySchema.parse({ ...common, ...entry }) },
    applied: { runId: 'r', at: time('12:00'), revision: 1, snapshot: 'sha256:0', sha },
    lastRun: {
      runId: 's',
      at: time('13:00'),
      key: 'k',
      revision: 1,
      outcome,
      message: '',
      attempt: 9,
      retry: true,
    },
  });
  return { pointer, inventory };
}

const synced = { sync: 'Synced', at: time('13:05') } as const;

test('a failure counts until a later look finds the target in order', () => {
  for (const outcome of ['failed', 'blocked'] as const) {
    const state = stateOf(outcome);
    for (const sync of ['Pending', 'Drifted', 'Unknown'] as const)
      assert.equal(hasFailed(state, { ...synced, sync }, undefined), true, sync);
    assert.equal(hasFailed(state, { ...synced, at: time('12:55') }, undefined), true, 'a look before it');
    assert.equal(hasFailed(state, synced, { failed: true }), false);
  }
  assert.equal(hasFailed(stateOf('applied'), { ...synced, sync: 'Pending' }, { failed: true }), false);
});

test('a prune that was refused, and a rollback by itself, count though the target is Synced', () => {
  const kept = { because: 'confirmation', since: time('13:00'), message: '' } as const;
  assert.equal(hasFailed(stateOf('blocked', { kept }), synced, undefined), true);
  const { commit, snapshot } = pointer;
  const pin = { by: 'trueup', reason: 'r', at: time('13:00'), rejects: { revision: 1, snapshot, commit } };
  assert.equal(hasFailed({ ...stateOf('applied'), pointer: { ...pointer, pin } }, synced, undefined), true);
});

test('of a target that nobody read it is what was said before', () => {
  assert.equal(hasFailed(undefined, synced, { failed: true }), true);
  assert.equal(hasFailed(undefined, synced, {}), false);
});
