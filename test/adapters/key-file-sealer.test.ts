import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { KeyFileSealer } from '../../adapters/key-file-sealer.ts';
import { Blocked, Stop } from '../../core/errors.ts';
import { sealerContract } from '../contract/sealer-contract.ts';

const directory = await mkdtemp(join(tmpdir(), 'trueup-key-'));
after(() => rm(directory, { recursive: true, force: true }));

sealerContract('key in a file', async () => new KeyFileSealer(join(directory, 'contract', 'sealing.key')));

describe('key file', () => {
  it('is made on first need, for its owner alone, and once for all who need it at the same time', async () => {
    const file = join(directory, 'new', 'sealing.key');
    const sealers = Array.from({ length: 8 }, () => new KeyFileSealer(file));
    const keys = await Promise.all(sealers.map(async (sealer) => sealer.digestKey()));
    assert.equal(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size, 1);
    const { mode, size } = await stat(file);
    assert.deepEqual([mode & 0o777, size], [0o600, 32]);
  });

  it('opens what another process sealed with it, and nothing of another key', async () => {
    const file = join(directory, 'a.key');
    const { wrapped, key } = await new KeyFileSealer(file).newDataKey();
    assert.deepEqual(Buffer.from(await new KeyFileSealer(file).unwrap(wrapped)), Buffer.from(key));
    await assert.rejects(new KeyFileSealer(join(directory, 'b.key')).unwrap(wrapped), (error) => {
      assert.ok(error instanceof Stop);
      assert.match(error.message, /b\.key: does not open this snapshot: it was sealed with another key/);
      return true;
    });
  });

  it('is refused when others can read it, and when it is no key', async () => {
    const file = join(directory, 'open.key');
    await writeFile(file, Buffer.alloc(32, 1));
    await chmod(file, 0o644);
    await assert.rejects(new KeyFileSealer(file).digestKey(), (error) => {
      assert.ok(error instanceof Blocked);
      assert.match(error.message, /can be read by others; run chmod 600/);
      return true;
    });
    await writeFile(file, 'short');
    await assert.rejects(new KeyFileSealer(file).digestKey(), /is 5 bytes long and must be 32/);
    await assert.rejects(new KeyFileSealer(join(file, 'below')).digestKey(), Blocked);
  });
});
