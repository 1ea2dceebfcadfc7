import { Stop, faultsOf, type Fault } from '../errors.ts';
import type { Application } from '../model/application.ts';
import { digestOf, digestOfBytes } from '../model/digest.ts';
import { refKey, refOf, type KubeObject } from '../model/object.ts';
import type { Renderers, Worktree } from '../ports.ts';
import { readYaml } from '../yaml/read-yaml.ts';
import { kustomizationOf, kustomizeInputs } from './kustomize.ts';
import { assertUsable, objectsOf, type ReadObjects } from './objects.ts';

/** Objects of one application as its source gives them, and what they were made of. */
export interface Rendered {
  readonly renderer: 'plain' | 'kustomize';
  readonly objects: readonly KubeObject[];
  /** Object key to file and line, as far as the renderer knows. */
  readonly origins: { readonly [objectKey: string]: string };
  /** Over paths and contents of every file that the render read, and maybe of some more. */
  readonly inputDigest: string;
}

/** Renders one application. Throws Stop with every fault found. */
export async function render(
  { path, renderer }: Application['spec']['source'],
  worktree: Worktree,
  renderers: Renderers,
): Promise<Rendered> {
  const files = await worktree.files(path);
  if (files.length === 0) {
    const message = 'holds no files in this commit; mend source.path, or delete the Application file';
    throw new Stop({ subject: `folder ${path}`, message });
  }
  const kustomization = kustomizationOf(path, files);
  if (renderer === 'kustomize' && kustomization === undefined) {
    const message = 'has no kustomization.yaml, but source.renderer is kustomize';
    throw new Stop({ subject: `folder ${path}`, message });
  }
  if (renderer !== 'plain' && kustomization !== undefined) {
    return renderKustomize(path, kustomization, worktree, renderers);
  }
  return renderPlain(path, files, worktree);
}

async function renderPlain(path: string, files: readonly string[], worktree: Worktree): Promise<Rendered> {
  const inputs = files.filter((file) => isManifest(path, file));
  const read: ReadObjects[] = [];
  for (const file of inputs) read.push(...readManifests(file, await worktree.text(file)));
  return { renderer: 'plain', ...rendered(path, read), inputDigest: await inputDigest(worktree, inputs) };
}

async function renderKustomize(
  path: string,
  kustomization: string,
  worktree: Worktree,
  renderers: Renderers,
): Promise<Rendered> {
  const { folders, secrets } = await kustomizeInputs(worktree, path);
  const inputs = new Set<string>();
  for (const folder of folders) for (const file of await worktree.files(folder)) inputs.add(file);
  const output = await renderers.kustomize(worktree, path).catch((error: unknown) => {
    throw masked(error, secrets);
  });
  const { objects } = rendered(path, readManifests(`${kustomization} (as built)`, output));
  const origins = Object.fromEntries(objects.map((object) => [refKey(refOf(object)), kustomization]));
  return { renderer: 'kustomize', objects, origins, inputDigest: await inputDigest(worktree, [...inputs]) };
}

/** kustomize quotes the literals of a secretGenerator when one of them is wrong. */
function masked(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof Stop)) return error;
  const values = secrets.filter((value) => value.length > 1).sort((a, b) => b.length - a.length);
  const faults = error.faults.map(({ subject, message }) => ({
    subject,
    message: values.reduce((text, value) => text.replaceAll(value, '***'), message),
  }));
  const [first] = faults;
  return first === undefined ? error : new Stop(first, faults);
}

/** YAML and JSON below the source path; what is hidden there (`.github`, `.sops.yaml`) is no manifest. */
function isManifest(path: string, file: string): boolean {
  const below = path === '.' ? file : file.slice(path.length);
  return /\.(?:ya?ml|json)$/.test(file) && !/(?:^|\/)\./.test(below);
}

function readManifests(file: string, text: string): ReadObjects[] {
  try {
    return readYaml(file, text).map((document) => objectsOf(document));
  } catch (error) {
    const faults: readonly Fault[] | undefined = faultsOf(error);
    if (faults === undefined) throw error;
    return [{ objects: [], faults }];
  }
}

function rendered(path: string, read: readonly ReadObjects[]): Pick<Rendered, 'objects' | 'origins'> {
  const placed = read.flatMap(({ objects }) => objects);
  assertUsable(path, { objects: placed, faults: read.flatMap(({ faults }) => faults) });
  const origins = Object.fromEntries(placed.map(({ object, place }) => [refKey(refOf(object)), place]));
  return { objects: placed.map(({ object }) => object), origins };
}

async function inputDigest(worktree: Worktree, files: readonly string[]): Promise<string> {
  const digests: [string, string][] = [];
  for (const file of files) digests.push([file, digestOfBytes(await worktree.read(file))]);
  return digestOf(Object.fromEntries(digests));
}
