import type { StackConfig } from './contract/config.ts';
import { keys } from './contract/keys.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import { readDocument } from './documents.ts';
import { Blocked, Retry } from './errors.ts';
import { repositoryStateSchema } from './model/desired.ts';
import { digestOf } from './model/digest.ts';
import type { Git, PollQueue } from './ports.ts';
import { absentSha } from './receive/reading.ts';
import { deliver, type DeliverDeps } from './receive/deliver.ts';

export interface PollDeps extends DeliverDeps {
  readonly git: Pick<Git, 'heads'>;
  readonly config: Pick<StackConfig, 'repositories'>;
}

/** SQS delays a message by no more. */
const longestSpread = 900;

/**
 * One request for each remote, spread over half the time until the next poll, each at its own place in it: a hundred
 * repositories of one host are not asked about in one second.
 */
export async function askForPolls(
  { repositories, pollMinutes }: Pick<StackConfig, 'repositories' | 'pollMinutes'>,
  queue: PollQueue,
): Promise<number> {
  const remotes = Map.groupBy(repositories, ({ url }) => url);
  const spread = Math.min(longestSpread, pollMinutes * 30);
  for (const [url, atRemote] of remotes) {
    const place = Number.parseInt(digestOf(url).slice('sha256:'.length, 'sha256:'.length + 8), 16);
    const names = atRemote.map(({ name }) => name);
    await queue.poll({ version: 1, poll: 'remote', repositories: names }, place % spread);
  }
  return remotes.size;
}

/**
 * Asks one remote, once, where the tracked refs of its repositories are, and publishes a push for each that is not
 * where it was last followed. Returns what came of it. A host that is unreachable, refuses or says "too many requests"
 * is left alone until the next poll, which is the retry; a push that it tells of meets the same and raises the alarm.
 */
export async function poll(names: readonly string[], deps: PollDeps): Promise<string> {
  const repositories = deps.config.repositories.filter(({ name }) => names.includes(name));
  if (repositories.length === 0) return 'its repositories are not configured any more';
  let heads: Awaited<ReturnType<Git['heads']>>;
  try {
    heads = await deps.git.heads(repositories);
  } catch (error) {
    if (error instanceof Retry || error instanceof Blocked) {
      return `not asked: ${error.message}; the next poll asks again`;
    }
    throw error;
  }
  const moved: string[] = [];
  for (const repository of repositories) {
    const after = heads.get(repository.name)?.sha;
    const ref = trackedRef(repository);
    const key = keys.repository(repository.name, ref);
    const state = await readDocument(deps.store, key, repositoryStateSchema);
    const before = state?.value.head.sha ?? absentSha;
    if (after === undefined || after === before) continue;
    const push = { repository: repository.name, ref, before, after };
    // An id of its own each time: what an earlier poll published may have failed since, and nobody else repairs that.
    const id = `${repository.name}-${deps.clock.now()}`;
    const wanted = { kind: 'wanted', event: 'poll', pushes: [push], images: [], stamped: false } as const;
    await deliver({ provider: 'poll', id, bodyDigest: digestOf(push) }, wanted, deps);
    moved.push(`${repository.name} ${before.slice(0, 7)}..${after.slice(0, 7)}`);
  }
  return moved.length === 0 ? 'nothing was missed' : `missed: ${moved.join(', ')}`;
}
