import { access, mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tryLock } from './lock-file.ts';

/** Receives one line for a person who waits; no newline at its end. */
export type Progress = (line: string) => void;

/** Environment variables, as an argument so that a test can give its own. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Folder for what is built or unpacked once per machine, outside the repository so that a second clone finds it. */
export function cacheDir(env: Environment): string {
  return env['TRUEUP_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'trueup');
}

/** Whether something, file or folder, is at `path`. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Returns when `path` exists. Of all processes that ask, one calls `make` with a temporary path, which becomes `path`
 * in one rename once it is whole; the others wait for it, and take over if it fails or is killed.
 */
export async function makeOnce(
  path: string,
  progress: Progress,
  make: (temporary: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  while (!(await exists(path))) {
    const release = await tryLock(`${path}.lock`);
    if (release === undefined) {
      if (!told) progress(`another process is making ${path}; waiting for it`);
      told = true;
      await delay(250);
      continue;
    }
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      // Somebody may have finished between the look at the path and the lock.
      if (await exists(path)) return;
      await make(temporary);
      await rename(temporary, path);
    } finally {
      await rm(temporary, { recursive: true, force: true });
      await release();
    }
  }
}
