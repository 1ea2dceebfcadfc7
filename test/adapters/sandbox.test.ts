import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runSandboxed, type SandboxOptions } from '../../adapters/sandbox.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trueup-test-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const limits = { seconds: 20, bytes: 1_000_000, megabytes: 256 };
function shell(script: string, options: Partial<SandboxOptions> = {}) {
  return runSandboxed('/bin/sh', ['-c', script], { cwd: folder, limits, ...options });
}

test('a program gets its input and its folder, and of our environment nothing', async () => {
  const script = '/bin/cat; pwd; echo "$HOME $PATH $1 ${AWS_ACCESS_KEY_ID-none} $EXTRA"';
  const result = await shell(script, { input: 'given\n', env: { PATH: '', EXTRA: 'more' } });
  assert.deepEqual(result, { kind: 'done', output: `given\n${folder}\n/nonexistent   none more\n` });
});

test('a program that fails is told with its words, and only so many of them', async () => {
  assert.deepEqual(await shell('echo no >&2; exit 3'), { kind: 'failed', stderr: 'no\n' });
  const endless = await shell(
    'i=0; while [ $i -lt 20000 ]; do echo 0123456789 >&2; i=$((i+1)); done; exit 1',
  );
  assert.equal(endless.kind === 'failed' && endless.stderr.length, 64 * 1024);
});

test('a program without input finds the end of it', async () => {
  assert.deepEqual(await shell('/bin/cat'), { kind: 'done', output: '' });
  // Nor does it matter whether it reads what it is given.
  assert.deepEqual(await shell('exit 0', { input: 'x'.repeat(1_000_000) }), { kind: 'done', output: '' });
});

test('a program is stopped at the limit of its time, with everything that it started', async () => {
  const started = join(folder, 'child.pid');
  const script = `(trap '' TERM HUP; echo $$ > ${started}; while :; do :; done) & while :; do :; done`;
  assert.deepEqual(await shell(script, { limits: { ...limits, seconds: 1 } }), {
    kind: 'limit',
    limit: 'seconds',
  });
  assert.deepEqual(await groupOf(folder), []);
});

test('what a program leaves running is ended with it', async () => {
  const began = await shell('/bin/sleep 100 & echo done');
  assert.deepEqual(began, { kind: 'done', output: 'done\n' });
  assert.deepEqual(await groupOf(folder), []);
});

test('a program is stopped at the limit of its output', async () => {
  const small = { ...limits, bytes: 1000 };
  assert.deepEqual(await shell('while :; do echo 0123456789; done', { limits: small }), {
    kind: 'limit',
    limit: 'bytes',
  });
});

test('a program cannot fill the disk with one file', async () => {
  const result = await shell('while :; do echo 0123456789; done > big', {
    limits: { ...limits, bytes: 2048 },
  });
  assert.equal(result.kind, 'failed');
});

const linux = { skip: process.platform !== 'linux' && 'there is no limit of memory but on Linux' };
test('a program is stopped at the limit of its memory', linux, async () => {
  // V8 says it as Go does.
  const args = ['-e', 'const a = []; for (;;) a.push(Buffer.alloc(1 << 24, 1))'];
  const result = await runSandboxed(process.execPath, args, { cwd: folder, limits });
  assert.notEqual(result.kind, 'done');
});

/** Processes whose working folder is the one given. */
async function groupOf(directory: string): Promise<string[]> {
  if (!existsSync('/proc')) return [];
  const { readlink } = await import('node:fs/promises');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  return pids.filter((_, at) => folders[at] === directory);
}
