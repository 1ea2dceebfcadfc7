import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);
const requirements = path.join(import.meta.dirname, 'requirements.txt');

/** Called with one line of text whenever there is something a waiting person wants to know. */
export type Progress = (line: string) => void;

const pythonSchema = z.object({ version: z.tuple([z.number(), z.number()]), base: z.string() });
const probe =
  'import json, sys; print(json.dumps({"version": sys.version_info[:2], "base": sys.base_prefix + sys.version}))';

const alternative =
  'or set TRUEUP_AWS_ENDPOINT_URL to an AWS emulator that already runs (or to an AWS endpoint, with credentials)';

/** What kept the local AWS from being installed, and what to do about it. */
export class LocalAwsUnavailable extends Error {
  override name = 'LocalAwsUnavailable';
}

async function findPython(): Promise<z.infer<typeof pythonSchema>> {
  const { stdout } = await run('python3', ['-c', probe]).catch((cause: unknown) => {
    throw new LocalAwsUnavailable(
      `The local AWS needs python3 (3.10 or newer) on the PATH. Install it (Debian, Ubuntu: apt-get install python3 python3-venv), ${alternative}.`,
      { cause },
    );
  });
  const python = pythonSchema.parse(JSON.parse(stdout));
  const [major, minor] = python.version;
  if (major < 3 || (major === 3 && minor < 10)) {
    throw new LocalAwsUnavailable(
      `The local AWS needs python3 3.10 or newer, and the one on the PATH is ${major}.${minor}. Install a newer one, ${alternative}.`,
    );
  }
  return python;
}

/** Folder outside the repository for what is slow to make and the same for every clone. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  return environment['TRUEUP_CACHE'] ?? path.join(base, 'trueup');
}

async function create(folder: string, progress: Progress): Promise<void> {
  // Made beside its final place and renamed when whole, so that two processes at once, or one that was killed,
  // never leave half an installation. A renamed venv works by `bin/python -m`; only its scripts hold the old path.
  const draft = `${folder}.draft-${process.pid}`;
  const python = path.join(draft, 'bin', 'python');
  try {
    progress('local AWS: making a Python environment');
    await run('python3', ['-m', 'venv', '--clear', draft]).catch((cause: unknown) => {
      throw new LocalAwsUnavailable(
        `python3 cannot make a virtual environment. Install its venv and pip modules (Debian, Ubuntu: apt-get install python3-venv), ${alternative}.`,
        { cause },
      );
    });
    progress('local AWS: installing ministack into it (90 MB, once)');
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];
    await run(python, [...pip, '--only-binary', ':all:', '-r', requirements]).catch((cause: unknown) => {
      throw new LocalAwsUnavailable(`pip could not install ${requirements}. Check its reach to PyPI, ${alternative}.`, {
        cause,
      });
    });
    await rename(draft, folder).catch(async (cause: unknown) => {
      // Another process was first; its installation is as good as ours.
      if (!(await works(folder))) throw cause;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function works(folder: string): Promise<boolean> {
  return access(path.join(folder, 'bin', 'python')).then(
    () => true,
    () => false,
  );
}

/** Path of a Python that has the pinned ministack; installs it into the cache on first use. Throws LocalAwsUnavailable. */
export async function installMinistack(progress: Progress): Promise<string> {
  const python = await findPython();
  const digest = createHash('sha256')
    .update(python.base)
    .update(await readFile(requirements));
  const name = `ministack-1.5.33-py${python.version.join('.')}-${digest.digest('hex').slice(0, 12)}`;
  const folder = path.join(cacheFolder(), name);
  if (!(await works(folder))) {
    await mkdir(path.dirname(folder), { recursive: true });
    await create(folder, progress);
    progress('local AWS: installed');
  }
  return path.join(folder, 'bin', 'python');
}
