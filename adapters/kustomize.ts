import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { Stop } from '../core/errors.ts';
import type { KustomizeAssembly, KustomizeExtras, Worktree } from '../core/ports.ts';
import { findProgram } from './find-program.ts';
import { runSandboxed, type SandboxLimits } from './sandbox.ts';
import { scratchFolder } from './scratch-folder.ts';

const defaultLimits: SandboxLimits = { seconds: 60, bytes: 16 * 1024 * 1024, megabytes: 512 };

const versionSchema = z.object({
  clientVersion: z.object({ gitVersion: z.string() }),
  kustomizeVersion: z.string(),
});

/** kustomize as kubectl carries it; charts are inflated by the helm of the same PATH. */
export class Kustomize {
  readonly versions: { readonly kubectl: string; readonly kustomize: string };
  readonly #path: string;
  readonly #kubectl: string;
  readonly #limits: SandboxLimits;

  private constructor(path: string, kubectl: string, versions: Kustomize['versions'], limits: SandboxLimits) {
    this.#path = path;
    this.#kubectl = kubectl;
    this.versions = versions;
    this.#limits = limits;
  }

  /** Finds kubectl on the PATH that is given. Throws when it is not there. */
  static async find(path: string, limits: Partial<SandboxLimits> = {}): Promise<Kustomize> {
    const kubectl = await findProgram('kubectl', path);
    const args = ['version', '--client', '-o', 'json'];
    const result = await runSandboxed(kubectl, args, { cwd: '/', limits: defaultLimits });
    if (result.kind !== 'done') throw new Error(`${kubectl} cannot tell its version; install another`);
    const { clientVersion, kustomizeVersion } = versionSchema.parse(JSON.parse(result.output));
    const versions = { kubectl: clientVersion.gitVersion, kustomize: kustomizeVersion };
    return new Kustomize(path, kubectl, versions, { ...defaultLimits, ...limits });
  }

  /** `path` is what a fault is about. Throws Stop with kustomize's own words, paths relative to the root of the tree. */
  async build(worktree: Worktree, path: string, { assembly, helm }: KustomizeExtras): Promise<string> {
    await using folder = await scratchFolder('trueup-kustomize-');
    const scratch = folder.path;
    if (assembly !== undefined) await assemble(scratch, assembly);
    const root = assembly === undefined ? worktree.directory : scratch;
    const args = [
      'kustomize',
      // Files are read in or below the folders of the build only: a symlink or `..` leads to an error, not out.
      '--load-restrictor=LoadRestrictionsRootOnly',
      ...(helm === undefined ? [] : await this.#helmArgs(path, helm)),
      '--',
      join(root, assembly?.folder ?? path),
    ];
    const options = { cwd: scratch, limits: this.#limits, env: { TMPDIR: scratch } };
    const result = await runSandboxed(this.#kubectl, args, options);
    if (result.kind === 'done') return result.output;
    const message =
      result.kind === 'limit'
        ? limitWords(result.limit, this.#limits)
        : `cannot be built: ${withoutValues(withoutPlaces(withoutLog(result.stderr), root))}`;
    throw new Stop({ subject: `folder ${path}`, message });
  }

  /** kustomize gives helm homes of its own in the scratch folder, so that nothing of this machine's is found. */
  async #helmArgs(path: string, { capabilities }: NonNullable<KustomizeExtras['helm']>): Promise<string[]> {
    const program = await findProgram('helm', this.#path).catch((cause: unknown) => {
      const message =
        'has charts, which are rendered with Helm 4, and there is no helm on the PATH; install it';
      throw new Stop({ subject: `folder ${path}`, message, cause });
    });
    const told = capabilities === undefined ? [] : [`--helm-kube-version=${capabilities.version}`];
    const versions = capabilities?.apiVersions.map((version) => `--helm-api-versions=${version}`) ?? [];
    return ['--enable-helm', `--helm-command=${program}`, ...told, ...versions];
  }
}

async function assemble(scratch: string, { files }: KustomizeAssembly): Promise<void> {
  for (const [path, source] of files) {
    const file = join(scratch, path);
    // Core sees to it; this is what stands between a mistake of its and the disk.
    if (!file.startsWith(`${scratch}/`)) throw new Stop({ subject: path, message: 'leads out of the build' });
    await mkdir(dirname(file), { recursive: true });
    const isContent = typeof source === 'string' || source instanceof Uint8Array;
    await writeFile(file, isContent ? source : await source.worktree.read(source.path));
  }
}

function limitWords(limit: keyof SandboxLimits, { seconds, bytes, megabytes }: SandboxLimits): string {
  const words = {
    seconds: `took longer than ${seconds} s to build`,
    bytes: `gives more than ${bytes} bytes`,
    megabytes: `took more than ${megabytes} MB of memory to build`,
  };
  return `${words[limit]}; split the application`;
}

/** Where our scratch space is helps nobody. */
function withoutPlaces(words: string, root: string): string {
  return words
    .replaceAll(`${root}/tree/`, '')
    .replaceAll(`${root}/`, '')
    .replaceAll(root, '.')
    .replaceAll(`${dirname(root)}/`, '../')
    .replace(/^error: /, '')
    .trim();
}

/** Some builds of kubectl write their last words as a line of a log. */
const logged = /^E\d{4} .*"command failed" err=("(?:[^"\\]|\\.)*")$/m;

function withoutLog(words: string): string {
  return words.replace(logged, (line, quoted: string) => unquoted(quoted) ?? line);
}

/** Go quotes as JSON does, but for what is no text. */
function unquoted(text: string): string | undefined {
  try {
    return z.string().parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** What kustomize quotes of a node, a patch, a literal or a line of `envs` (its bytes as numbers too) may be a secret. */
function withoutValues(words: string): string {
  return words
    .replaceAll(/ with config: `[^`]*`/g, '')
    .replace(/(unable to parse SM or JSON patch) from[^]*$/, '$1')
    .replace(/:\s*node contents:[^]*$/, '')
    .replace(/(?:line \[[\d\s]*\] has )?(invalid utf8 bytes)[^]*$/, '$1')
    .replace(/(illegally repeats the key)[^]*$/, '$1')
    .replace(/(?:literal sources \[[^]*)?(invalid literal source)[^]*$/, '$1, expected key=value');
}
