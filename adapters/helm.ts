import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Stop } from '../core/errors.ts';
import type { HelmRequest, HelmResult } from '../core/ports.ts';
import { findProgram } from './find-program.ts';
import { runSandboxed, type SandboxLimits } from './sandbox.ts';
import { scratchFolder } from './scratch-folder.ts';

const defaultLimits: SandboxLimits = { seconds: 60, bytes: 16 * 1024 * 1024, megabytes: 512 };

interface Found {
  readonly program: string;
  readonly version: string;
}

/** Helm 4 of a PATH, looked for when it is needed: nothing else is rendered with it. */
export class Helm {
  readonly #path: string;
  readonly #limits: SandboxLimits;
  #found: Found | undefined;

  constructor(path: string, limits: Partial<SandboxLimits> = {}) {
    this.#path = path;
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** Empty until it has run. */
  get versions(): { readonly [name: string]: string } {
    return this.#found === undefined ? {} : { helm: this.#found.version };
  }

  /** Looks for it now. Throws Stop where there is none, or another than Helm 4. */
  async find(): Promise<Found> {
    this.#found ??= await findHelm(this.#path);
    return this.#found;
  }

  async render(request: HelmRequest): Promise<HelmResult> {
    const { program } = await this.find();
    return runHelm(program, request, this.#limits);
  }
}

/** Its output is not that of Helm 3. */
async function findHelm(path: string): Promise<Found> {
  const program = await findProgram('helm', path).catch((cause: unknown) => {
    const message = 'is rendered with Helm 4, and there is no helm on the PATH; install it';
    throw new Stop({ subject: 'chart', message, cause });
  });
  const limits = { ...defaultLimits, bytes: 1024 };
  const args = ['version', '--template={{.Version}}'];
  const result = await runSandboxed(program, args, { cwd: '/', limits });
  const version = result.kind === 'done' ? result.output.trim() : '';
  if (version.startsWith('v4.')) return { program, version };
  const message = `is rendered with Helm 4, and ${program} is ${version || 'none that runs'}; install Helm 4`;
  throw new Stop({ subject: 'chart', message });
}

/** Runs in a scratch folder, which is wiped: no network, no cluster, no plugins, no configuration of this machine. */
async function runHelm(program: string, request: HelmRequest, limits: SandboxLimits): Promise<HelmResult> {
  await using folder = await scratchFolder('trueup-helm-');
  const scratch = folder.path;
  await writeChart(join(scratch, 'chart'), request);
  const values = await writeValues(scratch, request);
  const { HELM_PLUGINS, ...homes } = helmHomes(scratch);
  await mkdir(HELM_PLUGINS);
  const result = await runSandboxed(program, helmArgs(request, values), {
    cwd: scratch,
    limits,
    env: { ...homes, HELM_PLUGINS },
  });
  if (result.kind === 'done') return { kind: 'rendered', output: result.output };
  // Where our scratch space is helps nobody.
  if (result.kind === 'failed')
    return { kind: 'refused', words: result.stderr.replaceAll(`${scratch}/`, '').trim() };
  throw new Stop({ subject: 'chart', message: limitWords(result.limit, limits) });
}

async function writeChart(folder: string, { chart }: HelmRequest): Promise<void> {
  for (const [path, bytes] of chart) {
    const file = join(folder, path);
    // Unpacking and the worktree see to it; this is what stands between a mistake of theirs and the disk.
    if (!file.startsWith(`${folder}/`)) throw new Stop({ subject: path, message: 'leads out of its chart' });
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
}

async function writeValues(scratch: string, { values }: HelmRequest): Promise<string[]> {
  const names = values.map((_, index) => `values-${index + 1}.yaml`);
  for (const [index, text] of values.entries()) {
    await writeFile(join(scratch, names[index] ?? ''), text, { mode: 0o600 });
  }
  return names;
}

/** All that Helm would else look for in a home, by its environment. */
function helmHomes(scratch: string) {
  return {
    HELM_CACHE_HOME: join(scratch, 'cache'),
    HELM_CONFIG_HOME: join(scratch, 'config'),
    HELM_DATA_HOME: join(scratch, 'data'),
    HELM_PLUGINS: join(scratch, 'plugins'),
  };
}

function helmArgs(request: HelmRequest, valueFiles: readonly string[]): string[] {
  const { releaseName, namespace, capabilities, parameters } = request;
  return [
    'template',
    releaseName,
    'chart',
    `--namespace=${namespace}`,
    '--skip-tests',
    ...(request.includeCrds ? ['--include-crds'] : []),
    ...(request.skipSchemaValidation ? ['--skip-schema-validation'] : []),
    ...(request.isUpgrade ? ['--is-upgrade'] : []),
    ...(capabilities === undefined
      ? []
      : [
          `--kube-version=${capabilities.version}`,
          ...capabilities.apiVersions.map((version) => `--api-versions=${version}`),
        ]),
    ...valueFiles.map((name) => `--values=${name}`),
    ...parameters.map(([flag, text]) => `${flag}=${text}`),
  ];
}

function limitWords(limit: keyof SandboxLimits, { seconds, bytes, megabytes }: SandboxLimits): string {
  const words = {
    seconds: `took longer than ${seconds} s to render`,
    bytes: `gives more than ${bytes} bytes`,
    megabytes: `took more than ${megabytes} MB of memory to render`,
  };
  return `${words[limit]}; split it, or switch off what is not needed in its values`;
}
