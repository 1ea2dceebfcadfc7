import { keys } from '../contract/keys.ts';
import { readDocument, updateDocument, writeDocument, type Document } from '../documents.ts';
import { inBatches } from '../in-batches.ts';
import {
  clusterAnswerSchema,
  pullPreviewSchema,
  type ClusterAnswer,
  type PullPreview,
} from '../model/pull-preview.ts';
import type { Store } from '../ports.ts';

/** Names a pull request. */
export interface PullKey {
  readonly repository: string;
  readonly id: string;
}

const readsAtOnce = 16;

export async function readPreview(
  store: Store,
  { repository, id }: PullKey,
): Promise<Document<PullPreview> | undefined> {
  return readDocument(store, keys.preview(repository, id), pullPreviewSchema);
}

/** What was written; undefined where somebody else was faster. */
export async function writePreview(
  store: Store,
  current: Document<PullPreview> | undefined,
  next: Omit<PullPreview, 'version' | 'seq'>,
): Promise<PullPreview | undefined> {
  const record: PullPreview = { version: 1, seq: (current?.value.seq ?? 0) + 1, ...next };
  const condition = current === undefined ? 'absent' : { etag: current.etag };
  const written = await writeDocument(store, keys.preview(next.repository, next.id), record, condition);
  return written.kind === 'written' ? record : undefined;
}

/** Changes the record as it stands, whoever else writes it meanwhile; undefined where there is none. Throws Retry. */
export async function updatePreview(
  store: Store,
  { repository, id }: PullKey,
  change: (now: PullPreview) => PullPreview | undefined,
): Promise<PullPreview | undefined> {
  return updateDocument(store, keys.preview(repository, id), pullPreviewSchema, (now) => {
    const next = now && change(now);
    return now && next && { ...next, seq: now.seq + 1 };
  });
}

/** Of those clusters that have answered. */
export async function readAnswers(
  store: Store,
  { repository, id }: PullKey,
  { head, clusters }: { readonly head: string; readonly clusters: readonly string[] },
): Promise<ReadonlyMap<string, ClusterAnswer>> {
  const read = await inBatches(clusters, readsAtOnce, async (cluster) => {
    const key = keys.previewAnswer(repository, id, head, cluster);
    const answer = await readDocument(store, key, clusterAnswerSchema);
    return answer === undefined ? [] : [[cluster, answer.value] as const];
  });
  return new Map(read.flat());
}
