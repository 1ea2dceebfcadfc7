import type { Renderers, Worktree } from '../../core/ports.ts';
import { noCharts, noFacts, type RenderContext } from '../../core/render/context.ts';

/** Of an application `web` in the namespace `web`, for no cluster. */
export function renderContext(
  worktree: Worktree,
  renderers: Renderers,
  more: Partial<RenderContext> = {},
): RenderContext {
  const named = { applicationName: 'web', namespace: 'web', references: new Map<string, Worktree>() };
  return { worktree, renderers, charts: noCharts, facts: noFacts, ...named, ...more };
}
