import { describeRef, refKey, refOf, type KubeObject } from '../core/model/object.ts';
import { noCharts, noFacts } from '../core/render/context.ts';
import { render as renderSource } from '../core/render/render.ts';
import { canonicalObjects, maskObjects } from '../core/snapshot.ts';
import { localRenderers, localSealer } from './local-session.ts';
import { openSource, tellingPlaces } from './local-source.ts';
import { table, type Report } from './report.ts';

/** Objects as a snapshot holds them; secret values as keyed digests. */
export async function render(path: string): Promise<Report> {
  const { worktree, path: inside } = await openSource(path);
  return tellingPlaces(worktree, async () => {
    const source = { path: inside, renderer: 'auto' as const };
    const { objects, origins } = await renderSource(source, {
      worktree,
      renderers: localRenderers(),
      charts: noCharts,
      facts: noFacts,
      applicationName: 'render',
      namespace: 'default',
      references: new Map(),
    });
    const shown = await maskObjects(canonicalObjects(objects), localSealer());
    const rows = shown.map((object) => [describeRef(refOf(object)), origins[refKey(refOf(object))] ?? '']);
    return { data: shown, text: table(['OBJECT', 'FROM'], rows), yaml: await yamlStream(shown) };
  });
}

async function yamlStream(objects: readonly KubeObject[]): Promise<string> {
  const { dump } = await import('js-yaml');
  return objects.map((object) => dump(object)).join('---\n');
}
