import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { Stop } from '../../core/errors.ts';
import type { Sealer } from '../../core/ports.ts';

/** What every Sealer promises. */
export function sealerContract(name: string, open: () => Promise<Sealer>): void {
  describe(`sealer contract: ${name}`, () => {
    let sealer: Sealer;
    before(async () => {
      sealer = await open();
    });

    it('seals a value under a data key that it alone can unwrap', async () => {
      const { wrapped, key } = await sealer.newDataKey();
      assert.equal(key.length, 32);
      for (const plain of ['hunter2', '', 'grüße \u{1F680}', 'x'.repeat(1_000_000)]) {
        const sealed = sealer.encrypt(key, plain);
        assert.equal(sealer.decrypt(await sealer.unwrap(wrapped), sealed), plain);
      }
      assert.ok(!Buffer.from(wrapped, 'base64').includes(Buffer.from(key)));
    });

    it('seals the same value to something else each time, and gives a new data key each time', async () => {
      const { key } = await sealer.newDataKey();
      assert.notEqual(sealer.encrypt(key, 'same'), sealer.encrypt(key, 'same'));
      assert.notDeepEqual((await sealer.newDataKey()).key, key);
    });

    it('stops, and names no value, at what was altered, cut short or sealed under another key', async () => {
      const { key } = await sealer.newDataKey();
      const { key: other } = await sealer.newDataKey();
      const sealed = sealer.encrypt(key, 'hunter2');
      const bytes = Buffer.from(sealed, 'base64');
      const flipped = Array.from(bytes.keys(), (at) => {
        const altered = Buffer.from(bytes);
        altered[at] = (altered[at] ?? 0) ^ 1;
        return altered.toString('base64');
      });
      const short = [0, 11, 12, 20, bytes.length - 1].map((length) =>
        bytes.subarray(0, length).toString('base64'),
      );
      for (const wrong of [...flipped, ...short, 'no base64 at all']) {
        assert.throws(
          () => sealer.decrypt(key, wrong),
          (error) => error instanceof Stop && !error.message.includes('hunter2'),
        );
      }
      assert.throws(() => sealer.decrypt(other, sealed), Stop);
    });

    it('does not unwrap what it never wrapped', async () => {
      await assert.rejects(sealer.unwrap(Buffer.from('nonsense').toString('base64')));
    });

    it('gives the same key of the digests each time, and it is no data key', async () => {
      const digestKey = await sealer.digestKey();
      assert.ok(digestKey.length >= 16);
      assert.deepEqual(await sealer.digestKey(), digestKey);
      const { key } = await sealer.newDataKey();
      assert.notDeepEqual(Buffer.from(key), Buffer.from(digestKey));
    });
  });
}
