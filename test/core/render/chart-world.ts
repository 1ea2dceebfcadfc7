import { LocalRenderers } from '../../../adapters/renderers.ts';
import { helmSchema } from '../../../core/model/helm.ts';
import type { JsonObject } from '../../../core/model/json.ts';
import type { RenderContext } from '../../../core/render/context.ts';
import { render } from '../../../core/render/render.ts';
import { findTools, toolFolders } from '../../cluster/tools.ts';
import { MemoryWorktree, type Files } from '../../fakes/memory-worktree.ts';
import { renderContext } from '../../fakes/render-context.ts';

const tools = await findTools({ progress: () => undefined });
const renderers = await LocalRenderers.find(toolFolders(tools).join(':'));

export const chartYaml = (name: string, more = '') =>
  `apiVersion: v2\nname: ${name}\nversion: 1.2.3\n${more}`;
export const configMap = (name: string, data: string, more = '') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}data:\n  value: ${data}\n`;
export const chart = (template: string, more: Files = {}): Files => ({
  'apps/web/Chart.yaml': chartYaml('web'),
  'apps/web/templates/a.yaml': template,
  ...more,
});

/** Renders the chart in `apps/web` with Helm itself. */
export function renderChart(files: Files, helm: JsonObject = {}, more: Partial<RenderContext> = {}) {
  const source = { path: 'apps/web', renderer: 'auto' as const, helm: helmSchema.parse(helm) };
  return render(source, renderContext(new MemoryWorktree(files), renderers, more));
}
