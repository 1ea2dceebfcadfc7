import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Environment, Progress } from './cache.ts';
import { lastLines, spawnGuarded } from './guarded-process.ts';

const run = promisify(execFile);

/** What to do where there is neither Go nor a cached binary; part of every such error. */
const alternatives =
  'Install Go 1.26 or newer (https://go.dev/dl; the first build takes about 8 minutes, later starts take seconds); ' +
  'or set TRUEUP_KUBECONFIG to the kubeconfig of a cluster that may be written to; ' +
  'or set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver (https://book.kubebuilder.io/reference/envtest).';

/**
 * Throws unless `go` can build the module in `moduleDir`. The question is asked in that folder on purpose: a Go of 1.21
 * or newer then fetches the toolchain that go.mod names, or says that it may not (GOTOOLCHAIN=local).
 */
export async function assertGo(moduleDir: string, env: Environment): Promise<void> {
  try {
    await run('go', ['list', '-m'], { cwd: moduleDir, env: { ...env } });
  } catch (cause) {
    const found = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    const reason = found === '' ? 'there is no `go` on the PATH' : `\`go list -m\` says: ${found}`;
    throw new Error(
      `The control plane for tests is not built yet and cannot be: ${reason}. ${alternatives}`,
      {
        cause,
      },
    );
  }
}

/** What to build, from where to where. `version` is the Kubernetes version that the server reports, e.g. `v1.36.3`. */
export interface GoBuild {
  readonly moduleDir: string;
  readonly output: string;
  readonly version: string;
  readonly env: Environment;
  readonly progress: Progress;
}

/** Builds the control plane; a minute of work becomes a dozen lines of progress. Throws with the compiler's last lines. */
export async function goBuild({ moduleDir, output, version, env, progress }: GoBuild): Promise<void> {
  const [major, minor] = version.slice(1).split('.');
  const set = (name: string, value = ''): string => `-X k8s.io/component-base/version.${name}=${value}`;
  const flags = ['-s', '-w', set('gitVersion', version), set('gitMajor', major), set('gitMinor', minor)];
  const logPath = `${output}.log`;
  const began = Date.now();
  const build = await spawnGuarded({
    name: 'go build',
    command: 'go',
    args: ['build', '-v', '-trimpath', '-buildvcs=false', `-ldflags=${flags.join(' ')}`, '-o', output, '.'],
    cwd: moduleDir,
    env: { ...env },
    logPath,
  });
  const seconds = (): number => Math.round((Date.now() - began) / 1000);
  progress(
    `building the control plane (Kubernetes ${version}); the first time takes about 8 minutes on 2 cores`,
  );
  // A timer that counts, since the child does not keep our event loop alive.
  const report = setInterval(() => {
    progress(`building the control plane: ${seconds()} s, ${describe(logPath)}`);
  }, 5_000);
  try {
    const ending = await build.ended;
    if (ending !== 'go build ended with status 0') {
      throw new Error(`${ending} after ${seconds()} s in ${moduleDir}:\n${lastLines(logPath)}`);
    }
  } finally {
    clearInterval(report);
    await rm(logPath);
  }
  progress(`built the control plane in ${seconds()} s`);
}

/** `go build -v` names each package as its compilation begins, and each module as it is downloaded. */
function describe(logPath: string): string {
  const lines = lastLines(logPath, Infinity).split('\n');
  const last = lines.at(-1) ?? '';
  if (last === '') return 'reading modules or linking';
  if (last.startsWith('go: ')) return last.slice('go: '.length);
  return `${lines.filter((line) => !line.startsWith('go: ')).length} packages compiled, now ${last}`;
}
