import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings, type DesiredPointer } from '../../../core/model/desired.ts';
import { inventoryEntrySchema, inventorySchema, type InventoryEntry } from '../../../core/model/inventory.ts';
import { millisecondsOf } from '../../../core/model/time.ts';
import { nextRun } from '../../../core/sweep/next-run.ts';

const target = { cluster: 'east', application: 'web' };
const person = { name: 'Ada', email: 'ada@example.com', at: '2026-11-23T11:00:00.000Z' };
const time = (clock: string): string => `2026-11-23T${clock}:00.000Z`;

function pointer(sync: 'auto' | 'manual'): DesiredPointer {
  const sha = 'a'.repeat(40);
  const commit = {
    repository: 'config',
    ref: 'refs/heads/main',
    sha,
    author: person,
    committer: person,
    subject: 'one',
  };
  return {
    version: 1,
    seq: 1,
    target,
    repository: 'config',
    ref: 'refs/heads/main',
    state: 'present',
    revision: 1,
    snapshot: 'sha256:0',
    objects: 1,
    settings: { ...defaultSettings, sync },
    commit,
    examined: { sha, at: time('12:00') },
  };
}

/** Applied at noon, with one entry that differs so from an applied one. */
function next(
  entry: Partial<InventoryEntry>,
  at: string,
  { sync = 'auto', applied = 1 }: { readonly sync?: 'auto' | 'manual'; readonly applied?: number } = {},
): string | undefined {
  const ref = { group: '', kind: 'Namespace', name: 'shop' };
  const common = { ref, apiVersion: 'v1', plural: 'namespaces', state: 'applied', created: true };
  const run = { runId: 'r', at: time('12:00') };
  const inventory = inventorySchema.parse({
    version: 1,
    seq: 1,
    target,
    entries: { '/Namespace//shop': inventoryEntrySchema.parse({ ...common, ...entry }) },
    applied: { ...run, revision: applied, snapshot: 'sha256:0', sha: 'a'.repeat(40) },
    lastRun: { ...run, key: 'k', revision: applied, outcome: 'applied', message: '', attempt: 0 },
  });
  const needs = { pending: applied !== 1, wasPending: true, healable: false };
  const state = { pointer: pointer(sync), inventory, busy: false };
  return nextRun(state, needs, millisecondsOf(time(at)));
}

const marked = (because: 'grace' | 'hand-over' | 'protection' | 'content'): Partial<InventoryEntry> => ({
  markedAt: time('12:00'),
  kept: { because, since: time('12:00'), message: '' },
});

/** The server has said that finalizers hold it. */
const goingAway: Partial<InventoryEntry> = {
  state: 'deleting',
  kept: { because: 'finalizers', since: time('12:00'), message: '' },
};

test('the sweep asks for the run that deletes what was marked, once its time has come', () => {
  assert.equal(next(marked('grace'), '12:09'), undefined);
  assert.equal(next(marked('grace'), '12:10'), 'pending');
  assert.equal(next(marked('grace'), '12:10', { sync: 'manual' }), 'pending', 'the sync was the decision');
  assert.equal(
    next(marked('grace'), '12:10', { sync: 'manual', applied: 0 }),
    undefined,
    'a commit that waits for a person is not applied by the way',
  );
});

test('a deletion that was noted, of which nobody knows whether it was sent, is asked for again', () => {
  assert.equal(next({ state: 'deleting' }, '12:01'), 'pending');
  assert.equal(next(goingAway, '12:01'), undefined, 'the server is at it');
});

test('it asks once an hour about what waits for another application, and never about what is kept for good', () => {
  assert.equal(next(marked('hand-over'), '12:30'), undefined);
  assert.equal(next(marked('hand-over'), '13:00'), 'pending');
  assert.equal(next(marked('protection'), '23:00'), undefined);
  assert.equal(next(marked('content'), '23:00'), undefined);
});

test('deletions that outlast the looks after a run are looked at by way of the sweep', () => {
  assert.equal(next(goingAway, '12:59'), undefined, 'the looks after the run go on for an hour');
  assert.equal(next(goingAway, '13:01'), 'health');
});
