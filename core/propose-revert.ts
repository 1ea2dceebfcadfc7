import type { StackConfig } from './contract/config.ts';
import type { EventDetail } from './contract/events.ts';
import { keys } from './contract/keys.ts';
import { installationName } from './contract/installation.ts';
import { revertWriterOf } from './contract/repository.ts';
import { formerRevertBranches, revertBranch } from './contract/reverts.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import { readDocument } from './documents.ts';
import { faultsOf, messageOf, Retry } from './errors.ts';
import type { GitHost, PullRequest } from './host-ports.ts';
import { inBatches } from './in-batches.ts';
import { desiredPointerSchema, repositoryStateSchema, type DesiredPointer } from './model/desired.ts';
import type { Target } from './model/target.ts';
import { millisecondsOf } from './model/time.ts';
import { standingOf } from './owned-branch.ts';
import type { Git, Store, Worktree } from './ports.ts';
import { readApplicationFiles } from './reverts/application-files.ts';
import { describeRevert } from './reverts/describe-revert.ts';
import { planRevert } from './reverts/plan-revert.ts';
import type { GitWriter } from './write-ports.ts';

export interface ProposeRevertDeps {
  readonly store: Store;
  readonly git: Pick<Git, 'head' | 'heads' | 'checkout'>;
  readonly writer: GitWriter;
  readonly host: Pick<GitHost, 'propose' | 'pullRequestFrom'>;
  readonly config: Pick<StackConfig, 'repositories' | 'fleet'>;
  /** Of the records: by its name two installations of one fleet are told apart. */
  readonly bucket: string;
}

type RolledBack = EventDetail<'RolledBack'>;
type Reverting = NonNullable<ReturnType<typeof revertWriterOf>>;

/** `left`: no pull request was opened, and why. */
export type RevertOutcome =
  { readonly kind: 'proposed'; readonly url: string } | { readonly kind: 'left'; readonly why: string };

const left = (why: string): RevertOutcome => ({ kind: 'left', why });
const readsAtOnce = 16;
const tries = 5;

/**
 * Opens the pull request that takes back in Git what a rollback took off the cluster: the application's own files as they
 * were, in one commit on top of the head. For all clusters that were rolled back between the same commits there is one. What
 * people did since wins: a pull request that they closed is not opened again, a branch of theirs not touched. May be asked
 * twice. Throws Retry while host or repository do not answer, so that a rollback with Git down gets its pull request later.
 */
export async function proposeRevert(rolledBack: RolledBack, deps: ProposeRevertDeps): Promise<RevertOutcome> {
  const { from, to, target } = rolledBack;
  const configured = deps.config.repositories.find(({ name }) => name === from.commit.repository);
  const repository = configured && revertWriterOf(configured);
  if (repository === undefined)
    return left(`repository ${from.commit.repository} has no \`reverts\` in the stack configuration`);
  if (to.commit.repository !== repository.name) return left('it came from another repository before');
  const pointer = await readPointer(deps.store, target);
  if (!isStillSo(pointer, rolledBack)) return left('it is not rolled back to that any more');
  try {
    return await propose(rolledBack, repository, { pointer, deps });
  } catch (error) {
    if (error instanceof Retry || faultsOf(error) === undefined) throw error;
    return left(messageOf(error));
  }
}

async function readPointer(store: Store, target: Target): Promise<DesiredPointer | undefined> {
  return (await readDocument(store, keys.desired(target), desiredPointerSchema))?.value;
}

function isStillSo(
  pointer: DesiredPointer | undefined,
  { to, revision }: Pick<RolledBack, 'to' | 'revision'>,
): pointer is DesiredPointer {
  return pointer?.pin !== undefined && pointer.snapshot === to.snapshot && pointer.revision >= revision;
}

interface Proposing {
  readonly pointer: DesiredPointer;
  readonly deps: ProposeRevertDeps;
}

async function propose(
  rolledBack: RolledBack,
  repository: Reverting,
  { pointer, deps }: Proposing,
): Promise<RevertOutcome> {
  const { application } = rolledBack.target;
  const [bad, good] = [rolledBack.from.commit.sha, rolledBack.to.commit.sha];
  const change = `${application}-${bad.slice(0, 7)}-to-${good.slice(0, 7)}`;
  const installation = installationName(deps.config.fleet, deps.bucket);
  const branch = revertBranch(installation, change);
  const before = await deps.host.pullRequestFrom(repository, branch);
  const former = before ?? (await formerPull(repository, change, deps));
  if (former !== undefined && former.state !== 'open') return left(`${former.url} was ${former.state}`);
  // Whoever opened it before an upgrade, or an installation of an older version: it takes back the same.
  if (before === undefined && former !== undefined) return { kind: 'proposed', url: former.url };
  const state = await readDocument(
    deps.store,
    keys.repository(repository.name, pointer.ref),
    repositoryStateSchema,
  );
  const known = state?.value.applications[application];
  if (known === undefined) return left('its repository does not define it any more');
  const found = await files(repository, { bad, good, file: known.file, application }, deps);
  if ('why' in found) return left(found.why);
  const clusters = await alike(rolledBack, known.clusters, deps.store);
  const { restore } = found;
  const { title, body, message } = describeRevert({
    rolledBack,
    clusters,
    files: restore,
    ...found,
    installation,
  });
  const { author, signingKeySecret, labels } = repository.reverts;
  // What people pushed to it meanwhile stays, whether there is a pull request of it or not.
  if (before === undefined) {
    const standing = await standingOf(repository, { branch, email: author.email }, deps.git);
    if (standing.kind === 'theirs') return left(`somebody pushed to ${branch}: merge or delete it`);
    const commit = {
      parent: found.head,
      files: new Map<string, string>(),
      restore: { from: good, paths: restore },
      message,
      author,
      // The same when it is made again.
      at: millisecondsOf(rolledBack.at),
      ...(signingKeySecret !== undefined && { signingKeySecret }),
    };
    const owned = { name: branch, replaces: true, expected: standing.at };
    const pushed = await deps.writer.commit(repository, commit, owned);
    if (pushed.kind === 'moved') throw moved(repository);
  }
  const into = trackedRef(repository).replace('refs/heads/', '');
  const { url } = await deps.host.propose(repository, { branch, into, title, body, labels });
  return { kind: 'proposed', url };
}

/** One from a branch as older versions named it. */
async function formerPull(
  repository: Reverting,
  change: string,
  { host, config }: ProposeRevertDeps,
): Promise<PullRequest | undefined> {
  for (const branch of formerRevertBranches(config.fleet, change)) {
    const found = await host.pullRequestFrom(repository, branch);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Clusters of the application that were rolled back between the same commits, this one first. */
async function alike(
  { target, from, to }: RolledBack,
  clusters: readonly string[],
  store: Store,
): Promise<readonly string[]> {
  const others = clusters.filter((cluster) => cluster !== target.cluster);
  const found = await inBatches(others, readsAtOnce, async (cluster) => {
    const pointer = await readPointer(store, { ...target, cluster });
    const isSame = pointer?.pin !== undefined && pointer.commit.sha === to.commit.sha;
    return isSame && pointer.held?.commit.sha === from.commit.sha ? [cluster] : [];
  });
  return [target.cluster, ...found.flat()];
}

interface Change {
  readonly bad: string;
  readonly good: string;
  readonly file: string;
  readonly application: string;
}

type FoundFiles =
  | { readonly why: string }
  | { readonly head: string; readonly restore: readonly string[]; readonly keptFile: string | undefined };

/** Which files are to be restored on top of which head. */
async function files(repository: Reverting, change: Change, { git }: ProposeRevertDeps): Promise<FoundFiles> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const head = await git.head(repository);
    if (head === undefined) return { why: `there is no ${trackedRef(repository)}` };
    await using tip = await git.checkout(repository, head);
    if (tip === undefined) continue;
    await using bad = await git.checkout(repository, change.bad);
    await using good = await git.checkout(repository, change.good);
    if (bad === undefined || good === undefined)
      return { why: `the Git host has commit ${bad === undefined ? change.bad : change.good} no more` };
    const found = await between({ tip, bad, good }, change);
    return 'why' in found ? found : { ...found, head };
  }
  throw moved(repository);
}

async function between(
  { tip, bad, good }: { readonly tip: Worktree; readonly bad: Worktree; readonly good: Worktree },
  { file, application }: Change,
): Promise<
  { readonly why: string } | { readonly restore: readonly string[]; readonly keptFile: string | undefined }
> {
  const [now, before] = await Promise.all([
    readApplicationFiles(bad, file, application),
    readApplicationFiles(good, file, application),
  ]);
  if (now === undefined) return { why: `${file} does not define it so that it can be read` };
  const isAlone = now.isAlone && before?.isAlone !== false;
  const scope = [...now.folders, ...(before?.folders ?? []), ...(isAlone ? [file] : [])];
  const { restore, changed } = planRevert({ good: good.ids, bad: bad.ids, head: tip.ids }, scope);
  if (changed.length > 0) return { why: `somebody has changed ${changed[0]} since: revert it by hand` };
  if (restore.length === 0)
    return { why: 'none of its own files differs: what changed is elsewhere, or was taken back already' };
  return { restore, keptFile: isAlone ? undefined : file };
}

function moved({ name }: Reverting): Retry {
  return new Retry({ subject: `repository ${name}`, message: 'moved under us; it is tried again' });
}
