import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, exists, makeOnce, type Progress } from '../test/cluster/cache.ts';
import { lastLines, spawnGuarded } from '../test/cluster/guarded-process.ts';

/** Engines of others, each a Go module of ours below `peers/` that names the version it is built with. */
export type GoPeer = 'flux' | 'argocd';
/** What both are built from besides. */
const shared = ['../protocol/go.mod', '../protocol/protocol.go'];

/** Path of the peer's binary, built into the cache when it is not there; that takes two minutes each and needs Go 1.26. */
export async function buildPeer(name: GoPeer, progress: Progress): Promise<string> {
  const module = join(import.meta.dirname, 'peers', name);
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go', ...shared])
    hash.update(await readFile(join(module, file)));
  const path = join(cacheDir(process.env), `peer-${name}-${hash.digest('hex').slice(0, 12)}`);
  if (await exists(path)) return path;
  progress(`building ${name}'s engine (about two minutes, once)`);
  await makeOnce(path, progress, async (output) => {
    const logPath = `${output}.log`;
    const args = ['go', 'build', '-trimpath', '-buildvcs=false', '-o', output, '.'];
    const build = await spawnGuarded({ name: 'go build', command: 'nice', args, cwd: module, logPath });
    // The child does not keep our event loop alive.
    const alive = setInterval(() => undefined, 1_000);
    const ending = await build.ended;
    clearInterval(alive);
    if (!ending.endsWith('status 0')) throw new Error(`${ending} in ${module}:\n${lastLines(logPath)}`);
    await rm(logPath);
  });
  return path;
}
