import { mkdir, mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryConfig } from '../core/contract/config.ts';
import { resolveTracked, trackedRef, type ResolvedRef } from '../core/contract/tracked-ref.ts';
import { commitSchema, type Commit } from '../core/model/commit.ts';
import type { Clock, Git, Secrets, Worktree } from '../core/ports.ts';
import type { GitHistory, PlacedCommit } from '../core/preview-ports.ts';
import type { GitWriter, NewCommit, PushOutcome } from '../core/write-ports.ts';
import { checkSignature } from './commit-signature.ts';
import { GitAccesses, sshKeyPrefix, type GitAccessOptions } from './git-access.ts';
import { GitCache } from './git-cache.ts';
import { runGit } from './git-command.ts';
import { commitText } from './git-commit.ts';
import { isRefusal } from './git-fault.ts';
import { mergeBase } from './git-history.ts';
import { DamagedCache, GitRepository, outputOf, type GitTools } from './git-repository.ts';
import { GitTree } from './git-tree.ts';
import { DiskWorktree } from './worktree.ts';

/** How much of a repository is taken before we stop. */
export interface GitLimits {
  /** Of what is fetched, and again of what is checked out. */
  readonly bytes: number;
  /** Files that are checked out. */
  readonly files: number;
  /** Bytes of one file that is read. */
  readonly fileBytes: number;
  /** Of one run of git. */
  readonly seconds: number;
  /** That one run of git may print: a listing of refs or of files. */
  readonly outputBytes: number;
  /** Kept of all repositories for the next checkout. */
  readonly cacheBytes: number;
}

const defaultLimits: GitLimits = {
  bytes: 256 * 1024 * 1024,
  files: 50_000,
  fileBytes: 32 * 1024 * 1024,
  seconds: 90,
  outputBytes: 64 * 1024 * 1024,
  cacheBytes: 512 * 1024 * 1024,
};
const cachedPacks = 64;

export interface HttpGitOptions {
  readonly secrets: Secrets;
  /** Existing folder for checkouts, with room for twice `limits.bytes` of each at once, and for `limits.cacheBytes`. */
  readonly scratch: string;
  /** PATH to find git on, and ssh for repositories that are reached by it. */
  readonly path: string;
  readonly clock?: Pick<Clock, 'now'>;
  readonly codeCommit?: GitAccessOptions['codeCommit'];
  /** Every repository of the stack configuration: submodules may lead there. */
  readonly repositories?: () => Promise<readonly RepositoryConfig[]>;
  readonly limits?: Partial<GitLimits>;
}

const scratchPrefix = 'trueup-checkout-';
const leftoverMilliseconds = 15 * 60_000;
const resolvedKept = 1000;

/** Git hosts over HTTPS and SSH by the installed git; credentials from secrets, never in argv, errors or records. */
export class HttpGit implements Git, GitWriter, GitHistory {
  readonly #options: HttpGitOptions;
  readonly #limits: GitLimits;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #accesses: GitAccesses;
  readonly #tools: GitTools;
  /** Under which ref a commit was found, so that a checkout can tell it. */
  readonly #resolved = new Map<string, string>();

  constructor(options: HttpGitOptions) {
    const { secrets, scratch, path, codeCommit, clock = { now: () => Date.now() } } = options;
    this.#options = options;
    this.#clock = clock;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#accesses = new GitAccesses({ secrets, scratch, clock, codeCommit });
    const cache = new GitCache(scratch, { bytes: this.#limits.cacheBytes, packs: cachedPacks });
    this.#tools = { accesses: this.#accesses, cache, path, limits: this.#limits };
  }

  async head(repository: RepositoryConfig): Promise<string | undefined> {
    return (await this.heads([repository])).get(repository.name)?.sha;
  }

  async heads(repositories: readonly RepositoryConfig[]): Promise<ReadonlyMap<string, ResolvedRef>> {
    const [repository] = repositories;
    if (repository === undefined) return new Map();
    const refs = repositories.every(({ commit }) => commit !== undefined)
      ? new Map<string, string>()
      : await this.#refs(repository, repositories);
    const heads = new Map<string, ResolvedRef>();
    for (const one of repositories) {
      const found = resolveTracked(one, refs);
      if (found === undefined) continue;
      heads.set(one.name, found);
      this.#remember(one, found);
    }
    return heads;
  }

  async checkout(repository: RepositoryConfig, sha: string, ref?: string): Promise<Worktree | undefined> {
    try {
      return await this.#checkout(repository, sha, ref);
    } catch (error) {
      // What was damaged is gone: this time everything comes from the host.
      if (!(error instanceof DamagedCache)) throw error;
      return this.#checkout(repository, sha, ref);
    }
  }

  async mergeBase(
    repository: RepositoryConfig,
    one: PlacedCommit,
    other: PlacedCommit,
  ): Promise<string | undefined> {
    const root = await this.#scratchFolder();
    try {
      return await mergeBase(repository, [one, other], { root, tools: this.#tools });
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  }

  async isTip(repository: RepositoryConfig, sha: string): Promise<boolean> {
    const branches = await this.#list(repository, ['--heads'], []);
    return [...branches.values()].includes(sha);
  }

  /** Throws Blocked where the token may read and not write. */
  async commit(
    repository: RepositoryConfig,
    commit: NewCommit,
    branch: Parameters<GitWriter['commit']>[2],
  ): Promise<PushOutcome> {
    const root = await this.#scratchFolder();
    try {
      const workTree = join(root, 'tree');
      await mkdir(workTree);
      const opened = await GitRepository.open({ repository, root, name: 'git', workTree }, this.#tools);
      const isThere = await opened.fetchCommit(commit.parent, trackedRef(repository));
      if (!isThere) return { kind: 'moved' };
      const restored = commit.restore && (await opened.fetchFiles(commit.restore, trackedRef(repository)));
      const tree = await opened.writeTree(commit.parent, commit.files, restored);
      const text = await commitText(repository, tree, commit, this.#options.secrets);
      const sha = await opened.writeCommit(text);
      const lease = branch.replaces ? branch.expected : commit.parent;
      return (await opened.push(sha, branch.name, lease)) ? { kind: 'pushed', sha } : { kind: 'moved' };
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  }

  /** One question to the host, for the kinds of refs that are tracked: a host may have a ref for every pull request. */
  async #refs(
    repository: RepositoryConfig,
    all: readonly RepositoryConfig[],
  ): Promise<ReadonlyMap<string, string>> {
    const words = all.map(trackedRef);
    const heads = words.filter((word) => word.startsWith('refs/heads/'));
    const hasTags = all.some(({ tag, semver }) => (tag ?? semver) !== undefined);
    const kinds = [...(heads.length > 0 ? ['--heads'] : []), ...(hasTags ? ['--tags'] : [])];
    return this.#list(repository, kinds, hasTags ? [] : heads);
  }

  /** `names`: of these alone; none: all. */
  async #list(
    repository: RepositoryConfig,
    kinds: readonly string[],
    names: readonly string[],
  ): Promise<ReadonlyMap<string, string>> {
    const directory = await this.#scratchFolder();
    try {
      await using access = await this.#accesses.open(repository);
      const args = ['ls-remote', '--quiet', ...kinds, '--', repository.url, ...names];
      const { path } = this.#options;
      const result = await runGit({ directory, args, remote: access, path, limits: this.#limits });
      if (result.kind === 'failed' && isRefusal(result.stderr)) this.#accesses.forget(repository);
      return parseRefs(outputOf(repository, result, this.#limits.seconds));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  async #checkout(repository: RepositoryConfig, sha: string, place?: string): Promise<Worktree | undefined> {
    const root = await this.#scratchFolder();
    try {
      const directory = join(root, 'tree');
      await mkdir(directory);
      const opened = await GitRepository.open(
        { repository, root, name: 'git', workTree: directory },
        this.#tools,
      );
      const ref = place ?? this.#resolved.get(`${repository.name} ${sha}`) ?? trackedRef(repository);
      if (await opened.fetchCommit(sha, ref))
        return await this.#worktree(opened, { root, directory, sha, ref });
    } catch (error) {
      await rm(root, { recursive: true, force: true });
      throw error;
    }
    await rm(root, { recursive: true, force: true });
    return undefined;
  }

  async #worktree(
    opened: GitRepository,
    { root, directory, sha, ref }: Record<'root' | 'directory' | 'sha' | 'ref', string>,
  ): Promise<Worktree> {
    const commit = await this.#commit(opened, sha, ref);
    const { repositories } = this.#options;
    const declared = (await repositories?.()) ?? [opened.repository];
    const tree = await GitTree.of(opened, sha, {
      root,
      directory,
      declared,
      tools: this.#tools,
      limits: this.#limits,
    });
    return new DiskWorktree({
      directory,
      scratch: root,
      commit,
      ids: tree.ids,
      gaps: tree.gaps,
      fileBytes: this.#limits.fileBytes,
      materialize: (paths) => tree.materialize(paths),
    });
  }

  async #commit(opened: GitRepository, sha: string, ref: string): Promise<Commit> {
    const { repository } = opened;
    const [author, authorEmail, authored, committer, committerEmail, committed, subject] =
      await opened.facts(sha);
    const facts = {
      repository: repository.name,
      ref,
      sha,
      author: { name: author, email: authorEmail, at: authored },
      committer: { name: committer, email: committerEmail, at: committed },
      subject,
    };
    const { secrets } = this.#options;
    const signature = await checkSignature(opened, sha, { secrets, now: this.#clock.now() });
    return commitSchema.parse(signature === undefined ? facts : { ...facts, signature });
  }

  #remember({ name }: RepositoryConfig, { sha, ref }: ResolvedRef): void {
    if (this.#resolved.size >= resolvedKept) this.#resolved.clear();
    this.#resolved.set(`${name} ${sha}`, ref);
  }

  async #scratchFolder(): Promise<string> {
    const { scratch } = this.#options;
    await removeLeftovers(scratch);
    return realpath(await mkdtemp(join(scratch, scratchPrefix)));
  }
}

/** `<id>\t<ref>` a line; behind an annotated tag a line with `^{}` names the commit that it leads to. */
function parseRefs(listing: string): ReadonlyMap<string, string> {
  const refs = new Map<string, string>();
  for (const line of listing.split('\n')) {
    const [id = '', name] = line.split('\t');
    if (name !== undefined) refs.set(name.replace(/\^\{\}$/, ''), id);
  }
  return refs;
}

/** A function that is killed wipes nothing, and the next one gets its disk. None lives as long as this. */
async function removeLeftovers(scratch: string): Promise<void> {
  const oldest = Date.now() - leftoverMilliseconds;
  const names = (await readdir(scratch)).filter(
    (name) => name.startsWith(scratchPrefix) || name.startsWith(sshKeyPrefix),
  );
  for (const folder of names.map((name) => join(scratch, name))) {
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Infinity }));
    if (mtimeMs < oldest) await rm(folder, { recursive: true, force: true });
  }
}
