import { hash } from 'node:crypto';
import { posix } from 'node:path';
import { Stop } from '../../core/errors.ts';
import type { Commit } from '../../core/model/commit.ts';
import type { Worktree } from '../../core/ports.ts';

export type Files = Readonly<Record<string, string>>;

/** A commit of a fixture person. */
export function commitOf(sha: string, repository = 'fleet'): Commit {
  const person = { name: 'Ada Park', email: 'ada@example.com', at: '2026-11-23T11:59:00+00:00' };
  return { repository, ref: 'refs/heads/main', sha, author: person, committer: person, subject: 'Change' };
}

/** Files by path, as a checked-out commit; knows no symlinks and no limits. */
export class MemoryWorktree implements Worktree {
  readonly directory = '/nowhere';
  readonly commit: Commit;
  readonly ids: ReadonlyMap<string, string>;
  readonly #files: Files;
  /** What was read of it: everything else would not have been fetched. */
  readonly fetched = new Set<string>();
  isDisposed = false;

  constructor(files: Files, commit = commitOf('1'.repeat(40))) {
    this.#files = files;
    this.commit = commit;
    const known = knownIds.get(files) ?? idsOf(files);
    knownIds.set(files, known);
    this.ids = known;
  }

  async prepare(paths: readonly string[]): Promise<void> {
    for (const path of paths) for (const file of await this.files(path)) this.fetched.add(file);
  }

  async files(folder: string): Promise<readonly string[]> {
    const path = posix.normalize(folder);
    return Object.keys(this.#files)
      .filter((file) => path === '.' || file.startsWith(`${path}/`))
      .sort();
  }

  async text(path: string): Promise<string> {
    const text = this.#files[path];
    this.fetched.add(path);
    if (text === undefined) throw new Stop({ subject: path, message: 'is not in this commit' });
    return text;
  }

  async read(path: string): Promise<Uint8Array> {
    return new TextEncoder().encode(await this.text(path));
  }

  async realPath(path: string): Promise<string> {
    return posix.normalize(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
  }
}

const knownIds = new WeakMap<Files, ReadonlyMap<string, string>>();

/** Mode and object id by path, as Git has them: equal contents have equal ids. */
function idsOf(files: Files): ReadonlyMap<string, string> {
  const folders = new Map<string, string[]>();
  const ids = new Map<string, string>();
  for (const [path, text] of Object.entries(files)) {
    ids.set(path, `100644 ${idOf(text)}`);
    for (let folder = path; folder !== '.';) {
      folder = posix.dirname(folder);
      folders.set(folder, [...(folders.get(folder) ?? []), `${path} ${text}`]);
    }
  }
  for (const [folder, contents] of folders) ids.set(folder, `040000 ${idOf(contents.sort().join('\n'))}`);
  return ids;
}

function idOf(text: string): string {
  return hash('sha1', text);
}
