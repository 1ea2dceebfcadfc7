import type { RepositoryConfig, StackConfig } from '../contract/config.ts';
import { faultsOf } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import type { Git, Renderers, Sealer, Store, Worktree } from '../ports.ts';
import { render } from '../render/render.ts';
import { readSource, type SourcedApplication } from '../source.ts';
import { dependencyCycles } from './dependency-cycles.ts';
import type { Examination, Examined } from './plan-pointers.ts';
import { storeSnapshot } from './store-snapshot.ts';

/** What looking at a commit asks of the world. */
export interface ExamineDeps {
  readonly store: Store;
  readonly git: Git;
  readonly renderers: Renderers;
  readonly sealer: Sealer;
  readonly config: StackConfig;
}

/** kustomize is a process of its own: more at a time than cores only costs memory. */
const rendersAtATime = 2;

/**
 * Looks at one commit: reads its Applications, renders each and stores its snapshot. Undefined when the host no longer
 * has the commit. Faults of the input are part of the answer; only what may pass later is thrown (Retry).
 */
export async function examine(
  repository: RepositoryConfig,
  sha: string,
  deps: ExamineDeps,
): Promise<Examination | undefined> {
  try {
    await using worktree = await deps.git.checkout(repository, sha);
    if (worktree === undefined) return undefined;
    const source = await readSource(worktree, repository.applications, deps.config);
    const cycles = await dependencyCycles(source.applications, deps.store);
    const applications = await inBatches(source.applications, rendersAtATime, async (one) => {
      const faults = cycles.get(one.application.metadata.name);
      if (faults !== undefined) return { ...one, kind: 'failed' as const, faults };
      return examineApplication(one, worktree, deps);
    });
    return { sha, commit: worktree.commit, applications, faults: source.faults };
  } catch (error) {
    const faults = faultsOf(error);
    if (faults === undefined) throw error;
    return {
      sha,
      commit: undefined,
      applications: [],
      faults: faults.map((fault) => ({ ...fault, file: '' })),
    };
  }
}

async function examineApplication(
  sourced: SourcedApplication,
  worktree: Worktree,
  deps: ExamineDeps,
): Promise<Examined> {
  try {
    const rendered = await render(sourced.application.spec.source, worktree, deps.renderers);
    const { metadata, spec } = sourced.application;
    const wanted = { name: metadata.name, namespace: spec.namespace, commit: worktree.commit };
    const snapshot = await storeSnapshot(wanted, rendered, deps);
    return { ...sourced, kind: 'rendered', snapshot, objects: rendered.objects.length };
  } catch (error) {
    const faults = faultsOf(error);
    if (faults === undefined) throw error;
    return { ...sourced, kind: 'failed', faults };
  }
}
