import { Stop, type Fault } from '../errors.ts';
import type { Application } from '../model/application.ts';
import { digestOf, digestOfBytes } from '../model/digest.ts';
import type { KubeObject } from '../model/object.ts';
import type { SopsFiles } from '../model/sops.ts';
import type { Worktree } from '../ports.ts';
import type { RenderContext } from './context.ts';
import type { ResolvedChart } from './helm-load.ts';
import type { SeenLookup } from './helm-lookups.ts';
import { readHelm } from './helm.ts';
import { kustomizationOf } from './kustomize-inputs.ts';
import { readKustomized } from './kustomize.ts';
import { assertNamed } from './objects.ts';
import { readPlain } from './plain.ts';
import { assertReferences } from './references.ts';
import { sourceOn } from './source-on.ts';
import { sealedBySops } from './sops.ts';
import { substitute } from './substitute.ts';

/** Objects of one application as its source gives them, and what they were made of. */
export interface Rendered {
  readonly renderer: 'plain' | 'kustomize' | 'helm';
  readonly objects: readonly KubeObject[];
  /** Object key to file and line, as far as the renderer knows. */
  readonly origins: { readonly [objectKey: string]: string };
  /** Over paths and contents of every file that the render read, and maybe of some more. */
  readonly inputDigest: string;
  /** What versions and ranges of charts came to. */
  readonly charts?: readonly ResolvedChart[];
  /** What a person should know of although nothing failed. */
  readonly warnings?: readonly Fault[];
  /** What was looked up on the cluster. */
  readonly lookups?: readonly SeenLookup[];
  /** The committed files of objects that SOPS encrypted. */
  readonly sops?: SopsFiles;
}

type Source = Application['spec']['source'];

/** Renders one application. Throws Stop with every fault found. */
export async function render(spelled: Source, context: RenderContext): Promise<Rendered> {
  const source = sourceOn(spelled, context.facts);
  const { files, ...rendered } = await renderSource(source, context);
  const whole =
    source.substitute === undefined ? rendered : substitute(rendered, source.substitute, context.facts);
  assertNamed(whole.objects, whole.origins);
  const sealed = await sealedBySops(whole, files, context.worktree);
  assertReferences(sealed);
  return sealed;
}

/** With the files that manifests may be in as they were committed. */
interface RenderedFiles extends Rendered {
  readonly files: readonly string[];
}

async function renderSource(source: Source, context: RenderContext): Promise<RenderedFiles> {
  const { path } = source;
  if (source.chart !== undefined) return renderHelm(source, context);
  const files = await context.worktree.files(path);
  if (files.length === 0) {
    const message = 'holds no files in this commit; mend source.path, or delete the Application file';
    throw new Stop({ subject: `folder ${path}`, message });
  }
  const kustomization = kustomizationOf(path, files);
  const isChart = files.includes(path === '.' ? 'Chart.yaml' : `${path}/Chart.yaml`);
  const found = kustomization !== undefined ? 'kustomize' : isChart ? 'helm' : 'plain';
  const renderer = source.renderer === 'auto' ? found : source.renderer;
  if (renderer === 'plain') return renderPlain(source, files, context);
  return renderer === 'helm' ? renderHelm(source, context) : renderKustomize(source, context);
}

async function renderPlain(
  source: Source,
  files: readonly string[],
  { worktree }: RenderContext,
): Promise<RenderedFiles> {
  const { inputs, objects, origins } = await readPlain(source, files, worktree);
  return {
    renderer: 'plain',
    objects,
    origins,
    inputDigest: await inputDigest(worktree, inputs),
    files: inputs,
  };
}

async function renderKustomize(source: Source, context: RenderContext): Promise<RenderedFiles> {
  const { inputs, objects, origins, charts } = await readKustomized(source, context);
  const own = await inputDigest(context.worktree, inputs);
  const files = inputs;
  if (charts.length === 0) return { renderer: 'kustomize', objects, origins, inputDigest: own, files };
  const digest = digestOf({ own, charts: charts.map((chart) => chart.digest) });
  return { renderer: 'kustomize', objects, origins, inputDigest: digest, charts, files };
}

async function renderHelm(source: Source, context: RenderContext): Promise<RenderedFiles> {
  const { inputs, references, charts, objects, origins, warnings, lookups } = await readHelm(source, context);
  const own = await inputDigest(context.worktree, inputs);
  const others: string[] = [];
  for (const { reference = '', path } of references) {
    const tree = context.references.get(reference);
    if (tree !== undefined) others.push(`$${reference}/${path} ${await inputDigest(tree, [path])}`);
  }
  const digest = digestOf({ own, others, charts: charts.map((chart) => chart.digest) });
  return { renderer: 'helm', objects, origins, inputDigest: digest, charts, warnings, lookups, files: [] };
}

async function inputDigest(worktree: Worktree, files: readonly string[]): Promise<string> {
  const digests: [string, string][] = [];
  for (const file of files) digests.push([file, digestOfBytes(await worktree.read(file))]);
  return digestOf(Object.fromEntries(digests));
}
