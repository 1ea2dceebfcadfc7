import { mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefixes = ['trueup-kustomize-', 'trueup-helm-', 'trueup-artifact-'] as const;
/** No run of a renderer, and no render of a commit, takes as long. */
const leftoverMilliseconds = 15 * 60_000;

/** A folder of its own for one run of a renderer, or for one artifact; disposing wipes it. `path` is real: no symlink on the way. */
export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes one, and wipes what a function that was killed left behind: the next one gets its disk. */
export async function scratchFolder(prefix: (typeof prefixes)[number]): Promise<ScratchFolder> {
  await removeLeftovers(tmpdir());
  const path = await realpath(await mkdtemp(join(tmpdir(), prefix)));
  return { path, [Symbol.asyncDispose]: () => remove(path) };
}

async function removeLeftovers(parent: string): Promise<void> {
  const oldest = Date.now() - leftoverMilliseconds;
  const names = await readdir(parent);
  for (const name of names.filter((one) => prefixes.some((prefix) => one.startsWith(prefix)))) {
    const { mtimeMs } = await stat(join(parent, name)).catch(() => ({ mtimeMs: Infinity }));
    if (mtimeMs < oldest) await remove(join(parent, name));
  }
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 3 });
}
