import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { tryLock } from './lock-file.ts';

describe('a lock file', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'trueup-lock-'));
  });
  after(async () => rm(dir, { recursive: true }));

  it('has one holder at a time', async () => {
    const path = join(dir, 'one');
    const release = await tryLock(path);
    assert.ok(release);
    assert.equal(await tryLock(path), undefined);
    await release();
    const again = await tryLock(path);
    assert.ok(again);
    await again();
  });

  it('of a process that is dead is broken at once', async () => {
    const path = join(dir, 'dead');
    const { pid } = spawnSync('true');
    await writeFile(path, `${pid} ${hostname()}\n`);
    assert.equal(await tryLock(path), undefined);
    const release = await tryLock(path);
    assert.ok(release);
    await release();
  });

  it('of another machine is broken when it was not touched for 20 s', async () => {
    const path = join(dir, 'elsewhere');
    await writeFile(path, '1 another-machine\n');
    assert.equal(await tryLock(path), undefined);
    assert.equal(await tryLock(path), undefined, 'a fresh one is left alone');
    const old = new Date(Date.now() - 21_000);
    await utimes(path, old, old);
    assert.equal(await tryLock(path), undefined);
    const release = await tryLock(path);
    assert.ok(release);
    await release();
  });
});
