import { keys } from './contract/keys.ts';
import { readDocument, updateDocument } from './documents.ts';
import { Stop } from './errors.ts';
import type { Application } from './model/application.ts';
import { desiredPointerSchema, type DesiredPointer, type Settings } from './model/desired.ts';
import { isPinned } from './model/pin.ts';
import { targetKey, type Target } from './model/target.ts';
import { isoTime } from './model/time.ts';
import type { Charts, Clock, Renderers, Sealer, Store, Worktree } from './ports.ts';
import { presentPointer } from './produce/pointers.ts';
import { storeSnapshot } from './produce/store-snapshot.ts';
import type { AskedFacts } from './render/context.ts';
import { render, type Rendered } from './render/render.ts';

export interface DeclareDeps {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly renderers: Renderers;
  readonly clock: Pick<Clock, 'now'>;
}

/** What one target is to have, as a folder says it: there is no repository that trueup follows. */
export interface Declaration {
  readonly target: Target;
  readonly worktree: Worktree;
  readonly charts: Charts;
  /** Of the cluster that it is for. */
  readonly facts: AskedFacts;
  readonly source: Application['spec']['source'];
  readonly namespace: string;
  readonly settings: Settings;
}

/**
 * Renders a folder and makes it the desired state of a target: snapshot first, then the pointer. Nothing is written when
 * there is a fault. Throws Stop with every fault of the files, and for a target that a pin holds or a repository owns.
 */
export async function declare(
  { target, worktree, charts, facts, source, namespace, settings }: Declaration,
  deps: DeclareDeps,
): Promise<DesiredPointer> {
  const rendered: Rendered = await render(source, {
    worktree,
    renderers: deps.renderers,
    charts,
    facts,
    applicationName: target.application,
    namespace,
    references: new Map(),
  });
  const { commit } = worktree;
  const current = await readDocument(deps.store, keys.desired(target), desiredPointerSchema);
  assertFree(current?.value, commit.repository, deps);
  const wanted = { name: target.application, namespace, commit };
  const snapshot = await storeSnapshot(wanted, rendered, deps);
  const at = isoTime(deps.clock.now());
  const objects = rendered.objects.length;
  const pointer = await updateDocument(deps.store, keys.desired(target), desiredPointerSchema, (found) => {
    assertFree(found, commit.repository, deps);
    return presentPointer(found, { target, commit, ref: commit.ref, at, snapshot, objects, settings });
  });
  if (pointer === undefined) throw new Error('a pointer that was written is not there');
  return pointer;
}

function assertFree(
  pointer: DesiredPointer | undefined,
  repository: string,
  { clock }: Pick<DeclareDeps, 'clock'>,
): void {
  if (pointer === undefined) return;
  const subject = `application ${targetKey(pointer.target)}`;
  if (pointer.state === 'present' && pointer.repository !== repository) {
    const message = `follows the repository ${pointer.repository}; change it there, or choose another name`;
    throw new Stop({ subject, message });
  }
  const { pin } = pointer;
  if (pin !== undefined && isPinned(pointer, clock.now())) {
    const message = `is pinned by ${pin.by} since ${pin.at} (${pin.reason}); lift that first with \`trueup rollback --app ${pointer.target.application} --lift\``;
    throw new Stop({ subject, message });
  }
}
