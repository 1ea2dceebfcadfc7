import assert from 'node:assert/strict';
import { it } from 'node:test';
import { OverlayStore } from '../../../core/preview/overlay-store.ts';
import { storeContract } from '../../contract/store-contract.ts';
import { MemoryStore } from '../../fakes/memory-store.ts';

storeContract(
  'a copy of another',
  async () => {
    const below = new MemoryStore();
    await below.put('below/a', 'beside', 'any');
    return { store: new OverlayStore(below), prefix: 'c/' };
  },
  { etagsRepeat: false },
);

it('shows what is below, save leases, and writes nothing there', async () => {
  const below = new MemoryStore();
  await below.put('a/1', 'one', 'any');
  await below.put('a/2', 'two', 'any');
  await below.put('leases/east/web.json', 'held', 'any');
  const before = await below.entries('');
  const store = new OverlayStore(below);
  const first = await store.get('a/1');
  assert.equal(first?.text, 'one');
  assert.equal(await store.get('leases/east/web.json'), undefined);
  assert.deepEqual(await store.put('a/1', 'mine', 'absent'), { kind: 'conflict' });
  assert.equal((await store.put('a/1', 'mine', { etag: first?.etag ?? '' })).kind, 'written');
  assert.equal(await store.delete('a/2', 'any'), 'deleted');
  assert.equal((await store.put('a/3', 'new', 'absent')).kind, 'written');
  assert.deepEqual(await Array.fromAsync(store.list('a/')), ['a/1', 'a/3']);
  assert.deepEqual(await below.entries(''), before);
  assert.equal((await below.get('a/1'))?.text, 'one');
});
