import { commentMark } from '../compare/comment.ts';
import { code } from '../compare/markdown.ts';
import type { RepositoryConfig } from '../contract/repository.ts';
import { Retry } from '../errors.ts';
import type { CommitStatus, GitHost } from '../host-ports.ts';
import type { PullPreview } from '../model/pull-preview.ts';
import { millisecondsOf } from '../model/time.ts';
import type { Clock, Store } from '../ports.ts';
import { withClusters } from './clusters-section.ts';
import { readAnswers, readPreview, writePreview, type PullKey } from './records.ts';

export interface TellDeps {
  readonly store: Store;
  readonly host: Pick<GitHost, 'comment' | 'status'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** By which the host may require it before a merge. */
export const statusContext = 'trueup/preview';

/** Clusters that have not answered by then are told of as such. */
export const patienceSeconds = 300;

const maxPasses = 5;

/**
 * Brings comment and status of a pull request to what its record says, and again where that changed meanwhile: whoever
 * writes last has seen the newest. `isAnswer`: nothing but an answer is news, and the comment waits for the others.
 */
export async function tellPull(
  repository: RepositoryConfig,
  id: string,
  deps: TellDeps,
  { isAnswer = false }: { readonly isAnswer?: boolean } = {},
): Promise<string> {
  const key: PullKey = { repository: repository.name, id };
  for (let pass = 0; pass < maxPasses; pass += 1) {
    const record = (await readPreview(deps.store, key))?.value;
    const told = record && (await tellOnce(repository, record, deps, isAnswer));
    if (told === undefined) return 'there is nothing to tell';
    const now = (await readPreview(deps.store, key))?.value;
    if (now?.head === record?.head && now?.state === record?.state) return told;
  }
  const message = `changed ${maxPasses} times while it was told of`;
  throw new Retry({ subject: `pull request ${id} of repository ${repository.name}`, message });
}

async function tellOnce(
  repository: RepositoryConfig,
  record: PullPreview,
  deps: TellDeps,
  isAnswer: boolean,
): Promise<string | undefined> {
  const { id, head, state, rendered, commented } = record;
  if (state === 'elsewhere' && commented) {
    const text = `${commentMark}\n\nThis pull request is for another branch now, which trueup does not follow; it was last looked at with the commit ${code(head.slice(0, 7))}.\n`;
    await deps.host.comment(repository, id, { mark: commentMark, text });
    return 'it is for another branch';
  }
  if (state !== 'rendered' || rendered === undefined) return undefined;
  const { clusters, at, status, quiet } = rendered;
  const answers = await readAnswers(deps.store, record, { head, clusters });
  const isLate = deps.clock.now() >= millisecondsOf(at) + patienceSeconds * 1000;
  const isAwaited = answers.size < clusters.length && !isLate;
  if (isAnswer && isAwaited) return `${answers.size} of ${clusters.length} clusters have answered`;
  await deps.host.status(repository, head, statusOf(status));
  if (quiet && !commented) return status.description;
  const text = withClusters(rendered, head, answers, isLate);
  await deps.host.comment(repository, id, { mark: commentMark, text });
  if (!commented) await noteCommented(record, deps.store);
  return status.description;
}

export function statusOf(status: Pick<CommitStatus, 'state' | 'description'>): CommitStatus {
  return { context: statusContext, ...status };
}

/** Where somebody was faster, they note it with the next comment. */
async function noteCommented(record: PullPreview, store: Store): Promise<void> {
  const current = await readPreview(store, record);
  if (current === undefined || current.value.commented) return;
  const { version: _, seq: __, ...value } = current.value;
  await writePreview(store, current, { ...value, commented: true });
}
