import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryConfig } from '../core/contract/config.ts';
import { Retry, Stop } from '../core/errors.ts';
import type { GitAccesses } from './git-access.ts';
import type { GitCache } from './git-cache.ts';
import { packedBytes, runGit, type GitResult, type GitRunLimits } from './git-command.ts';
import { gitFault, isDamage, isMissingCommit, isMoved, isRefusal, isUnadvertised } from './git-fault.ts';

/** What every repository of one host adapter shares. */
export interface GitTools {
  readonly accesses: GitAccesses;
  readonly cache: GitCache;
  /** PATH to find git on. */
  readonly path: string;
  readonly limits: GitRunLimits;
}

export interface GitPlace {
  readonly repository: RepositoryConfig;
  /** Existing scratch folder of one checkout. */
  readonly root: string;
  /** Name of the folder below the root for what Git keeps: outside of the tree, where no renderer looks. */
  readonly name: string;
  /** Existing folder for the files. */
  readonly workTree: string;
}

/** One path of a commit, folders and submodules included. */
export interface TreeEntry {
  readonly mode: string;
  readonly id: string;
  readonly path: string;
}

/** What was kept of earlier fetches does not fit together; it is thrown away already. */
export class DamagedCache extends Retry {}

export const folderMode = '040000';
const fetchFlags = ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules'];
const partial = '--filter=blob:none';
/** Above every `.gitattributes`: files are written as they were committed, whatever one says of line ends, encodings or ids. */
const asCommitted = '* -text !eol !ident !filter !working-tree-encoding\n';
/**
 * Git takes for granted at the host only what a ref leads to just now. The parent may be no tip any more: the host is asked
 * whether it has it, since its files are not here to be sent along; one that cannot say is asked for them.
 */
const knowing = ['-c', 'push.negotiate=true', '-c', 'remote.origin.promisor=true'];

/** A repository in scratch space: one commit of a host, without history, and of its files what was asked for. */
export class GitRepository {
  readonly repository: RepositoryConfig;
  readonly #tools: GitTools;
  readonly #root: string;
  readonly #place: { readonly gitDirectory: string; readonly workTree: string };
  /** Commits that are here with all their trees, newest first. */
  #commits: readonly string[] = [];
  /** Whether some of what is here was fetched by an earlier checkout. */
  #isCached = false;
  #isDamaged = false;
  #byteLimit: number;
  #sizes: ReadonlyMap<string, number> | undefined;

  private constructor({ repository, root, name, workTree }: GitPlace, tools: GitTools) {
    this.repository = repository;
    this.#tools = tools;
    this.#root = root;
    this.#place = { gitDirectory: join(root, name), workTree };
    this.#byteLimit = tools.limits.bytes;
  }

  static async open(place: GitPlace, tools: GitTools): Promise<GitRepository> {
    const opened = new GitRepository(place, tools);
    const { gitDirectory } = opened.#place;
    await mkdir(gitDirectory);
    await opened.#run(['init', '--quiet']);
    await mkdir(join(gitDirectory, 'objects', 'pack'), { recursive: true });
    await mkdir(join(gitDirectory, 'info'), { recursive: true });
    await writeFile(join(gitDirectory, 'info', 'attributes'), asCommitted);
    opened.#commits = await tools.cache.restore(place.repository.url, gitDirectory);
    opened.#isCached = opened.#commits.length > 0;
    // What is here already cost nothing.
    opened.#byteLimit += await packedBytes(gitDirectory);
    return opened;
  }

  /**
   * Fetches a commit and its trees, without the contents of files where the host can leave those out. `ref` is a name
   * that should lead there, for hosts that give no commit by its SHA. False when the host has no such commit.
   */
  async fetchCommit(sha: string, ref: string): Promise<boolean> {
    if (!/^[0-9a-f]{40}$/.test(sha)) throw new Error(`not a SHA: ${sha}`);
    if (this.#commits.includes(sha)) return true;
    const fetch = [...fetchFlags, '--depth=1', partial, 'origin'];
    let fetched = await this.#reach([...fetch, sha]);
    if (fetched.kind === 'failed' && isUnadvertised(fetched.stderr) && ref.startsWith('refs/')) {
      fetched = await this.#reach([...fetch, ref]);
      if (fetched.kind === 'done' && !(await this.#has(sha))) return false;
    }
    if (fetched.kind === 'failed' && isMissingCommit(fetched.stderr)) return false;
    this.#outputOf(fetched);
    this.#commits = [sha, ...this.#commits];
    await this.#keep();
    return true;
  }

  /** Author, committer and subject, each as Git tells them. */
  async facts(sha: string): Promise<readonly string[]> {
    const format = ['%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%s'].join('%x00');
    const shown = await this.#run(['log', '-1', '--no-show-signature', `--format=${format}`, sha]);
    return shown.trimEnd().split('\0');
  }

  /** The commit object as it was signed, read as UTF-8. */
  rawCommit(sha: string): Promise<string> {
    return this.#run(['cat-file', 'commit', sha]);
  }

  /** Throws Stop where a path could lead out of the folder for the files: a host gives any tree that was pushed. */
  async entries(sha: string): Promise<readonly TreeEntry[]> {
    const listing = await this.#run(['ls-tree', '-r', '-t', '-z', '--full-tree', sha]);
    const entries = listing.split('\0').filter(Boolean).map(treeEntry);
    const unsafe = whyUnsafe(entries);
    if (unsafe === undefined) return entries;
    const message = `${unsafe}, as no tree of Git should; commit ${sha.slice(0, 7)} is not checked out`;
    throw new Stop({ subject: `repository ${this.repository.name}`, message });
  }

  /** Values of a file in the syntax of Git's configuration, by `section.name.key` and in order; none where it is broken. */
  async settings(blob: string): Promise<readonly (readonly [string, string])[]> {
    const read = await this.#git(['config', '--null', `--blob=${blob}`, '--no-includes', '--list']);
    if (read.kind !== 'done') return [];
    return read.output.split('\0').flatMap((pair) => {
      const end = pair.indexOf('\n');
      return end < 0 ? [] : [[pair.slice(0, end), pair.slice(end + 1)] as const];
    });
  }

  /** Fetches in one request what is not here yet; the sizes of all objects that are. */
  async fetchBlobs(ids: Iterable<string>): Promise<ReadonlyMap<string, number>> {
    this.#sizes ??= await this.#readSizes();
    const known = this.#sizes;
    const missing = [...new Set(ids)].filter((id) => !known.has(id));
    if (missing.length === 0) return known;
    // Told of the commits that are here, the host would take for granted all blobs of theirs, which were never fetched.
    const negotiation = ['-c', 'fetch.negotiationAlgorithm=noop'];
    const fetch = [...negotiation, ...fetchFlags, '--no-write-fetch-head', partial, '--stdin', 'origin'];
    this.#outputOf(await this.#reach(fetch, missing.join('\n')));
    await this.#keep();
    this.#sizes = await this.#readSizes();
    return this.#sizes;
  }

  /** Writes these paths of the commit, whose contents must be here. */
  async checkOut(sha: string, paths: readonly string[]): Promise<void> {
    const pathspecs = ['--pathspec-from-file=-', '--pathspec-file-nul'];
    await this.#run(['checkout', '--quiet', ...pathspecs, sha], paths.join('\0'));
  }

  /** What a commit of the host has at these paths, with the contents; undefined where it has nothing. */
  async fetchFiles(
    { from, paths }: { readonly from: string; readonly paths: readonly string[] },
    ref: string,
  ): Promise<ReadonlyMap<string, TreeEntry | undefined>> {
    if (!(await this.fetchCommit(from, ref))) {
      const message = `has commit ${from} no more`;
      throw new Stop({ subject: `repository ${this.repository.name}`, message });
    }
    const entries = new Map((await this.entries(from)).map((entry) => [entry.path, entry]));
    const wanted = new Map(paths.map((path) => [path, entries.get(path)]));
    await this.fetchBlobs([...wanted.values()].flatMap((entry) => entry?.id ?? []));
    return wanted;
  }

  /**
   * The tree of a commit with other contents at some of its paths, which must be files there, and others put to what is
   * here already, or taken away; its id.
   */
  async writeTree(
    sha: string,
    texts: ReadonlyMap<string, string>,
    entries: ReadonlyMap<string, TreeEntry | undefined> = new Map(),
  ): Promise<string> {
    const modes = new Map((await this.entries(sha)).map(({ path, mode }) => [path, mode]));
    const lines: string[] = [];
    for (const [path, text] of texts) {
      const mode = modes.get(path);
      if (mode?.startsWith('100') !== true) throw new Error(`${path} is no file of ${sha}`);
      const blob = (await this.#run(['hash-object', '-w', '--stdin'], text)).trim();
      lines.push(`${mode} ${blob}\t${path}\0`);
    }
    for (const [path, entry] of entries) {
      const { mode, id } = entry ?? { mode: '0', id: '0'.repeat(40) };
      lines.push(`${mode} ${id}\t${path}\0`);
    }
    await this.#run(['read-tree', sha]);
    await this.#run(['update-index', '-z', '--index-info'], lines.join(''));
    // Contents that nobody asked for are at the host alone.
    return (await this.#run(['write-tree', '--missing-ok'])).trim();
  }

  /** A commit object, whole as it was put together (and signed); its SHA. */
  async writeCommit(text: string): Promise<string> {
    return (await this.#run(['hash-object', '-t', 'commit', '-w', '--stdin'], text)).trim();
  }

  /** Pushes a commit to a branch that must be at `expected`, where that is said (null: not there); false when it is elsewhere by now. */
  async push(sha: string, branch: string, expected: string | null | undefined): Promise<boolean> {
    await this.#unshallow(sha);
    const ref = `refs/heads/${branch}`;
    const force = expected === undefined ? '--force' : `--force-with-lease=${ref}:${expected ?? ''}`;
    const push = ['push', '--quiet', '--no-verify', force, 'origin', `${sha}:${ref}`];
    const pushed = await this.#reach([...knowing, ...push]);
    if (pushed.kind === 'failed' && isMoved(pushed.stderr)) return false;
    this.#outputOf(pushed);
    return true;
  }

  tooMuch(message: string): Stop {
    return new Stop({
      subject: `repository ${this.repository.name}`,
      message: `${message}; keep what is deployed in a repository or folder of its own`,
    });
  }

  /** A commit that was fetched and is made again has its parent here: told of one without, a host takes no new branch. */
  async #unshallow(sha: string): Promise<void> {
    if (!this.#commits.includes(sha)) return;
    const file = join(this.#place.gitDirectory, 'shallow');
    const lines = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, lines.filter((line) => line !== sha).join('\n'));
  }

  async #has(sha: string): Promise<boolean> {
    return (await this.#git(['cat-file', '-e', `${sha}^{commit}`])).kind === 'done';
  }

  async #readSizes(): Promise<ReadonlyMap<string, number>> {
    const format = '--batch-check=%(objectname) %(objectsize)';
    const output = await this.#run(['cat-file', '--batch-all-objects', format]);
    const lines = output.split('\n').filter(Boolean);
    return new Map(lines.map((line) => [line.slice(0, 40), Number(line.slice(41))]));
  }

  async #keep(): Promise<void> {
    // What was thrown away must not come back from here.
    if (this.#isDamaged) return;
    await this.#tools.cache.save(this.repository.url, this.#place.gitDirectory, this.#commits);
  }

  async #run(args: readonly string[], input?: string): Promise<string> {
    const result = await this.#git(args, input);
    // Nothing of this asks the host: what fails here is what was kept.
    if (result.kind === 'failed' && this.#isCached) await this.#damaged(result.stderr);
    return this.#outputOf(result);
  }

  /** Runs git with access to the host. */
  async #reach(args: readonly string[], input?: string): Promise<GitResult> {
    await using access = await this.#tools.accesses.open(this.repository);
    const result = await this.#git(args, input, access);
    if (result.kind !== 'failed') return result;
    if (isRefusal(result.stderr)) this.#tools.accesses.forget(this.repository);
    if (this.#isCached && isDamage(result.stderr)) await this.#damaged(result.stderr);
    return result;
  }

  async #damaged(stderr: string): Promise<never> {
    this.#isDamaged = true;
    await this.#tools.cache.drop(this.repository.url);
    const cause = new Error(stderr.slice(0, 500));
    const message = 'what was kept of earlier fetches is damaged and was thrown away; it is fetched again';
    throw new DamagedCache({ subject: `repository ${this.repository.name}`, message, cause });
  }

  #git(args: readonly string[], input?: string, remote?: Parameters<typeof runGit>[0]['remote']) {
    const { path, limits } = this.#tools;
    return runGit({
      directory: this.#root,
      repository: this.#place,
      args,
      path,
      limits: { ...limits, bytes: this.#byteLimit },
      ...(input === undefined ? {} : { input }),
      ...(remote === undefined ? {} : { remote }),
    });
  }

  #outputOf(result: GitResult): string {
    if (result.kind === 'limit' && result.limit === 'bytes') {
      throw this.tooMuch(`has more than ${this.#tools.limits.bytes} bytes to fetch`);
    }
    return outputOf(this.repository, result, this.#tools.limits.seconds);
  }
}

/** Output of a run that ended well; throws what its end means for the caller otherwise. */
export function outputOf(repository: RepositoryConfig, result: GitResult, seconds: number): string {
  if (result.kind === 'done') return result.output;
  if (result.kind === 'failed') throw gitFault(repository, result.stderr);
  const subject = `repository ${repository.name}`;
  if (result.limit === 'output') {
    const message =
      'has more refs or files than are looked at; keep what is deployed in a repository of its own';
    throw new Stop({ subject, message });
  }
  const message = `git took longer than ${seconds} s with ${new URL(repository.url).host}; it is tried again`;
  throw new Retry({ subject, message });
}

/** `100644 blob <id>\t<path>` */
function treeEntry(line: string): TreeEntry {
  const tab = line.indexOf('\t');
  const [mode = '', , id = ''] = line.slice(0, tab).split(' ');
  return { mode, id, path: line.slice(tab + 1) };
}

/** Git refuses such names in its index, but submodules get folders and files by these paths before it looks. */
function whyUnsafe(entries: readonly TreeEntry[]): string | undefined {
  const modes = new Map(entries.map(({ path, mode }) => [path, mode]));
  if (modes.size < entries.length) return 'has two entries at one path';
  for (const { path } of entries) {
    const shown = JSON.stringify(path.slice(0, 200));
    if (path.split('/').some((segment) => /^(?:\.{0,2}|\.git)$/i.test(segment)))
      return `has the path ${shown}`;
    const end = path.lastIndexOf('/');
    if (end >= 0 && modes.get(path.slice(0, end)) !== folderMode)
      return `has ${shown} below what is no folder`;
  }
  return undefined;
}
