import type { RepositoryConfig, StackConfig } from './contract/config.ts';
import { keys } from './contract/keys.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import { readDocument } from './documents.ts';
import { Blocked, Retry, Stop } from './errors.ts';
import { repositoryStateSchema, type RepositoryState } from './model/desired.ts';
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
 * One request for each remote and one for all charts, spread over half the time until the next poll, each at its own place in it: a hundred
 * repositories of one host are not asked about in one second.
 */
export async function askForPolls(
  { repositories, sources, pollMinutes }: Pick<StackConfig, 'repositories' | 'sources' | 'pollMinutes'>,
  queue: PollQueue,
): Promise<number> {
  const remotes = Map.groupBy(repositories, ({ url }) => url);
  const spread = Math.min(longestSpread, pollMinutes * 30);
  for (const [url, atRemote] of remotes) {
    const place = Number.parseInt(digestOf(url).slice('sha256:'.length, 'sha256:'.length + 8), 16);
    const names = atRemote.map(({ name }) => name);
    await queue.poll({ version: 1, poll: 'remote', repositories: names }, place % spread);
  }
  // After the refs: what a push brings along has its charts looked up with it.
  if (sources.charts.length > 0) await queue.poll({ version: 1, poll: 'charts' }, spread - 1);
  return remotes.size;
}

/**
 * Asks one remote, once, where the tracked refs of its repositories are, and publishes a push for each that is not
 * where it was last followed. Returns what came of it. A host that is unreachable or says "too many requests" is left
 * alone until the next poll, which is the retry. One that refuses is told of as a push, which meets the same and
 * records it; once, and again when the host takes us again.
 */
export async function poll(names: readonly string[], deps: PollDeps): Promise<string> {
  const repositories = deps.config.repositories.filter(({ name }) => names.includes(name));
  if (repositories.length === 0) return 'its repositories are not configured any more';
  let heads: Awaited<ReturnType<Git['heads']>>;
  try {
    heads = await deps.git.heads(repositories);
  } catch (error) {
    if (error instanceof Retry) return `not asked: ${error.message}; the next poll asks again`;
    if (error instanceof Blocked || error instanceof Stop) return tellRefused(repositories, error, deps);
    throw error;
  }
  const moved: string[] = [];
  for (const repository of repositories) {
    const after = heads.get(repository.name)?.sha;
    const state = await stateOf(repository, deps);
    const before = state?.head.sha ?? absentSha;
    // A signature may come after its artifact, which stays as it is.
    const isUnsigned = state?.failing === true && repository.verify?.cosign !== undefined;
    const isStanding = after === before && state?.refused !== true && !isUnsigned;
    if (after === undefined || isStanding) continue;
    await publishMissed(repository, { before, after }, deps);
    moved.push(`${repository.name} ${before.slice(0, 7)}..${after.slice(0, 7)}`);
  }
  return moved.length === 0 ? 'nothing was missed' : `missed: ${moved.join(', ')}`;
}

async function tellRefused(
  repositories: readonly RepositoryConfig[],
  { message }: Blocked | Stop,
  deps: PollDeps,
): Promise<string> {
  const told: string[] = [];
  for (const repository of repositories) {
    const state = await stateOf(repository, deps);
    if (state?.refused === true) continue;
    // Of no commit: none is known that this would be about.
    const sha = state?.head.sha ?? absentSha;
    await publishMissed(repository, { before: sha, after: sha }, deps);
    told.push(repository.name);
  }
  return `refused: ${message}; ${told.length === 0 ? 'as before' : `told of ${told.join(', ')}`}`;
}

/** What was last followed of a repository. */
export async function stateOf(
  repository: RepositoryConfig,
  { store }: Pick<PollDeps, 'store'>,
): Promise<RepositoryState | undefined> {
  const key = keys.repository(repository.name, trackedRef(repository));
  return (await readDocument(store, key, repositoryStateSchema))?.value;
}

/** As a push that nobody told of; it is in the ledger like one. */
export async function publishMissed(
  repository: RepositoryConfig,
  { before, after }: { readonly before: string; readonly after: string },
  deps: DeliverDeps,
): Promise<void> {
  const push = { repository: repository.name, ref: trackedRef(repository), before, after };
  // An id of its own each time: what an earlier poll published may have failed since, and nobody else repairs that.
  const id = `${repository.name}-${deps.clock.now()}`;
  const told = { pushes: [push], images: [], pulls: [] };
  const wanted = { kind: 'wanted', event: 'poll', ...told, stamped: false } as const;
  await deliver({ provider: 'poll', id, bodyDigest: digestOf(push) }, wanted, deps);
}
