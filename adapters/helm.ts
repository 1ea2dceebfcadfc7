import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Stop } from '../core/errors.ts';
import type { Capabilities } from '../core/model/facts.ts';
import type { HelmRequest, HelmResult } from '../core/ports.ts';
import { findProgram } from './find-program.ts';
import { LookupApi } from './lookup-api.ts';
import { runSandboxed, type SandboxLimits, type SandboxResult } from './sandbox.ts';
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
  const run = async (env: Readonly<Record<string, string>>) =>
    runSandboxed(program, helmArgs(request, values), {
      cwd: scratch,
      limits,
      env: { ...homes, HELM_PLUGINS, ...env },
    });
  const result = isAsking(request) ? await runWithApi(run, scratch, request) : await run({});
  if (result.kind === 'done') return { kind: 'rendered', output: result.output };
  // Where our scratch space is helps nobody.
  if (result.kind === 'failed')
    return { kind: 'refused', words: result.stderr.replaceAll(`${scratch}/`, '').trim() };
  throw new Stop({ subject: 'chart', message: limitWords(result.limit, limits) });
}

interface AskingRequest extends HelmRequest {
  readonly capabilities: Capabilities;
  readonly lookup: NonNullable<HelmRequest['lookup']>;
}

function isAsking(request: HelmRequest): request is AskingRequest {
  return request.lookup !== undefined && request.capabilities !== undefined;
}

/** Kinds that Helm wants to find when it has rendered, for objects that no API is ever asked about. */
const missingKind = /no matches for kind "([A-Za-z0-9]+)" in version "([^"\s]+)"/g;
/** One to learn of such kinds, one with them, one to spare. */
const mostRuns = 3;

/** Helm renders as for a server, against an API of ours that knows what may be looked up and nothing else. */
async function runWithApi(
  run: (env: Readonly<Record<string, string>>) => Promise<SandboxResult>,
  scratch: string,
  { capabilities, lookup }: AskingRequest,
): Promise<SandboxResult> {
  await using api = await LookupApi.start(capabilities, lookup);
  const KUBECONFIG = join(scratch, 'kubeconfig');
  await writeFile(KUBECONFIG, kubeconfigOf(api.url), { mode: 0o600 });
  const more = new Map<string, { readonly apiVersion: string; readonly kind: string }>();
  for (let attempt = 1; ; attempt += 1) {
    api.begin([...more.values()]);
    // A home of its own for each run: Helm keeps in it which kinds it was told of.
    const result = await run({ KUBECONFIG, HOME: join(scratch, `home-${attempt}`) });
    if (result.kind !== 'failed') return result;
    const missing = [...result.stderr.matchAll(missingKind)].filter(([text]) => !more.has(text));
    if (missing.length === 0 || attempt === mostRuns) {
      return { kind: 'failed', stderr: result.stderr.replaceAll(api.url, 'cluster') };
    }
    for (const [text, kind = '', apiVersion = ''] of missing) more.set(text, { apiVersion, kind });
  }
}

/** JSON is YAML. */
function kubeconfigOf(server: string): string {
  const [name, context] = ['lookup', { cluster: 'lookup', user: 'lookup' }];
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context }],
    'current-context': name,
  });
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
    // What a server says of itself goes before these.
    ...(isAsking(request) ? ['--dry-run=server', '--disable-openapi-validation'] : []),
    ...(capabilities === undefined || isAsking(request)
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
