import { Stop } from '../errors.ts';
import type { JsonObject } from '../model/json.ts';
import type { KustomizeOptions } from '../model/kustomize-options.ts';
import { refKey, refOf } from '../model/object.ts';
import type { KustomizeAssembly, KustomizeExtras, Worktree } from '../ports.ts';
import type { RenderContext } from './context.ts';
import { loadChart, type ResolvedChart } from './helm-load.ts';
import { assertOwnSchemas } from './helm-schema.ts';
import {
  kustomizationOf,
  kustomizeInputs,
  type FindBase,
  type KustomizeInputs,
  type Tree,
} from './kustomize-inputs.ts';
import { overlayDocument, overlayOf, rerooted } from './kustomize-overlay.ts';
import { placedObjects, readManifests, type PlacedObjects } from './manifests.ts';
import type { PlainSource } from './plain.ts';

export interface KustomizeSource extends PlainSource {
  readonly kustomize?: KustomizeOptions;
}

/** Objects that kustomize gives, and the files of the application's own tree that they were made of. */
export interface KustomizedObjects extends PlacedObjects {
  readonly inputs: readonly string[];
  /** Charts that came from elsewhere. */
  readonly charts: readonly ResolvedChart[];
}

/** Builds a folder of the tree. Throws Stop with every fault found. */
export async function readKustomized(
  source: KustomizeSource,
  context: RenderContext,
): Promise<KustomizedObjects> {
  const { worktree } = context;
  if (source.include !== undefined || source.exclude !== undefined) {
    const message = 'source.include and source.exclude choose plain files, and this is built with kustomize';
    throw new Stop({ subject: `folder ${source.path}`, message });
  }
  const folder = await worktree.realPath(source.path);
  const kustomization = kustomizationOf(folder, await worktree.files(folder));
  if (kustomization === undefined) {
    const message = 'has no kustomization.yaml, but source.renderer is kustomize';
    throw new Stop({ subject: `folder ${source.path}`, message });
  }
  const options = source.kustomize ?? {};
  const tree = { worktree, root: 'tree', prefix: '' };
  const wanted = overlayOf(options);
  const overlay = wanted === undefined ? undefined : overlayDocument(wanted);
  const inputs = await kustomizeInputs(
    { tree, folder, overlay },
    {
      helm: options.helm === true,
      findBase: findBaseOf(context),
      loadChart: async (reference) => {
        const chart = await loadChart({ path: '.', chart: reference }, context);
        assertOwnSchemas(chart.files, chart.placeOf);
        return chart;
      },
    },
  );
  const start = { tree, folder, overlay: inputs.overlay };
  const extras = { ...(await assembled(start, inputs)), ...(await helmOf(inputs, context)) };
  const output = await context.renderers.kustomize(worktree, folder, extras).catch((error: unknown) => {
    throw masked(error, inputs.secrets);
  });
  const { objects } = placedObjects(source.path, readManifests(`${kustomization} (as built)`, output));
  const origins = Object.fromEntries(objects.map((object) => [refKey(refOf(object)), kustomization]));
  const charts = [...inputs.fetched.values()].flatMap(({ resolved }) => resolved);
  return { objects, origins, inputs: await filesOf(inputs, tree), charts };
}

/** The tree of a base is the same for all its folders. */
export function findBaseOf({ bases }: Pick<RenderContext, 'bases'>): FindBase {
  return async (address) => {
    const found = await bases?.find(address);
    if (found === undefined) return undefined;
    const { worktree, name, path } = found;
    return { tree: { worktree, root: `bases/${name}`, prefix: `${name}:` }, path };
  };
}

/** What charts are told of the cluster, which is asked only when there are any. */
async function helmOf(
  { charts, fetched }: KustomizeInputs,
  { facts }: RenderContext,
): Promise<Pick<KustomizeExtras, 'helm'>> {
  if (charts.length === 0 && fetched.size === 0) return {};
  const capabilities = await facts.capabilities();
  return { helm: capabilities === undefined ? {} : { capabilities } };
}

async function filesOf({ folders, charts }: KustomizeInputs, { root, worktree }: Tree): Promise<string[]> {
  const files = new Set<string>();
  for (const { tree, folder } of [...folders, ...charts]) {
    if (tree.root === root) for (const file of await worktree.files(folder)) files.add(file);
  }
  return [...files];
}

interface Start {
  readonly tree: Tree;
  readonly folder: string;
  readonly overlay: JsonObject | undefined;
}

/** A build in place reads the tree as it is; anything more needs a copy of what it reads. */
async function assembled(
  { tree, folder, overlay }: Start,
  { folders, charts, fetched, rewritten }: KustomizeInputs,
): Promise<{ readonly assembly?: KustomizeAssembly }> {
  if (overlay === undefined && rewritten.size === 0 && fetched.size === 0) return {};
  const files = new Map<
    string,
    string | Uint8Array | { readonly worktree: Worktree; readonly path: string }
  >();
  for (const { tree: other, folder: below } of [...folders, ...charts]) {
    for (const path of await other.worktree.files(below)) {
      files.set(`${other.root}/${path}`, { worktree: other.worktree, path });
    }
  }
  for (const [file, text] of rewritten) files.set(file, text);
  for (const [root, chart] of fetched) {
    for (const [path, bytes] of chart.files) files.set(`${root}/${path}`, bytes);
  }
  const built = `${tree.root}/${folder}`;
  if (overlay === undefined) return { assembly: { files, folder: built } };
  files.set('overlay/kustomization.yaml', JSON.stringify(rerooted(overlay, built, 'overlay')));
  return { assembly: { files, folder: 'overlay' } };
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
