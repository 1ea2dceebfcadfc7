import { basename, resolve } from 'node:path';
import { placeFrom } from '../adapters/local-worktree.ts';
import { describeRef, refKey, refOf, type KubeObject } from '../core/model/object.ts';
import { nameSchema } from '../core/model/target.ts';
import { render as renderSource } from '../core/render/render.ts';
import { canonicalObjects, maskObjects } from '../core/snapshot.ts';
import { localCharts } from './local-charts.ts';
import { optionalFacts } from './local-facts.ts';
import { callersFolder, localRenderers, localSealer, type LocalOptions } from './local-session.ts';
import { openSource, readApplication, sourceAt, tellingPlaces } from './local-source.ts';
import { table, type Report } from './report.ts';

export interface RenderOptions extends LocalOptions {
  /** An Application file: how it is rendered, under which name and in which namespace; where, the command line says. */
  readonly application?: string;
}

/** Objects as a snapshot holds them; secret values as keyed digests. */
export async function render(path: string, options: RenderOptions): Promise<Report> {
  const { worktree, path: inside } = await openSource(path);
  const application =
    options.application === undefined ? undefined : await readApplication(options.application);
  return tellingPlaces(worktree, async () => {
    const source = sourceAt(inside, application);
    const {
      objects,
      origins,
      warnings = [],
    } = await renderSource(source, {
      worktree,
      renderers: localRenderers(),
      charts: localCharts(source.chart),
      facts: await optionalFacts(options, application),
      applicationName: application?.metadata.name ?? nameOf(path),
      namespace: application?.spec.namespace ?? 'default',
      references: new Map(),
    });
    const shown = await maskObjects(canonicalObjects(objects), localSealer());
    const rows = shown.map((object) => [describeRef(refOf(object)), origins[refKey(refOf(object))] ?? '']);
    const place = placeFrom(callersFolder(), worktree.directory);
    const notes = warnings.map(({ subject, message }) => `${place(subject)}: ${message}`);
    return { data: shown, text: table(['OBJECT', 'FROM'], rows), notes, yaml: await yamlStream(shown) };
  });
}

/** A release is called after its application, and without one after its folder. */
function nameOf(path: string): string {
  return nameSchema.safeParse(basename(resolve(callersFolder(), path))).data ?? 'render';
}

async function yamlStream(objects: readonly KubeObject[]): Promise<string> {
  const { dump } = await import('js-yaml');
  return objects.map((object) => dump(object)).join('---\n');
}
