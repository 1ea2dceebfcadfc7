import { lstatSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Retry } from '../core/errors.ts';
import { hasCode } from './file-fault.ts';

/** Far above what one change of a file takes; whoever is stopped for so long (a laptop that sleeps) has lost it. */
const staleMs = 30_000;
const patienceMs = 60_000;
const pauseMs = 2;

/**
 * Runs `work` while no other process holds the lock file. `work` does not wait for anything, so callers within one
 * process never meet. A lock whose process is gone is taken over. Throws Retry when it stays held.
 */
export async function withFileLock<T>(file: string, work: () => T): Promise<T> {
  const deadline = Date.now() + patienceMs;
  while (!take(file)) {
    if (!release(file) && Date.now() > deadline) {
      const message = `is held by another process (${holderOf(file) ?? 'unknown'}); try again, or remove it when no trueup runs`;
      throw new Retry({ subject: file, message });
    }
    await delay(pauseMs);
  }
  try {
    return work();
  } finally {
    remove(file);
  }
}

/** The lock appears with its holder's name in it, in one step: a link that leads nowhere. */
function take(file: string): boolean {
  try {
    symlinkSync(`${process.pid} ${hostname()}`, file);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Not `rmSync`: with `force`, some versions of Node leave a link that leads nowhere, and say nothing. */
function remove(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/**
 * Removes a lock whose holder is gone; whether it did. Only the holder of a second lock may: of two processes that
 * see the same stale lock, the slower one would else remove what the faster one has taken by then.
 */
function release(file: string): boolean {
  if (!isStale(file)) return false;
  const guard = `${file}.stale`;
  if (!take(guard)) {
    if (isStale(guard)) remove(guard);
    return false;
  }
  try {
    if (!isStale(file)) return false;
    remove(file);
    return true;
  } finally {
    remove(guard);
  }
}

function isStale(file: string): boolean {
  const holder = holderOf(file);
  const since = lstatSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (holder === undefined || since === undefined) return false;
  const [pid, host] = holder.split(' ');
  return Date.now() - since > staleMs || (host === hostname() && !isAlive(Number(pid)));
}

function holderOf(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    // A plain file, as an earlier version made them: its holder is unknown, and its age tells whether it is stale.
    if (hasCode(error, 'EINVAL')) return 'unknown';
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return !hasCode(error, 'ESRCH');
  }
}
