import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import {
  keepWrites,
  keptTrail,
  markChecked,
  putOff,
  readKeptWrites,
} from '../../../core/audit/kept-writes.ts';
import { auditWriteOf, type AuditWrite } from '../../../core/model/audit.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryStore } from '../../fakes/memory-store.ts';
import { auditLine } from './audit-event.ts';

const target = { cluster: 'east', application: 'web' };
let store: MemoryStore;
let clock: ManualClock;
beforeEach(() => {
  store = new MemoryStore();
  clock = new ManualClock();
});

function write(id: string): AuditWrite {
  const found = auditWriteOf(JSON.parse(auditLine(clock.now(), { id })));
  assert.ok(found);
  return found;
}
const keep = async (...ids: string[]) => keepWrites({ store, clock }, target, ids.map(write));
const check = async (...ids: string[]) => markChecked({ store, clock }, target, ids.map(write));

describe('a check that is asked for', () => {
  it('is due at once, and serves every write that comes before it is done', async () => {
    assert.equal(await keep('a'), 0);
    assert.equal(await keep('b'), undefined);
    clock.advance(2_000);
    assert.equal(await keep('c', 'd'), undefined);
    assert.equal(await check('a', 'b', 'c', 'd'), undefined);
  });

  it('is followed by another in ten seconds where writes came while it looked', async () => {
    await keep('a');
    await keep('b');
    assert.equal(await check('a'), 10);
    assert.equal(await keep('c'), undefined);
    clock.advance(10_000);
    assert.equal(await check('b', 'c'), undefined);
  });

  it('waits for ten seconds after the last, so that a burst asks twice', async () => {
    await keep('a');
    await check('a');
    clock.advance(3_000);
    assert.equal(await keep('b'), 7);
    assert.equal(await keep('c'), undefined);
  });

  it('is asked for again when it was lost, or when the batch comes again', async () => {
    await keep('a');
    clock.advance(61_000);
    assert.equal(await keep('b'), 0);
    assert.equal(await keep('b'), 0);
  });

  it('is asked for no more when a batch comes again after it', async () => {
    await keep('a');
    await check('a');
    assert.equal(await keep('a'), undefined);
    assert.equal((await readKeptWrites(store, target))?.seen.length, 1);
  });

  it('is still under way while it is put off', async () => {
    await keep('a');
    clock.advance(55_000);
    await putOff({ store, clock }, target, 15);
    clock.advance(20_000);
    assert.equal(await keep('b'), undefined);
  });
});

describe('what is kept', () => {
  const trail = async (since: number) => Array.fromAsync(keptTrail(store).writes(since, clock.now(), target));

  it('tells who wrote what between two times, looked for or not', async () => {
    const start = clock.now();
    await keep('a');
    await check('a');
    clock.advance(5_000);
    await keep('b');
    assert.deepEqual(
      (await trail(start)).map(({ who }) => who.auditId),
      ['a', 'b'],
    );
    assert.deepEqual(
      (await trail(start + 1_000)).map(({ who }) => who.auditId),
      ['b'],
    );
  });

  it('goes after a day', async () => {
    await keep('a');
    await check('a');
    clock.advance(86_401_000);
    await keep('b');
    assert.deepEqual((await readKeptWrites(store, target))?.seen, []);
  });

  it('is a thousand writes at most; of a time of which some are missing it tells nobody', async () => {
    const start = clock.now();
    await keep('first');
    await check('first');
    clock.advance(60_000);
    const later = clock.now();
    await keep(...Array.from({ length: 1000 }, (_, index) => `w-${index}`));
    const kept = await readKeptWrites(store, target);
    assert.deepEqual([kept?.waiting.length, kept?.seen.length], [1000, 0]);
    assert.deepEqual(await trail(start), []);
    assert.equal((await trail(later)).length, 1000);
  });
});
