import type { RepositoryConfig } from '../contract/repository.ts';
import { Retry } from '../errors.ts';
import type { GitHost, PullRequest } from '../host-ports.ts';
import type { EnvironmentRecord } from '../model/preview-environments.ts';
import type { Clock } from '../ports.ts';

/** What an event says of a pull request. */
export interface PullHint {
  readonly id: string;
  readonly action: 'opened' | 'updated' | 'closed' | 'reviewed';
  /** May be abbreviated. */
  readonly sha: string;
}

interface Asked {
  readonly repository: RepositoryConfig;
  readonly record: EnvironmentRecord;
  readonly hint?: PullHint | undefined;
  /** A host that still shows the old state is believed from now on. */
  readonly isPatient: boolean;
}

const laggingSeconds = [1, 2, 4];

/**
 * The open pull requests of a repository, and those of its environments whatever their state; undefined: the host has none
 * of that id. Throws what the host throws, and Retry while it shows less than an event told of.
 */
export async function askHost(
  { repository, record, hint, isPatient }: Asked,
  { host, clock }: { readonly host: GitHost; readonly clock: Clock },
): Promise<ReadonlyMap<string, PullRequest | undefined>> {
  const open = await host.openPullRequests(repository);
  const pulls = new Map<string, PullRequest | undefined>(open.map((pull) => [pull.id, pull]));
  // The list may be cut, or a moment old: that one is not in it says nothing of it.
  const known = Object.values(record.environments).map(({ pull }) => pull.id);
  for (const id of new Set(known)) {
    if (!pulls.has(id)) pulls.set(id, await host.pullRequest(repository, id));
  }
  if (hint === undefined) return pulls;
  for (const seconds of laggingSeconds) {
    if (isPatient || !isBehind(pulls.get(hint.id), hint, record)) return pulls;
    await clock.sleep(seconds * 1000);
    pulls.set(hint.id, await host.pullRequest(repository, hint.id));
  }
  if (!isBehind(pulls.get(hint.id), hint, record)) return pulls;
  throw new Retry({
    subject: `repository ${repository.name}`,
    message: `the Git host still shows pull request ${hint.id} as it was before; it is asked again`,
  });
}

/** As it was followed last, although an event told of something else. */
function isBehind(
  pull: PullRequest | undefined,
  { id, action, sha }: PullHint,
  record: EnvironmentRecord,
): boolean {
  if (action === 'closed') return pull?.state === 'open';
  if (pull === undefined) return action === 'opened';
  const followed = Object.values(record.environments).find((one) => one.pull.id === id)?.sha;
  return pull.head.sha === followed && !followed.startsWith(sha);
}
