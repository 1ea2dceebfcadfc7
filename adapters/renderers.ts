import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import packageJson from '../package.json' with { type: 'json' };
import { Stop, messageOf } from '../core/errors.ts';
import type { Renderers, Worktree } from '../core/ports.ts';

const run = promisify(execFile);

const versionSchema = z.object({
  clientVersion: z.object({ gitVersion: z.string() }),
  kustomizeVersion: z.string(),
});

/** What one render may take. */
export interface RenderLimits {
  readonly seconds: number;
  /** Of the output. */
  readonly bytes: number;
}

const defaultLimits: RenderLimits = { seconds: 60, bytes: 64 * 1024 * 1024 };

/**
 * Nothing of our own environment: no credentials, no home, no PATH, so that a remote base finds no git to be cloned
 * with; and a proxy that is not there, for whatever else should try to leave the machine.
 */
const bareEnvironment = {
  HOME: '/nonexistent',
  HTTP_PROXY: 'http://127.0.0.1:1',
  HTTPS_PROXY: 'http://127.0.0.1:1',
};

/** kustomize as kubectl carries it. */
export class LocalRenderers implements Renderers {
  readonly versions: Renderers['versions'];
  readonly #kubectl: string;
  readonly #limits: RenderLimits;

  private constructor(kubectl: string, versions: Renderers['versions'], limits: RenderLimits) {
    this.#kubectl = kubectl;
    this.versions = versions;
    this.#limits = limits;
  }

  /** Finds kubectl on the PATH that is given. Throws when it is not there. */
  static async find(path: string, limits: Partial<RenderLimits> = {}): Promise<LocalRenderers> {
    const kubectl = await findProgram('kubectl', path);
    const { stdout } = await run(kubectl, ['version', '--client', '-o', 'json'], { env: bareEnvironment });
    const { clientVersion, kustomizeVersion } = versionSchema.parse(JSON.parse(stdout));
    const versions = {
      trueup: packageJson.version,
      kubectl: clientVersion.gitVersion,
      kustomize: kustomizeVersion,
    };
    return new LocalRenderers(kubectl, versions, { ...defaultLimits, ...limits });
  }

  async kustomize(worktree: Worktree, path: string): Promise<string> {
    const { seconds, bytes } = this.#limits;
    const folder = join(worktree.directory, path);
    // Files are read in or below the folders of the build only: a symlink or `..` leads to an error, not out.
    const args = ['kustomize', '--load-restrictor=LoadRestrictionsRootOnly', '--', folder];
    try {
      const options = { env: bareEnvironment, cwd: worktree.directory, killSignal: 'SIGKILL' as const };
      const { stdout } = await run(this.#kubectl, args, {
        ...options,
        timeout: seconds * 1000,
        maxBuffer: bytes,
      });
      return stdout;
    } catch (error) {
      throw new Stop({ subject: `folder ${path}`, message: this.#reason(error, worktree.directory) });
    }
  }

  #reason(error: unknown, root: string): string {
    if (!(error instanceof Error)) return 'cannot be built';
    const { code, killed, stderr } = failureSchema.parse(error);
    if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
      return `gives more than ${this.#limits.bytes} bytes; split the application`;
    }
    if (killed) return `took longer than ${this.#limits.seconds} s to build; split the application`;
    const said = stderr === '' ? messageOf(error) : stderr;
    // Where our scratch space is helps nobody.
    const words = said
      .replaceAll(`${root}/`, '')
      .replaceAll(root, '.')
      .replaceAll(`${dirname(root)}/`, '../');
    return `cannot be built: ${withoutValues(words.replace(/^error: /, '')).trim()}`;
  }
}

/** What kustomize quotes of a node, a literal or a line of `envs` (its bytes as numbers too) may be a secret. */
function withoutValues(words: string): string {
  return words
    .replace(/:\s*node contents:[^]*$/, '')
    .replace(/(?:line \[[\d\s]*\] has )?(invalid utf8 bytes)[^]*$/, '$1')
    .replace(/(illegally repeats the key)[^]*$/, '$1')
    .replace(/(?:literal sources \[[^]*)?(invalid literal source)[^]*$/, '$1, expected key=value');
}

const failureSchema = z.object({
  code: z.unknown(),
  killed: z.boolean().default(false),
  stderr: z.string().default(''),
});

/** As `LocalRenderers`, with kubectl looked for when it is needed: plain manifests are rendered without one. */
export class RenderersOnDemand implements Renderers {
  readonly #path: string;
  #found: LocalRenderers | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  get versions(): Renderers['versions'] {
    return this.#found?.versions ?? { trueup: packageJson.version };
  }

  async kustomize(worktree: Worktree, path: string): Promise<string> {
    this.#found ??= await LocalRenderers.find(this.#path).catch((cause: unknown) => {
      const message =
        'is built with kustomize, which comes with kubectl, and there is none on the PATH; install it';
      throw new Stop({ subject: `folder ${path}`, message, cause });
    });
    return this.#found.kustomize(worktree, path);
  }
}

async function findProgram(name: string, path: string): Promise<string> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const candidate = join(folder, name);
    const isThere = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return candidate;
  }
  throw new Error(
    `there is no ${name} on the PATH ${path}; install it, or deploy the function's image as it is built`,
  );
}
