import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { lastLines, spawnGuarded } from './guarded-process.ts';

const run = promisify(execFile);

/** Waits until no process has `words` in its command line. */
async function gone(words: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { stdout } = await run('ps', ['-A', '-o', 'args']);
    const left = stdout.split('\n').filter((line) => line.includes(words) && !line.includes('ps -A'));
    if (left.length === 0) return;
    if (Date.now() > deadline) assert.fail(`still there after 10 s:\n${left.join('\n')}`);
    await delay(100);
  }
}

describe('a guarded process', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'trueup-guarded-'));
  });
  after(async () => rm(dir, { recursive: true }));

  it('says how it ended, and has its output in its log', async () => {
    const logPath = join(dir, 'short.log');
    const args = ['-c', 'echo one; echo two >&2; exit 3'];
    const part = await spawnGuarded({ name: 'short', command: 'sh', args, logPath });
    assert.equal(await part.ended, 'short ended with status 3');
    assert.equal(lastLines(logPath, 1), 'two');
  });

  it('is stopped with its children', async () => {
    const args = ['-c', 'sleep 98761 & sleep 98761; true'];
    const part = await spawnGuarded({
      name: 'family',
      command: 'sh',
      args,
      logPath: join(dir, 'family.log'),
    });
    await part.stop('SIGKILL');
    assert.equal(part.ending(), 'family was ended by SIGKILL');
    await gone('sleep 98761');
  });

  it('that cannot be started is an error with its command', async () => {
    const missing = {
      name: 'missing',
      command: join(dir, 'no-such'),
      args: [],
      logPath: join(dir, 'missing.log'),
    };
    await assert.rejects(spawnGuarded(missing), /missing: cannot start .*no-such/);
  });

  const skip = process.env['TRUEUP_KUBECONFIG']
    ? 'TRUEUP_KUBECONFIG is set: no control plane is started'
    : false;
  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    it(`ends when its parent is ended by ${signal}: a whole control plane`, { skip }, async () => {
      const up = spawn(process.execPath, [join(import.meta.dirname, 'up.ts')], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const lines = createInterface({ input: up.stdout });
      const [kubeconfig] = (await once(lines, 'line')) as [string];
      const folder = kubeconfig.replace(/\/[^/]*$/, '');
      const { stdout } = await run('ps', ['-A', '-o', 'args']);
      assert.equal(stdout.split('\n').filter((line) => line.includes(folder)).length, 5, stdout);
      const exit = once(up, 'exit');
      up.kill(signal);
      await exit;
      await gone(folder);
      await rm(folder, { recursive: true, force: true });
    });
  }
});
