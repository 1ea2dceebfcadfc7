import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import * as z from 'zod';
import { Stop } from '../../../core/errors.ts';
import { KnownDocuments } from '../../../core/sweep/known-documents.ts';
import { MemoryStore } from '../../fakes/memory-store.ts';

let parsed = 0;
const schema = z.object({ seq: z.number(), text: z.string().optional() }).refine(() => (parsed += 1) > 0);
let store: MemoryStore;
let documents: KnownDocuments;
beforeEach(async () => {
  parsed = 0;
  store = new MemoryStore();
  documents = new KnownDocuments();
});

const read = async (key = 'a') => (await documents.read(store, key, schema))?.value.seq;
const put = async (seq: number, key = 'a') => store.put(key, JSON.stringify({ seq }), 'any');

describe('a document that a process knows', () => {
  it('is parsed when it is another one, and only then', async () => {
    assert.equal(await read(), undefined);
    await put(1);
    assert.deepEqual([await read(), await read(), parsed], [1, 1, 1]);
    await put(2);
    assert.deepEqual([await read(), parsed], [2, 2]);
    await store.delete('a', 'any');
    assert.equal(await read(), undefined);
  });

  it('is not parsed when this process wrote it', async () => {
    const condition = 'absent' as const;
    const first = await documents.write(store, 'a', { schema, value: { seq: 1 }, condition });
    assert.deepEqual([first.kind, await read(), parsed], ['written', 1, 0]);
    const second = await documents.write(store, 'a', { schema, value: { seq: 2 }, condition });
    assert.deepEqual(
      [second.kind, await read(), parsed],
      ['conflict', 1, 0],
      'what was not written is not known',
    );
    await put(3);
    assert.deepEqual([await read(), parsed], [3, 1]);
  });

  it('that cannot be parsed is a Stop each time', async () => {
    await put(1);
    await read();
    await store.put('a', '{"seq":', 'any');
    await assert.rejects(read(), Stop);
    await assert.rejects(read(), Stop);
  });

  it('is forgotten when all together are too large, those first that were read first', async () => {
    const text = 'x'.repeat(9_000_000);
    for (const [seq, key] of ['a', 'b', 'c', 'd'].entries()) {
      await store.put(key, JSON.stringify({ seq, text }), 'any');
      await read(key);
    }
    parsed = 0;
    for (const key of ['d', 'c', 'b']) await read(key);
    assert.equal(parsed, 0);
    await read('a');
    assert.equal(parsed, 1);
  });
});
