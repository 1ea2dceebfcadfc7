import { readFile, readdir, realpath, rm, stat } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { Stop } from '../core/errors.ts';
import type { Commit } from '../core/model/commit.ts';
import type { Worktree } from '../core/ports.ts';

export interface WorktreeOptions {
  /** Root of the tree on disk; real path, no symlink on the way. */
  readonly directory: string;
  /** What is wiped at the end: the root, or a folder around it. Undefined where the tree is a person's own. */
  readonly scratch: string | undefined;
  readonly commit: Commit;
  /** Puts everything below a path of one segment on disk, `.` for the whole tree; called once for each. */
  readonly materialize: (top: string) => Promise<void>;
  /** A tree with symlinks is needed as a whole: where they lead is known only once they are on disk. */
  readonly hasSymlinks: boolean;
  /** Limit of one file that is read, in bytes. */
  readonly fileBytes: number;
}

/** A commit on disk, as far as it was asked for. Every path is checked after symlinks are resolved. */
export class DiskWorktree implements Worktree {
  readonly directory: string;
  readonly commit: Commit;
  readonly #options: WorktreeOptions;
  readonly #ready = new Map<string, Promise<void>>();
  #last: Promise<void> = Promise.resolve();

  constructor(options: WorktreeOptions) {
    this.directory = options.directory;
    this.commit = options.commit;
    this.#options = options;
  }

  async files(folder: string): Promise<readonly string[]> {
    const path = normalize(folder);
    await this.#materialize(path);
    const real = await this.#resolve(path);
    if (real === undefined || !(await stat(real)).isDirectory()) return [];
    return (await this.#list(path, [real])).sort();
  }

  async read(path: string): Promise<Uint8Array> {
    const wanted = normalize(path);
    await this.#materialize(wanted);
    const real = await this.#resolve(wanted);
    if (real === undefined) throw new Stop({ subject: path, message: 'is not in this commit' });
    const { size } = await stat(real);
    if (size > this.#options.fileBytes) {
      const message = `is ${size} bytes long, and files of up to ${this.#options.fileBytes} are read; move it elsewhere`;
      throw new Stop({ subject: path, message });
    }
    return readFile(real);
  }

  async text(path: string): Promise<string> {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(await this.read(path));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new Stop({ subject: path, message: 'is not UTF-8 text; save it as such' });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    const { scratch } = this.#options;
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  }

  /** One at a time: each writes the index of the same repository. */
  #materialize(path: string): Promise<void> {
    const top = this.#options.hasSymlinks ? '.' : (path.split('/')[0] ?? '.');
    const known = this.#ready.get(top) ?? this.#ready.get('.');
    if (known !== undefined) return known;
    const ready = this.#last.then(() => this.#options.materialize(top));
    // Whoever asked is told of the failure; the next in line has nothing to do with it.
    this.#last = ready.catch(() => undefined);
    this.#ready.set(top, ready);
    return ready;
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
    return real;
  }
}

/** One spelling of a path below the root. Throws Stop for one that climbs out. */
function normalize(path: string): string {
  const normal = posix.normalize(path).replace(/\/$/, '');
  if (posix.isAbsolute(normal) || normal === '..' || normal.startsWith('../')) {
    throw new Stop({ subject: path, message: 'leads out of the repository' });
  }
  return normal;
}
