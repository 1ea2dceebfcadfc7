import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Environment, type Progress, cacheDir, exists, makeOnce } from './cache.ts';
import { assertGo, goBuild } from './go-build.ts';

const ownModule = join(import.meta.dirname, 'control-plane');

/** The parts of a control plane; kwok plays the kubelets of the fake Nodes. */
export const components = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
] as const;
export type Component = (typeof components)[number];

/** How to start each part: a command and its first arguments. A part may be lacking with KUBEBUILDER_ASSETS alone. */
export interface Binaries {
  readonly source: 'KUBEBUILDER_ASSETS' | 'cache';
  readonly commands: Readonly<Partial<Record<Component, readonly [string, ...string[]]>>>;
}

/** Where to look; `moduleDir` is another Go module than ours, for tests. */
export interface BinariesOptions {
  readonly progress: Progress;
  readonly env?: Environment;
  readonly moduleDir?: string;
}

/**
 * Finds the control plane's binaries, in this order: KUBEBUILDER_ASSETS, the cache, a build with Go into the cache.
 * Throws with what to install or set where there is none of them. (TRUEUP_KUBECONFIG comes before all: `openCluster`.)
 */
export async function findBinaries(options: BinariesOptions): Promise<Binaries> {
  const env = options.env ?? process.env;
  const assets = env['KUBEBUILDER_ASSETS'];
  if (assets) return fromAssets(assets, options.progress);
  const binary = await cachedBinary({ ...options, env });
  const commands = Object.fromEntries(components.map((name) => [name, [binary, name]]));
  return { source: 'cache', commands };
}

/** Path of the one binary that is all parts, built when the cache lacks it. */
async function cachedBinary({
  progress,
  env,
  moduleDir = ownModule,
}: BinariesOptions & { env: Environment }) {
  const files = ['go.mod', 'go.sum', 'main.go'];
  const contents = await Promise.all(files.map(async (file) => readFile(join(moduleDir, file))));
  const version = /k8s\.io\/kubernetes (v\S+)/.exec(String(contents[0]))?.[1] ?? 'v0.0.0';
  const digest = contents.reduce((hash, content) => hash.update(content), createHash('sha256')).digest('hex');
  const name = `control-plane-${version}-${digest.slice(0, 12)}-${process.platform}-${process.arch}`;
  const path = join(cacheDir(env), name);
  if (await exists(path)) return path;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    progress(`this is ${process.platform}/${process.arch}; the control plane is tried on linux/x64 only`);
  }
  await assertGo(moduleDir, env);
  await makeOnce(path, progress, async (output) => goBuild({ moduleDir, output, version, env, progress }));
  return path;
}

/** The binaries of `setup-envtest`, or any folder of the same names. */
async function fromAssets(folder: string, progress: Progress): Promise<Binaries> {
  const commands: Partial<Record<Component, [string]>> = {};
  // Their kwok, if any, is left alone: its stages are embedded in our binary and would be missing.
  for (const name of components.filter((component) => component !== 'kwok')) {
    const path = join(folder, name);
    if (await exists(path)) commands[name] = [path];
  }
  const needed = (['etcd', 'kube-apiserver'] as const).filter((name) => commands[name] === undefined);
  if (needed.length > 0) {
    throw new Error(
      `KUBEBUILDER_ASSETS is ${folder}, which has no ${needed.join(' and no ')}. Unset it or set it right.`,
    );
  }
  const lacking = components.filter((name) => commands[name] === undefined);
  progress(
    `control plane from KUBEBUILDER_ASSETS without ${lacking.join(', ')}: objects can be written and read, ` +
      'but Deployments never become available, Jobs never finish and fake Nodes are not made' +
      (lacking.includes('kube-controller-manager') ? '; deleted namespaces never go away' : ''),
  );
  return { source: 'KUBEBUILDER_ASSETS', commands };
}
