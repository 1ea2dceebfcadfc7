import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { cacheDir, makeOnce, type Environment, type Progress } from '../cluster/cache.ts';

const run = promisify(execFile);
const requirements = join(import.meta.dirname, 'requirements.txt');

const pythonSchema = z.object({ version: z.tuple([z.number(), z.number()]), build: z.string() });
const probe =
  'import json, sys; print(json.dumps({"version": sys.version_info[:2], "build": sys.base_prefix + sys.version}))';

const alternative = 'or set TRUEUP_AWS_ENDPOINT_URL to an AWS emulator that already runs';

/** What kept the local AWS from being installed, and what to do about it. */
export class LocalAwsUnavailable extends Error {
  override name = 'LocalAwsUnavailable';
}

function unavailable(what: string): (cause: unknown) => never {
  return (cause) => {
    throw new LocalAwsUnavailable(`${what}, ${alternative}.`, { cause });
  };
}

async function findPython(env: Environment): Promise<z.infer<typeof pythonSchema>> {
  const absent =
    'The local AWS needs python3 (3.10 or newer) on the PATH. Install it (Debian, Ubuntu: apt-get install python3 python3-venv)';
  const { stdout } = await run('python3', ['-c', probe], { env }).catch(unavailable(absent));
  const python = pythonSchema.parse(JSON.parse(stdout));
  const [major, minor] = python.version;
  if (major > 3 || (major === 3 && minor >= 10)) return python;
  throw new LocalAwsUnavailable(
    `The local AWS needs python3 3.10 or newer, and the one on the PATH is ${major}.${minor}. Install a newer one, ${alternative}.`,
  );
}

// A venv that was renamed still works by `bin/python -m`; only its scripts, which we do not use, hold the old path.
async function create(folder: string, env: Environment, progress: Progress): Promise<void> {
  progress('local AWS: making a Python environment for it');
  const noVenv =
    'python3 cannot make a virtual environment. Install its venv and pip modules (Debian, Ubuntu: apt-get install python3-venv)';
  await run('python3', ['-m', 'venv', '--clear', folder], { env }).catch(unavailable(noVenv));
  progress('local AWS: installing ministack into it (90 MB, once)');
  const options = ['--quiet', '--disable-pip-version-check', '--no-input', '--only-binary', ':all:'];
  const install = ['-m', 'pip', 'install', ...options, '-r', requirements];
  const noPip = `pip could not install ${requirements}. Check that it reaches a package index`;
  await run(join(folder, 'bin', 'python'), install, { env }).catch(unavailable(noPip));
}

/** Path of a Python that has the pinned ministack; installs it into the cache on first use. Throws LocalAwsUnavailable. */
export async function installMinistack(progress: Progress, env: Environment = process.env): Promise<string> {
  const python = await findPython(env);
  const digest = createHash('sha256')
    .update(python.build)
    .update(await readFile(requirements));
  const name = `ministack-1.5.33-py${python.version.join('.')}-${digest.digest('hex').slice(0, 12)}`;
  const folder = join(cacheDir(env), name);
  await makeOnce(folder, progress, (temporary) => create(temporary, env, progress));
  return join(folder, 'bin', 'python');
}
