import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';

const heartbeatMs = 2_000;
const staleMs = 20_000;

/** Gives the lock back; call it once, in a `finally`. */
export type Release = () => Promise<void>;

/**
 * Takes the lock at `path`, or returns undefined while another process holds it. The holder touches the file as it
 * works, so the lock of a killed process is noticed: at once on this machine, after 20 s from elsewhere (a cache on a
 * network drive). Two holders remain possible after such a break, so what the lock guards must bear being done twice.
 */
export async function tryLock(path: string): Promise<Release | undefined> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(`${process.pid} ${hostname()}\n`);
    await file.close();
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    if (await isStale(path)) await breakLock(path);
    return undefined;
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    // A failed touch is harmless: at worst another process does the same work again.
    utimes(path, now, now).catch(() => undefined);
  }, heartbeatMs).unref();
  return async () => {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  };
}

/** Whether a thrown value is a system error of this code, e.g. `ENOENT`. */
function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

async function isStale(path: string): Promise<boolean> {
  try {
    const [pid, host] = (await readFile(path, 'utf8')).trim().split(' ');
    if (host === hostname() && pid !== undefined && !isAlive(Number(pid))) return true;
    return Date.now() - (await stat(path)).mtimeMs > staleMs;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}

/** Renames before it deletes, so that of two breakers one alone removes the file. */
async function breakLock(path: string): Promise<void> {
  const broken = `${path}.broken-${process.pid}`;
  try {
    await rename(path, broken);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  await rm(broken, { force: true });
}
