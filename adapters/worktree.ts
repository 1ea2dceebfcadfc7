import { readFile, readdir, realpath, rm, stat } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { Stop } from '../core/errors.ts';
import type { Commit } from '../core/model/commit.ts';
import type { Worktree } from '../core/ports.ts';
import { isLfsPointer } from './git-lfs.ts';

export interface WorktreeOptions {
  /** Root of the tree on disk; real path, no symlink on the way. */
  readonly directory: string;
  /** What is wiped at the end: the root, or a folder around it. Undefined where the tree is a person's own. */
  readonly scratch: string | undefined;
  readonly commit: Commit;
  /** Mode and object id by path; empty where the tree is no commit. */
  readonly ids: ReadonlyMap<string, string>;
  /** Why some paths are not on disk although the commit has them; a sentence for each. */
  readonly gaps?: ReadonlyMap<string, string>;
  /** Puts everything below these paths on disk, `.` for the whole tree; never called twice for the same. */
  readonly materialize: (paths: readonly string[]) => Promise<void>;
  /** Limit of one file that is read, in bytes. */
  readonly fileBytes: number;
}

/** As Git spells it, and what an entry of `ids` begins with. */
const symlinkMode = '120000';

/** A commit on disk, as far as it was asked for. Every path is checked after symlinks are resolved. */
export class DiskWorktree implements Worktree {
  readonly directory: string;
  readonly commit: Commit;
  readonly ids: ReadonlyMap<string, string>;
  readonly #options: WorktreeOptions;
  readonly #symlinks: readonly string[];
  readonly #ready = new Map<string, Promise<void>>();
  #last: Promise<void> = Promise.resolve();

  constructor(options: WorktreeOptions) {
    this.directory = options.directory;
    this.commit = options.commit;
    this.ids = options.ids;
    this.#options = options;
    this.#symlinks = [...options.ids].flatMap(([path, id]) => (id.startsWith(symlinkMode) ? [path] : []));
  }

  prepare(paths: readonly string[]): Promise<void> {
    return this.#materialize(paths.map(normalize).filter((path) => this.ids.has(path)));
  }

  async files(folder: string): Promise<readonly string[]> {
    const path = normalize(folder);
    await this.#materialize([path]);
    this.#refuseGaps(path);
    const real = await this.#resolve(path);
    if (real === undefined || !(await stat(real)).isDirectory()) return [];
    return (await this.#list(path, [real])).sort();
  }

  async read(path: string): Promise<Uint8Array> {
    const wanted = normalize(path);
    await this.#materialize([wanted]);
    this.#refuseGaps(wanted);
    const real = await this.#resolve(wanted);
    if (real === undefined) throw new Stop({ subject: path, message: 'is not in this commit' });
    const found = await stat(real);
    if (!found.isFile()) throw new Stop({ subject: path, message: 'is a folder; name a file' });
    const { size } = found;
    if (size > this.#options.fileBytes) {
      const message = `is ${size} bytes long, and files of up to ${this.#options.fileBytes} are read; move it elsewhere`;
      throw new Stop({ subject: path, message });
    }
    const bytes = await readFile(real);
    if (isLfsPointer(bytes)) {
      const message =
        'is a pointer of Git LFS and not the content itself; set `lfs` for the repository in the stack configuration';
      throw new Stop({ subject: path, message });
    }
    return bytes;
  }

  async text(path: string): Promise<string> {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(await this.read(path));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new Stop({ subject: path, message: 'is not UTF-8 text; save it as such' });
    }
  }

  async realPath(path: string): Promise<string> {
    const wanted = normalize(path);
    await this.#materialize([wanted]);
    const real = await this.#resolve(wanted);
    if (real === undefined) return wanted;
    return relative(this.directory, real).split(sep).join('/') || '.';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    const { scratch } = this.#options;
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  }

  /** One at a time: each writes the index of the same repository. */
  async #materialize(paths: readonly string[]): Promise<void> {
    const wanted = paths.some((path) => this.#meetsSymlink(path)) ? ['.'] : [...new Set(paths)];
    const unready = wanted.filter((path) => this.#readyFor(path) === undefined);
    const standing = wanted.flatMap((path) => this.#readyFor(path) ?? []);
    if (unready.length > 0) {
      const ready = this.#last.then(() => this.#options.materialize(unready));
      // Whoever asked is told of the failure; the next in line has nothing to do with it.
      this.#last = ready.catch(() => undefined);
      for (const path of unready) this.#ready.set(path, ready);
      standing.push(ready);
    }
    await Promise.all(standing);
  }

  #readyFor(path: string): Promise<void> | undefined {
    const known = this.#ready.get('.') ?? this.#ready.get(path);
    if (known !== undefined || !path.includes('/')) return known;
    return this.#readyFor(posix.dirname(path));
  }

  /** What is missing below a folder must not look like what was never there. */
  #refuseGaps(path: string): void {
    for (const [gap, message] of this.#options.gaps ?? []) {
      if (path === '.' || isBelow(gap, path)) throw new Stop({ subject: gap, message });
    }
    this.#refuseGap(path);
  }

  #refuseGap(path: string): void {
    for (const [gap, message] of this.#options.gaps ?? []) {
      if (isBelow(path, gap)) throw new Stop({ subject: gap, message });
    }
  }

  /** Where it leads is known only once it is on disk: whoever meets a symlink needs the tree as a whole. */
  #meetsSymlink(path: string): boolean {
    return this.#symlinks.some((link) => path === '.' || isBelow(link, path) || isBelow(path, link));
  }

  /** Files below a folder; `above` are the real paths of the folders on the way, to notice a loop of symlinks. */
  async #list(folder: string, above: readonly string[]): Promise<string[]> {
    const found: string[] = [];
    for (const entry of await readdir(join(this.directory, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      if (path === '.git') continue;
      if (entry.isFile()) found.push(path);
      if (entry.isDirectory()) found.push(...(await this.#list(path, above)));
      if (entry.isSymbolicLink()) found.push(...(await this.#follow(path, above)));
    }
    return found;
  }

  async #follow(path: string, above: readonly string[]): Promise<string[]> {
    const real = await this.#resolve(path);
    if (real === undefined) {
      throw new Stop({
        subject: path,
        message: 'is a symlink to what is not in this commit; mend or remove it',
      });
    }
    if (!(await stat(real)).isDirectory()) return [path];
    if (above.some((folder) => folder === real || folder.startsWith(`${real}${sep}`))) {
      throw new Stop({ subject: path, message: 'is a symlink to a folder that it is in; remove it' });
    }
    return this.#list(path, [...above, real]);
  }

  /** The real path of what is there. Throws Stop where it lies outside of the tree: that is somebody else's file. */
  async #resolve(path: string): Promise<string | undefined> {
    let real: string;
    try {
      real = await realpath(join(this.directory, path));
    } catch (error) {
      if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code))) {
        return undefined;
      }
      throw new Stop({ subject: path, message: 'is a symlink that cannot be followed; remove it' });
    }
    const inside = relative(this.directory, real);
    if (inside === '..' || inside.startsWith(`..${sep}`) || inside.split(sep)[0] === '.git') {
      throw new Stop({ subject: path, message: 'is a symlink that leaves the repository; remove it' });
    }
    this.#refuseGap(inside.split(sep).join('/'));
    return real;
  }
}

function isBelow(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`);
}

/** One spelling of a path below the root. Throws Stop for one that climbs out. */
function normalize(path: string): string {
  if (path.includes('\0')) {
    throw new Stop({
      subject: path.replaceAll('\0', '\\0'),
      message: 'holds a NUL byte, which no path does',
    });
  }
  const normal = posix.normalize(path).replace(/\/$/, '');
  if (posix.isAbsolute(normal) || normal === '..' || normal.startsWith('../')) {
    throw new Stop({ subject: path, message: 'leads out of the repository' });
  }
  return normal;
}
