import { keys } from '../contract/keys.ts';
import { writeDocument } from '../documents.ts';
import type { DesiredPointer } from '../model/desired.ts';
import type { ClusterQuestion, PullPreview, TouchedTarget } from '../model/pull-preview.ts';
import { targetKey } from '../model/target.ts';
import type { Store } from '../ports.ts';
import type { PreviewQueues } from '../preview-ports.ts';
import { patienceSeconds } from './tell-pull.ts';
import type { Pointers } from './touched-targets.ts';

/** What each cluster is to be asked of, by its name. */
export type Asked = ReadonlyMap<string, readonly DesiredPointer[]>;

export interface AskClustersDeps {
  readonly store: Store;
  readonly queues: PreviewQueues;
}

/** Of what a person keeps as it is, and of what could not be rendered, nothing is asked: it stays. */
export function askedOf(touched: readonly TouchedTarget[], pointers: Pointers): Asked {
  const found = touched.flatMap(({ target, pinned }) => {
    const pointer = pinned === undefined ? pointers.get(targetKey(target)) : undefined;
    return pointer === undefined || pointer.failed !== undefined ? [] : [pointer];
  });
  return Map.groupBy(found, ({ target }) => target.cluster);
}

/** A message for each cluster: one that does not answer costs only its own line. */
export async function askClusters(
  { repository, id, head }: Pick<PullPreview, 'repository' | 'id' | 'head'>,
  asked: Asked,
  { store, queues }: AskClustersDeps,
): Promise<void> {
  for (const [cluster, pointers] of asked) {
    const question: ClusterQuestion = { version: 1, head, pointers: [...pointers] };
    await writeDocument(store, keys.previewQuestion(repository, id, head, cluster), question, 'any');
    const requestedBy = `pull request ${id} of ${repository}`;
    await queues.ask({ version: 1, scope: 'preview', cluster, repository, id, head, requestedBy });
  }
  if (asked.size === 0) return;
  await queues.preview({ version: 1, preview: 'due', repository, id, head }, patienceSeconds);
}
