import { commentMark } from '../compare/comment.ts';
import { code } from '../compare/markdown.ts';
import type { RepositoryConfig } from '../contract/repository.ts';
import { Retry } from '../errors.ts';
import type { CommitStatus, GitHost } from '../host-ports.ts';
import type { PullPreview } from '../model/pull-preview.ts';
import { millisecondsOf } from '../model/time.ts';
import type { Clock, Store } from '../ports.ts';
import { withClusters } from './clusters-section.ts';
import { readAnswers, readPreview, type PullKey } from './records.ts';
import { takeTurn } from './telling-turn.ts';

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
 * Brings comment and status of a pull request to what its record says, one at a time: whoever has the turn looks again
 * where somebody else came meanwhile. `insists`: nobody asks later, so the message must come again where it is not its turn.
 */
export async function tellPull(
  repository: RepositoryConfig,
  id: string,
  deps: TellDeps,
  { insists = false }: { readonly insists?: boolean } = {},
): Promise<string> {
  const key: PullKey = { repository: repository.name, id };
  const subject = `pull request ${id} of repository ${repository.name}`;
  const turn = await takeTurn(key, deps);
  if (turn === undefined) {
    if (insists) throw new Retry({ subject, message: 'somebody else is telling it' });
    return 'it is being told of, and looked at again after that';
  }
  try {
    for (let pass = 0; pass < maxPasses; pass += 1) {
      const record = (await readPreview(deps.store, key))?.value;
      const told = record && (await tellOnce(repository, record, deps));
      if (await turn.end({ commented: told?.commented ?? false }))
        return told?.words ?? 'there is nothing to tell';
    }
  } catch (error) {
    await turn.leave();
    throw error;
  }
  await turn.leave();
  throw new Retry({ subject, message: `changed ${maxPasses} times while it was told of` });
}

/** An answer is told once there is no other to wait for; undefined then, and else what it waits for. */
export async function awaitedAnswers(record: PullPreview, deps: TellDeps): Promise<string | undefined> {
  const { head, rendered } = record;
  if (rendered === undefined) return undefined;
  const { clusters } = rendered;
  const { size } = await readAnswers(deps.store, record, { head, clusters });
  if (size >= clusters.length || isLate(rendered, deps)) return undefined;
  return `${size} of ${clusters.length} clusters have answered`;
}

function isLate({ at }: { readonly at: string }, { clock }: TellDeps): boolean {
  return clock.now() >= millisecondsOf(at) + patienceSeconds * 1000;
}

interface Told {
  readonly words: string;
  /** Whether there is a comment of ours now. */
  readonly commented: boolean;
}

async function tellOnce(
  repository: RepositoryConfig,
  record: PullPreview,
  deps: TellDeps,
): Promise<Told | undefined> {
  const { id, head, state, rendered, commented, work } = record;
  if (state === 'elsewhere' && commented) {
    const text = `${commentMark}\n\nThis pull request is for another branch now, which trueup does not follow; it was last looked at with the commit ${code(head.slice(0, 7))}.\n`;
    await deps.host.comment(repository, id, { mark: commentMark, text });
    return { words: 'it is for another branch', commented };
  }
  if (state === 'given-up') {
    const description = `could not be previewed: ${work?.failed ?? 'its function died of it'}`;
    await deps.host.status(repository, head, statusOf({ state: 'failure', description }));
    return { words: description, commented };
  }
  if (state !== 'rendered' || rendered === undefined) return undefined;
  const { clusters, status, quiet } = rendered;
  const answers = await readAnswers(deps.store, record, { head, clusters });
  await deps.host.status(repository, head, statusOf(status));
  if (quiet && !commented) return { words: status.description, commented };
  const text = withClusters(rendered, head, answers, isLate(rendered, deps));
  await deps.host.comment(repository, id, { mark: commentMark, text });
  return { words: status.description, commented: true };
}

export function statusOf(status: Pick<CommitStatus, 'state' | 'description'>): CommitStatus {
  return { context: statusContext, ...status };
}
