import { Stop, faultsOf, type Fault } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import type { Worktree } from '../ports.ts';
import { readYaml, type YamlDocument } from '../yaml/read-yaml.ts';

const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** Lists that name other folders or files to build from. Go reads field names in any case, so must we. */
const references = ['resources', 'bases', 'components', 'generators', 'transformers', 'validators'];
/** Of these, the ones that hold configuration of plugins, which names files and addresses of its own. */
const pluginLists = ['generators', 'transformers', 'validators'];
/** Everywhere else that kustomize opens a path, or fetches it when it looks like an address. */
const pathFields = ['path', 'files', 'envs', 'env', 'crds', 'configurations', 'patchesstrategicmerge'];
const helmFields = ['helmcharts', 'helmchartinflationgenerator', 'helmglobals'];

/** The kustomization file of a folder, among the files below it. */
export function kustomizationOf(folder: string, files: readonly string[]): string | undefined {
  return files.find((file) => fileNames.some((name) => file === join(folder, name)));
}

/** What a build is made of. */
export interface KustomizeInputs {
  /** Every folder that it reads from, its own first. */
  readonly folders: readonly string[];
  /** Secret values that stand in the kustomizations, and that kustomize quotes when one of them is wrong. */
  readonly secrets: readonly string[];
}

/**
 * Finds the inputs of a build. kustomize itself reads files only in or below these folders
 * (LoadRestrictionsRootOnly), so all their files together are the build's inputs.
 * Throws Stop for what would need a network, a plugin or a place outside the repository: kustomize runs with none.
 */
export async function kustomizeInputs(worktree: Worktree, folder: string): Promise<KustomizeInputs> {
  const folders = [folder];
  const secrets: string[] = [];
  const faults: Fault[] = [];
  // Grows as it is walked: breadth first, each folder once.
  for (const current of folders) {
    const found = await readKustomization(worktree, current);
    folders.push(
      ...found.folders.filter((base, at, all) => !folders.includes(base) && all.indexOf(base) === at),
    );
    secrets.push(...found.secrets);
    faults.push(...found.faults);
  }
  const [first] = faults;
  if (first !== undefined) throw new Stop(first, faults);
  return { folders, secrets };
}

interface Found extends KustomizeInputs {
  readonly faults: readonly Fault[];
}

const nothing: Found = { folders: [], secrets: [], faults: [] };

async function readKustomization(worktree: Worktree, folder: string): Promise<Found> {
  const files = await worktree.files(folder);
  const file = kustomizationOf(folder, files);
  if (file === undefined) {
    const message = `is built from, but has no ${fileNames[0]}`;
    return { ...nothing, faults: [{ subject: `folder ${folder}`, message }] };
  }
  return collected(async () => {
    const found: Found[] = [];
    for (const document of readYaml(file, await worktree.text(file))) {
      if (!isJsonObject(document.value))
        throw new Stop({ subject: document.place(), message: 'is no kustomization' });
      const secrets = secretLiterals(document.value);
      found.push({ folders: [], secrets, faults: fieldFaults(document, document.value) });
      for (const reference of referencesOf(document.value)) {
        found.push(await collected(() => follow(worktree, folder, document, reference)));
      }
    }
    return {
      folders: found.flatMap(({ folders }) => folders),
      secrets: found.flatMap(({ secrets }) => secrets),
      faults: found.flatMap(({ faults }) => faults),
    };
  });
}

/** A fault of one file is kept, so that the next file's is found too. */
async function collected(read: () => Promise<Found>): Promise<Found> {
  try {
    return await read();
  } catch (error) {
    const faults = faultsOf(error);
    if (faults === undefined) throw error;
    return { ...nothing, faults };
  }
}

interface Reference {
  readonly path: readonly [string, number];
  readonly entry: string;
  readonly isPlugin: boolean;
}

function referencesOf(kustomization: JsonObject): Reference[] {
  return Object.entries(kustomization).flatMap(([field, value]) => {
    const name = field.toLowerCase();
    if (!references.includes(name) || !Array.isArray(value)) return [];
    const isPlugin = pluginLists.includes(name);
    return value.flatMap((entry: Json, index: number) =>
      typeof entry === 'string' ? [{ path: [field, index] as const, entry, isPlugin }] : [],
    );
  });
}

async function follow(
  worktree: Worktree,
  folder: string,
  document: YamlDocument,
  { path, entry, isPlugin }: Reference,
): Promise<Found> {
  const subject = document.place(path);
  const fault = (message: string): Found => ({
    ...nothing,
    faults: [{ subject, message: `${path.join('.')}: ${message}` }],
  });
  // A list of plugins may hold the configuration itself, as a text of several lines.
  if (entry.includes('\n')) return pluginFound(subject, entry, isPlugin);
  if (isRemote(entry)) return fault(remoteMessage(entry));
  const resolved = join(folder, entry);
  if (resolved === undefined) return fault(`${entry} leads out of the repository`);
  if ((await worktree.files(resolved)).length > 0) return { ...nothing, folders: [resolved] };
  const parent = join(resolved, '..') ?? '.';
  if (!(await worktree.files(parent)).includes(resolved)) return fault(`${entry} is not in this commit`);
  if (folder !== '.' && !resolved.startsWith(`${folder}/`)) {
    return fault(
      `${entry} is a file outside this folder, which kustomize does not read; make its folder a base`,
    );
  }
  return pluginFound(resolved, await worktree.text(resolved), isPlugin);
}

/** Reads a file now, since kustomize's own words on a YAML error name no line of the repository. */
function pluginFound(file: string, text: string, isPlugin: boolean): Found {
  const documents = readYaml(file, text);
  if (!isPlugin) return nothing;
  return { ...nothing, faults: documents.flatMap((document) => fieldFaults(document, document.value)) };
}

/** `key=value`, and the value alone. */
function secretLiterals(kustomization: JsonObject): string[] {
  const literals = membersOf(kustomization, 'secretgenerator').flatMap((list) =>
    Array.isArray(list) ? list.flatMap((generator: Json) => membersOf(generator, 'literals')) : [],
  );
  return literals.flatMap(textsOf).flatMap((text) => [text, text.slice(text.indexOf('=') + 1)]);
}

function membersOf(value: Json, name: string): Json[] {
  const entries = isJsonObject(value) ? Object.entries(value) : [];
  return entries.flatMap(([field, member]) => (field.toLowerCase() === name ? [member] : []));
}

/** Helm, and paths that are addresses, at any depth. */
function fieldFaults(document: YamlDocument, value: Json, path: readonly PropertyKey[] = []): Fault[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: Json, index: number) => fieldFaults(document, item, [...path, index]));
  }
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([field, member]) => {
    const at = [...path, field];
    const fault = (message: string) => ({
      subject: document.place(at),
      message: `${at.join('.')}: ${message}`,
    });
    const name = field.toLowerCase();
    if (helmFields.includes(name))
      return [fault('Helm charts are not rendered; keep the rendered chart in the repository')];
    if (name === 'kind' && member === 'HelmChartInflationGenerator')
      return [fault('Helm charts are not rendered')];
    if (!pathFields.includes(name)) return fieldFaults(document, member, at);
    // A text of several lines is configuration, no path.
    return textsOf(member)
      .filter((text) => !text.includes('\n') && isRemote(text))
      .map((entry) => fault(remoteMessage(entry)));
  });
}

/** Every text at any depth. */
function textsOf(value: Json): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap((item: Json) => textsOf(item));
  return isJsonObject(value) ? Object.values(value).flatMap((item) => textsOf(item)) : [];
}

/** By its form, as kustomize judges it before it looks whether there is such a path; `key=` may stand before it. */
function isRemote(entry: string): boolean {
  const form =
    /^(?:[^=/]+=)?(?:[a-z][a-z0-9+.-]*:\/\/|git::|[^/]+@[^/]+:|(?:www\.)?(?:github|gitlab|bitbucket)\.[a-z]+[/:])/i;
  return (
    form.test(entry) || /[?&](?:ref|version|timeout|submodules)=/.test(entry) || /\.git(?:\/|$)/.test(entry)
  );
}

function remoteMessage(entry: string): string {
  // A user name or token may stand in an address.
  const shown = entry.replace(/\/\/[^/]*@/, '//');
  return `${shown} is remote, and rendering has no network; keep a copy in the repository`;
}

/** Path below a folder, both relative to the root; undefined when it leads out of the tree. */
function join(folder: string, entry: string): string | undefined {
  if (entry.startsWith('/')) return undefined;
  const parts: string[] = [];
  for (const part of `${folder}/${entry}`.split('/')) {
    if (part === '..' && parts.pop() === undefined) return undefined;
    if (part !== '' && part !== '.' && part !== '..') parts.push(part);
  }
  return parts.length === 0 ? '.' : parts.join('/');
}
