import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Store, WriteOutcome } from '../../core/ports.ts';

const racers = Array.from({ length: 16 }, (_, index) => `racer ${index}`);

async function keysOf(listing: AsyncIterable<string>): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of listing) keys.push(key);
  return keys;
}

async function etagOf(outcome: Promise<WriteOutcome>): Promise<string> {
  const written = await outcome;
  assert.equal(written.kind, 'written');
  return written.kind === 'written' ? written.etag : '';
}

/**
 * What every Store promises. `open` gives a store and a prefix in it that nothing else uses. Where `etagsRepeat`, they
 * are of the content, as in S3: nothing may rely on a new one for the same content.
 */
export function storeContract(
  name: string,
  open: () => Promise<{ readonly store: Store; readonly prefix: string }>,
  { etagsRepeat = true }: { readonly etagsRepeat?: boolean } = {},
): void {
  describe(`store contract: ${name}`, () => {
    let store: Store;
    let prefix: string;
    before(async () => {
      ({ store, prefix } = await open());
    });
    const key = (path: string) => `${prefix}${path}`;

    it('gives undefined for a key that is not there', async () => {
      assert.equal(await store.get(key('nothing.json')), undefined);
    });

    for (const path of ['text.json', 'text.json.gz']) {
      it(`gives back what was written: ${path}`, async () => {
        const long = 'zeile\n'.repeat(300_000);
        for (const text of ['{"a":1}', '', '\u{FEFF}grüße \u{1F680} \0', long]) {
          const etag = await etagOf(store.put(key(path), text, 'any'));
          assert.deepEqual(await store.get(key(path)), { text, etag });
        }
      });
    }

    it('creates only what is absent', async () => {
      await etagOf(store.put(key('new.json'), 'first', 'absent'));
      assert.deepEqual(await store.put(key('new.json'), 'second', 'absent'), { kind: 'conflict' });
      assert.equal((await store.get(key('new.json')))?.text, 'first');
    });

    it('replaces only the version that was named', async () => {
      const first = await etagOf(store.put(key('swap.json'), 'first', 'any'));
      const second = await etagOf(store.put(key('swap.json'), 'second', { etag: first }));
      assert.deepEqual(await store.put(key('swap.json'), 'third', { etag: first }), { kind: 'conflict' });
      assert.deepEqual(await store.get(key('swap.json')), { text: 'second', etag: second });
    });

    it('does not replace what is gone', async () => {
      const etag = await etagOf(store.put(key('gone.json'), 'text', 'any'));
      assert.equal(await store.delete(key('gone.json'), 'any'), 'deleted');
      assert.deepEqual(await store.put(key('gone.json'), 'other', { etag }), { kind: 'conflict' });
      assert.equal(await store.get(key('gone.json')), undefined);
      await etagOf(store.put(key('gone.json'), 'again', 'absent'));
    });

    it('repeats an etag when the content repeats, or never: documents need a seq', async () => {
      const first = await etagOf(store.put(key('etag.json'), 'same', 'any'));
      await etagOf(store.put(key('etag.json'), 'other', 'any'));
      assert.equal((await etagOf(store.put(key('etag.json'), 'same', 'any'))) === first, etagsRepeat);
    });

    it('gives every version of other content another etag, however fast they come', async () => {
      const etags: string[] = [];
      for (let round = 0; round < 200; round += 1) {
        const text = String(round).padStart(4, '0');
        if (round % 7 === 6) await store.delete(key('fast.json'), 'any');
        etags.push(await etagOf(store.put(key('fast.json'), text, 'any')));
      }
      assert.equal(new Set(etags).size, etags.length);
    });

    it('lets one of 16 racing creators win', async () => {
      const put = (text: string) => store.put(key('race-create.json'), text, 'absent');
      await oneWinner(await Promise.all(racers.map(put)), 'race-create.json');
    });

    it('lets one of 16 racing replacers win', async () => {
      const etag = await etagOf(store.put(key('race-replace.json'), 'start', 'any'));
      const put = (text: string) => store.put(key('race-replace.json'), text, { etag });
      await oneWinner(await Promise.all(racers.map(put)), 'race-replace.json');
    });

    async function oneWinner(outcomes: readonly WriteOutcome[], path: string): Promise<void> {
      const winners = racers.filter((_, index) => outcomes[index]?.kind === 'written');
      assert.equal(winners.length, 1, `winners: ${winners.join(', ')}`);
      assert.equal((await store.get(key(path)))?.text, winners[0]);
    }

    it('deletes only the version that was named', async () => {
      const old = await etagOf(store.put(key('delete.json'), 'old', 'any'));
      const etag = await etagOf(store.put(key('delete.json'), 'new', 'any'));
      assert.equal(await store.delete(key('delete.json'), { etag: old }), 'conflict');
      assert.equal((await store.get(key('delete.json')))?.text, 'new');
      assert.equal(await store.delete(key('delete.json'), { etag }), 'deleted');
      assert.equal(await store.get(key('delete.json')), undefined);
    });

    it('says conflict for a named version of a key that is gone, and deleted where any will do', async () => {
      const etag = await etagOf(store.put(key('twice.json'), 'text', 'any'));
      assert.equal(await store.delete(key('twice.json'), { etag }), 'deleted');
      assert.equal(await store.delete(key('twice.json'), { etag }), 'conflict');
      assert.equal(await store.delete(key('twice.json'), 'any'), 'deleted');
    });

    it('lists in byte order, by prefix, behind a key, up to a limit', async () => {
      const paths = ['a/1', 'a/10', 'a/2', 'a/B', 'a/b', 'a~', 'b'].map((path) => key(`order/${path}`));
      for (const path of paths.toReversed()) await store.put(path, path, 'any');
      assert.deepEqual(await keysOf(store.list(key('order/'))), paths);
      assert.deepEqual(await keysOf(store.list(key('order/a/'))), paths.slice(0, 5));
      assert.deepEqual(await keysOf(store.list(key('order/'), { after: key('order/a/10') })), paths.slice(2));
      assert.deepEqual(await keysOf(store.list(key('order/'), { after: key('order/a/1x') })), paths.slice(2));
      assert.deepEqual(await keysOf(store.list(key('order/'), { limit: 2 })), paths.slice(0, 2));
      const both = { after: key('order/a/1'), limit: 3 };
      assert.deepEqual(await keysOf(store.list(key('order/'), both)), paths.slice(1, 4));
      assert.deepEqual(await keysOf(store.list(key('nothing/'))), []);
    });

    it('gives the entries below a prefix: each key with the version that get gives, in byte order', async () => {
      const paths = ['e/a/1.json', 'e/a/2.json.gz', 'e/a.json', 'e/b.json', 'e2.json'].map((path) =>
        key(path),
      );
      for (const path of paths.toReversed()) await store.put(path, path, 'any');
      const entries = await store.entries(key('e/'));
      assert.deepEqual(
        [...entries.keys()],
        ['e/a.json', 'e/a/1.json', 'e/a/2.json.gz', 'e/b.json'].map((path) => key(path)),
      );
      for (const [path, etag] of entries) assert.equal((await store.get(path))?.etag, etag);
      assert.deepEqual([...(await store.entries(key('e/a'))).keys()].length, 3);
      assert.deepEqual(await store.entries(key('nothing/')), new Map());
      const changed = await etagOf(store.put(key('e/b.json'), 'other', 'any'));
      await store.delete(key('e/a.json'), 'any');
      const after = await store.entries(key('e/'));
      assert.equal(after.get(key('e/b.json')), changed);
      assert.equal(after.has(key('e/a.json')), false);
      assert.equal(after.get(key('e/a/1.json')), entries.get(key('e/a/1.json')));
    });

    it('keeps odd keys apart, and all of them inside', async () => {
      const odd = [
        '..',
        '../out',
        '.',
        '.hidden/x',
        'A/b',
        'a',
        'a/B',
        'a/b',
        'a//b',
        'a/b/',
        'a%2Fb',
        'a b:c*?',
        'grüße',
        'x.json',
        'x.json/y',
        'long'.repeat(40),
      ].map((path) => key(`odd/${path}`));
      for (const path of odd) await etagOf(store.put(path, path, 'absent'));
      for (const path of odd) assert.equal((await store.get(path))?.text, path);
      assert.deepEqual((await keysOf(store.list(key('odd/')))).sort(), odd.toSorted());
    });

    it('lists more keys than fit one page', async () => {
      const paths = Array.from({ length: 1_203 }, (_, index) =>
        key(`many/${String(index).padStart(4, '0')}`),
      );
      for (let start = 0; start < paths.length; start += 40) {
        await Promise.all(paths.slice(start, start + 40).map((path) => store.put(path, 'x', 'any')));
      }
      assert.deepEqual(await keysOf(store.list(key('many/'))), paths);
      assert.deepEqual(await keysOf(store.list(key('many/'), { limit: 1_100 })), paths.slice(0, 1_100));
      assert.deepEqual(await keysOf(store.list(key('many/'), { after: paths[100] ?? '' })), paths.slice(101));
    });
  });
}
