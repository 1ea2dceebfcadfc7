import { mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryConfig } from '../core/contract/config.ts';
import { Retry, Stop } from '../core/errors.ts';
import { commitSchema, type Commit } from '../core/model/commit.ts';
import type { Git, Secrets, Worktree } from '../core/ports.ts';
import { runGit, type GitResult } from './git-command.ts';
import { gitFault, isMissingCommit } from './git-fault.ts';
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
}

const defaultLimits: GitLimits = {
  bytes: 256 * 1024 * 1024,
  files: 50_000,
  fileBytes: 32 * 1024 * 1024,
  seconds: 90,
};

export interface HttpGitOptions {
  readonly secrets: Secrets;
  /** Existing folder for checkouts, with room for twice `limits.bytes`. */
  readonly scratch: string;
  /** PATH to find git on. */
  readonly path: string;
  readonly limits?: Partial<GitLimits>;
}

interface Session {
  readonly repository: RepositoryConfig;
  readonly directory: string;
  readonly config: Readonly<Record<string, string>>;
}

interface TreeEntry {
  readonly mode: string;
  readonly id: string;
  readonly path: string;
}

/** What is below one path of a commit, and the sizes of the objects that are here already. */
interface Part {
  readonly sha: string;
  readonly top: string;
  readonly wanted: readonly TreeEntry[];
  readonly present: Map<string, number>;
}

const scratchPrefix = 'trueup-checkout-';
const leftoverMilliseconds = 15 * 60_000;
const symlinkMode = '120000';
const submoduleMode = '160000';

/** Git hosts over HTTPS by the installed git; tokens from secrets, never in argv, errors or on disk. */
export class HttpGit implements Git {
  readonly #options: HttpGitOptions;
  readonly #limits: GitLimits;

  constructor(options: HttpGitOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
  }

  async head(repository: RepositoryConfig): Promise<string | undefined> {
    const ref = `refs/heads/${validBranch(repository)}`;
    const session = await this.#session(repository);
    try {
      const output = await this.#run(session, ['ls-remote', '--quiet', '--', repository.url, ref]);
      const lines = output.split('\n').map((line) => line.split('\t'));
      // The host matches by the end of the name: `refs/heads/main` finds `refs/heads/x/refs/heads/main` too.
      return lines.find(([, name]) => name === ref)?.[0];
    } finally {
      await rm(session.directory, { recursive: true, force: true });
    }
  }

  async checkout(repository: RepositoryConfig, sha: string): Promise<Worktree | undefined> {
    const session = await this.#session(repository);
    try {
      const commit = await this.#fetch(session, sha);
      if (commit !== undefined) return await this.#worktree(session, commit);
    } catch (error) {
      await rm(session.directory, { recursive: true, force: true });
      throw error;
    }
    await rm(session.directory, { recursive: true, force: true });
    return undefined;
  }

  async #session(repository: RepositoryConfig): Promise<Session> {
    const config = { 'remote.origin.url': repository.url, ...(await this.#credentials(repository)) };
    const { scratch } = this.#options;
    await removeLeftovers(scratch);
    const directory = await realpath(await mkdtemp(join(scratch, scratchPrefix)));
    return { repository, directory, config };
  }

  /** Bound to the host's address, so that it goes nowhere else. (With DEBUG=simple-git, simple-git prints it.) */
  async #credentials({ tokenSecret, url }: RepositoryConfig): Promise<Record<string, string>> {
    if (tokenSecret === undefined) return {};
    const token = (await this.#options.secrets.get(tokenSecret)).current.trim();
    // GitHub takes any user name with a token; other hosts want a certain one, written before a colon.
    const credentials = token.includes(':') ? token : `x-access-token:${token}`;
    const header = `Authorization: Basic ${Buffer.from(credentials).toString('base64')}`;
    return { [`http.${new URL(url).origin}/.extraHeader`]: header };
  }

  /** Commit and trees without the contents of files, where the host can leave those out. */
  async #fetch(session: Session, sha: string): Promise<Commit | undefined> {
    const { repository } = session;
    if (!/^[0-9a-f]{40}$/.test(sha)) throw new Error(`not a SHA: ${sha}`);
    await this.#run(session, ['init', '--quiet']);
    const fetch = ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules'];
    const fetched = await this.#git(session, [...fetch, '--filter=blob:none', 'origin', sha]);
    if (fetched.kind === 'failed' && isMissingCommit(fetched.stderr)) return undefined;
    this.#outputOf(session, fetched);
    const format = ['%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%s'].join('%x00');
    const facts = await this.#run(session, ['log', '-1', '--no-show-signature', `--format=${format}`, sha]);
    const [author, authorEmail, authored, committer, committerEmail, committed, subject] = facts
      .trimEnd()
      .split('\0');
    return commitSchema.parse({
      repository: repository.name,
      ref: `refs/heads/${repository.branch}`,
      sha,
      author: { name: author, email: authorEmail, at: authored },
      committer: { name: committer, email: committerEmail, at: committed },
      subject,
    });
  }

  async #worktree(session: Session, commit: Commit): Promise<Worktree> {
    const [listing, present] = await Promise.all([
      this.#run(session, ['ls-tree', '-r', '-z', '--full-tree', commit.sha]),
      this.#sizes(session),
    ]);
    const entries = listing.split('\0').filter(Boolean).map(treeEntry);
    let taken = 0;
    return new DiskWorktree({
      directory: session.directory,
      scratch: session.directory,
      commit,
      hasSymlinks: entries.some(({ mode }) => mode === symlinkMode),
      fileBytes: this.#limits.fileBytes,
      materialize: async (top) => {
        const wanted = entries.filter(
          ({ mode, path }) =>
            mode !== submoduleMode && (top === '.' || path === top || path.startsWith(`${top}/`)),
        );
        taken += wanted.length;
        if (taken > this.#limits.files) {
          const message = `has more than ${this.#limits.files} files where its applications are`;
          throw this.#tooMuch(session, message);
        }
        if (wanted.length > 0) await this.#checkOut(session, { sha: commit.sha, top, wanted, present });
      },
    });
  }

  /** Fetches in one request what the first fetch left out, looks at the sizes, and only then writes files. */
  async #checkOut(session: Session, { sha, top, wanted, present }: Part): Promise<void> {
    const missing = new Set(wanted.map(({ id }) => id).filter((id) => !present.has(id)));
    if (missing.size > 0) {
      const fetch = ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'];
      await this.#run(
        session,
        [...fetch, '--filter=blob:none', '--stdin', 'origin'],
        [...missing].join('\n'),
      );
      for (const [id, size] of await this.#sizes(session)) present.set(id, size);
    }
    const bytes = wanted.reduce((sum, { id }) => sum + (present.get(id) ?? 0), 0);
    if (bytes > this.#limits.bytes) {
      const message = `has ${bytes} bytes below ${top}, and up to ${this.#limits.bytes} are checked out`;
      throw this.#tooMuch(session, message);
    }
    await this.#run(session, ['checkout', '--quiet', sha, '--', top]);
  }

  /** Of every object that is here. */
  async #sizes(session: Session): Promise<Map<string, number>> {
    const format = '--batch-check=%(objectname) %(objectsize)';
    const output = await this.#run(session, ['cat-file', '--batch-all-objects', format]);
    const lines = output.split('\n').filter(Boolean);
    return new Map(lines.map((line) => [line.slice(0, 40), Number(line.slice(41))]));
  }

  async #run(session: Session, args: readonly string[], input?: string): Promise<string> {
    return this.#outputOf(session, await this.#git(session, args, input));
  }

  #git({ directory, config }: Session, args: readonly string[], input?: string): Promise<GitResult> {
    const { path } = this.#options;
    const base = { directory, args, config, path, limits: this.#limits };
    return runGit(input === undefined ? base : { ...base, input });
  }

  #outputOf(session: Session, result: GitResult): string {
    if (result.kind === 'done') return result.output;
    if (result.kind === 'failed') throw gitFault(session.repository, result.stderr);
    if (result.limit === 'bytes') {
      throw this.#tooMuch(session, `has more than ${this.#limits.bytes} bytes to fetch`);
    }
    const message = `git took longer than ${this.#limits.seconds} s with ${new URL(session.repository.url).host}; it is tried again`;
    throw new Retry({ subject: `repository ${session.repository.name}`, message });
  }

  #tooMuch({ repository }: Session, message: string): Stop {
    return new Stop({
      subject: `repository ${repository.name}`,
      message: `${message}; keep what is deployed in a repository or folder of its own`,
    });
  }
}

/** A function that is killed wipes nothing, and the next one gets its disk. None lives as long as this. */
async function removeLeftovers(scratch: string): Promise<void> {
  const oldest = Date.now() - leftoverMilliseconds;
  const names = (await readdir(scratch)).filter((name) => name.startsWith(scratchPrefix));
  for (const folder of names.map((name) => join(scratch, name))) {
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Infinity }));
    if (mtimeMs < oldest) await rm(folder, { recursive: true, force: true });
  }
}

/** Git's own rules for names, as far as they keep a name from being read as a pattern or as something else. */
function validBranch({ name, branch }: RepositoryConfig): string {
  if (!/\.\.|@\{|\/\/|[\s~^:?*[\\\p{Cc}]|^[-/]|[/.]$/u.test(branch)) return branch;
  const message = `"${branch}" is no name of a branch; mend it in the stack configuration`;
  throw new Stop({ subject: `repository ${name}`, message });
}

/** `100644 blob <id>\t<path>` */
function treeEntry(line: string): TreeEntry {
  const tab = line.indexOf('\t');
  const [mode = '', , id = ''] = line.slice(0, tab).split(' ');
  return { mode, id, path: line.slice(tab + 1) };
}
