import { execFile } from 'node:child_process';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir, makeOnce, type Progress } from '../test/cluster/cache.ts';
import { spawnGuarded } from '../test/cluster/guarded-process.ts';
import { until } from '../test/e2e/until.ts';

const run = promisify(execFile);

/** CNCF Distribution, the reference implementation of a registry; built by Go once per machine. */
export const registryVersion = 'v3.0.0';

export interface RealRegistry {
  readonly url: string;
  stop(): Promise<void>;
}

export interface RealRegistryOptions {
  /** For its files and its log. */
  readonly dir: string;
  readonly port: number;
  /** Where it sends its notifications, and the token that it sends with them. */
  readonly hook: { readonly url: string; readonly token: string };
  readonly progress: Progress;
}

async function registryProgram(progress: Progress): Promise<string> {
  const path = join(cacheDir(process.env), `registry-${registryVersion}-${process.platform}-${process.arch}`);
  await makeOnce(path, progress, async (temporary) => {
    progress(`building the registry ${registryVersion} with Go; the first time takes minutes`);
    const folder = `${temporary}.bin`;
    await mkdir(folder, { recursive: true });
    const module = `github.com/distribution/distribution/v3/cmd/registry@${registryVersion}`;
    await run('go', ['install', '-ldflags=-s -w', module], { env: { ...process.env, GOBIN: folder } });
    await rename(join(folder, 'registry'), temporary);
  });
  return path;
}

/** Starts a registry on loopback that tells of every push. */
export async function startRealRegistry({
  dir,
  port,
  hook,
  progress,
}: RealRegistryOptions): Promise<RealRegistry> {
  const program = await registryProgram(progress);
  await mkdir(dir, { recursive: true });
  const config = join(dir, 'config.yaml');
  await writeFile(
    config,
    JSON.stringify({
      version: 0.1,
      log: { level: 'warn', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(dir, 'data') } },
      http: { addr: `127.0.0.1:${port}` },
      notifications: {
        endpoints: [
          {
            name: 'trueup',
            url: hook.url,
            headers: { Authorization: [`Bearer ${hook.token}`] },
            timeout: '10s',
            threshold: 5,
            backoff: '1s',
            ignoredmediatypes: ['application/octet-stream'],
          },
        ],
      },
    }),
  );
  const logPath = join(dir, 'registry.log');
  const args = ['serve', config];
  const started = await spawnGuarded({ name: 'registry', command: program, args, logPath });
  const url = `http://127.0.0.1:${port}`;
  await until('the registry answers', async () => {
    const answer = await fetch(`${url}/v2/`).catch(() => undefined);
    return answer?.ok === true ? answer : undefined;
  });
  return { url, stop: async () => started.stop('SIGTERM') };
}
