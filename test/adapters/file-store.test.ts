import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  chmod,
  lutimes,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { FileStore } from '../../adapters/file-store.ts';
import { Blocked, Stop } from '../../core/errors.ts';
import { storeContract } from '../contract/store-contract.ts';

const run = promisify(execFile);
const directory = await mkdtemp(join(tmpdir(), 'trueup-store-'));
after(() => rm(directory, { recursive: true, force: true }));

storeContract('folder', async () => ({ store: new FileStore(join(directory, 'contract')), prefix: 'c/' }), {
  etagsRepeat: false,
});

const lockOf = (folder: string, key: string) => join(folder, '.trueup', `lock-${hash('sha256', key)}`);

describe('store in a folder', () => {
  it('keeps files for their owner alone, compressed where their key says so, and nothing beside them', async () => {
    const folder = join(directory, 'files');
    const store = new FileStore(folder);
    await store.put('a/b.json', '{}', 'absent');
    await store.put('a/c.json.gz', 'x'.repeat(10_000), 'absent');
    assert.equal((await stat(join(folder, 'a/b.json'))).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, 'a'))).mode & 0o777, 0o700);
    const bytes = await readFile(join(folder, 'a/c.json.gz'));
    assert.ok(bytes.length < 200);
    assert.equal(gunzipSync(bytes).toString(), 'x'.repeat(10_000));
    assert.deepEqual(await readdir(join(folder, '.trueup')), []);
  });

  it('lets one of many processes win each version of a document', async () => {
    const folder = join(directory, 'race');
    const store = new FileStore(folder);
    await store.put('count.json', '0', 'absent');
    const module = JSON.stringify(resolve(import.meta.dirname, '../../adapters/file-store.ts'));
    const program = `
      const { FileStore } = await import(${module});
      const store = new FileStore(${JSON.stringify(folder)});
      let won = 0;
      while (won < 50) {
        const { text, etag } = await store.get('count.json');
        const outcome = await store.put('count.json', String(Number(text) + 1), { etag });
        if (outcome.kind === 'written') won += 1;
      }`;
    const args = ['--input-type=module', '-e', program];
    await Promise.all(Array.from({ length: 4 }, async () => run(process.execPath, args)));
    assert.equal((await store.get('count.json'))?.text, '200');
  });

  it('takes over the lock of a process that is gone, and of a machine that was silent for long', async () => {
    const folder = join(directory, 'stale');
    const store = new FileStore(folder);
    await mkdir(join(folder, '.trueup'), { recursive: true });
    // No process has this number: it is above every system's limit.
    await symlink(`99999999 ${hostname()}`, lockOf(folder, 'dead.json'));
    assert.equal((await store.put('dead.json', 'x', 'absent')).kind, 'written');
    await symlink('1 another-machine', lockOf(folder, 'away.json'));
    const before = new Date(Date.now() - 60_000);
    await lutimes(lockOf(folder, 'away.json'), before, before);
    assert.equal((await store.put('away.json', 'x', 'absent')).kind, 'written');
    // A lock was a plain file once; one that was left behind must not hold its document for ever.
    await writeFile(lockOf(folder, 'plain.json'), `1 ${hostname()}`);
    await utimes(lockOf(folder, 'plain.json'), before, before);
    assert.equal((await store.put('plain.json', 'x', 'absent')).kind, 'written');
  });

  it('waits for a lock that is held', async () => {
    const folder = join(directory, 'held');
    const store = new FileStore(folder);
    await mkdir(join(folder, '.trueup'), { recursive: true });
    await symlink(`${process.pid} ${hostname()}`, lockOf(folder, 'held.json'));
    const put = store.put('held.json', 'x', 'absent');
    assert.equal(
      await Promise.race([put.then(() => 'written'), store.get('other').then(() => 'waits')]),
      'waits',
    );
    await rm(lockOf(folder, 'held.json'));
    assert.equal((await put).kind, 'written');
  });

  it('takes keys whose parts are as long as a file name may be, one below the other', async () => {
    const store = new FileStore(join(directory, 'long'));
    const key = `drift/date=2026-11-23/${'c'.repeat(200)}/${'a'.repeat(200)}/${'0'.repeat(200)}.json`;
    assert.equal((await store.put(key, 'x', 'absent')).kind, 'written');
    assert.equal(await store.delete(key, 'any'), 'deleted');
  });

  it("removes what writers that died left behind, once it is surely nobody's", async () => {
    const folder = join(directory, 'leftovers');
    const own = join(folder, '.trueup');
    await mkdir(own, { recursive: true });
    const left = ['new-1', 'new-2', 'new-3', 'lock-a', 'lock-a.stale'];
    for (const name of left) await writeFile(join(own, name), `99999999 ${hostname()}`);
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    const ancient = left.filter((name) => name !== 'new-3');
    for (const name of ancient) await utimes(join(own, name), longAgo, longAgo);
    const store = new FileStore(folder);
    await store.put('a.json', 'x', 'absent');
    const rest = ['lock-a', 'lock-a.stale', 'new-3'];
    assert.deepEqual((await readdir(own)).sort(), rest);
    // Not looked for again at each write.
    await utimes(join(own, 'new-3'), longAgo, longAgo);
    await store.put('b.json', 'x', 'absent');
    assert.deepEqual((await readdir(own)).sort(), rest);
  });

  it('names the file in every refusal', async () => {
    const folder = join(directory, 'refusals');
    const store = new FileStore(folder);
    await store.put('plain.json.gz', 'x', 'absent');
    await writeFile(join(folder, 'plain.json.gz'), 'not gzip');
    await assert.rejects(store.get('plain.json.gz'), (error) => {
      assert.ok(error instanceof Stop);
      assert.match(error.message, /refusals\/plain\.json\.gz: is not gzip/);
      return true;
    });
    await writeFile(join(folder, 'file'), 'a file where a folder is needed');
    await assert.rejects(store.put('file/below.json', 'x', 'any'), (error) => {
      assert.ok(error instanceof Blocked);
      assert.match(error.message, /refusals\/file\/below\.json: .*a file stands where a folder is needed/);
      return true;
    });
  });

  it(
    'is refused where the folder cannot be written',
    { skip: process.getuid?.() === 0 && 'root may write anywhere' },
    async () => {
      const folder = join(directory, 'read-only');
      await mkdir(folder);
      await chmod(folder, 0o500);
      await assert.rejects(new FileStore(folder).put('a.json', 'x', 'any'), Blocked);
    },
  );
});

describe('versions of a folder that stood still for a while', () => {
  it('are told anew after any write and any deletion, by this process or another', async () => {
    const folder = join(directory, 'versions');
    const [one, other] = [new FileStore(folder), new FileStore(folder)];
    for (const name of ['a', 'b']) await one.put(`desired/east/${name}.json`, '1', 'any');
    const quiet = new Date(Date.now() - 60_000);
    const rest = async () => utimes(join(folder, 'desired', 'east'), quiet, quiet);
    const keysNow = async () => [...(await one.entries('desired/east/')).entries()];
    await rest();
    const first = await keysNow();
    assert.deepEqual(await keysNow(), first);
    await other.put('desired/east/a.json', '2', 'any');
    const second = await keysNow();
    assert.notEqual(second[0]?.[1], first[0]?.[1], 'a new version');
    assert.deepEqual(second[1], first[1]);
    await rest();
    await keysNow();
    await other.delete('desired/east/b.json', 'any');
    assert.deepEqual(await keysNow(), second.slice(0, 1));
  });
});
