import { existsSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { Stop } from '../core/errors.ts';
import { hasCode } from './file-fault.ts';
import { localCommit, type LocalPerson } from './local-commit.ts';
import { DiskWorktree, type WorktreeOptions } from './worktree.ts';

/** Of one file that is read, in bytes; as for commits of a Git host. */
const fileBytes = 32 * 1024 * 1024;

/** A folder or a file of a person's, as a source to render. */
export interface LocalSource {
  readonly worktree: LocalWorktree;
  /** Inside of the tree. */
  readonly path: string;
}

/**
 * Files as they are on disk now. The tree is that of the repository which they are in, so that a base beside them is
 * found and no symlink leads out; else everything around them. A single file stands for a folder with nothing else in it.
 */
export class LocalWorktree extends DiskWorktree {
  /** The single file that was named as the source. */
  readonly #single: string | undefined;

  constructor({
    single,
    ...options
  }: Pick<WorktreeOptions, 'directory' | 'commit'> & { readonly single?: string | undefined }) {
    const materialize = async () => undefined;
    super({ ...options, scratch: undefined, ids: new Map(), fileBytes, materialize });
    this.#single = single;
  }

  override async files(folder: string): Promise<readonly string[]> {
    return folder === this.#single ? [folder] : super.files(folder);
  }
}

/** Throws Stop when there is nothing at that path, which is relative to `from`. */
export async function openLocalSource(
  path: string,
  { from, person, now }: { readonly from: string; readonly person: LocalPerson; readonly now: number },
): Promise<LocalSource> {
  const given = resolve(from, path);
  const real = await realpath(given).catch((cause: unknown) => {
    if (!hasCode(cause, 'ENOENT', 'ENOTDIR')) throw cause;
    throw new Stop({ subject: path, message: 'there is no such file or folder', cause });
  });
  const isFile = (await stat(real)).isFile();
  const commit = await localCommit(isFile ? dirname(real) : real, { person, now });
  const directory = commit.root ?? surroundings(isFile ? dirname(real) : real);
  const inside = relative(directory, real).split(sep).join('/') || '.';
  const single = isFile ? inside : undefined;
  return { worktree: new LocalWorktree({ directory, commit: commit.commit, single }), path: inside };
}

/** The topmost folder but one above a path: whatever lies beside it may be built from. */
function surroundings(folder: string): string {
  const above = dirname(folder);
  return above === dirname(above) ? folder : surroundings(above);
}

/** A place in the tree as the person would type it from where they stand; what is no place stays as it is. */
export function placeFrom(from: string, directory: string): (subject: string) => string {
  return (subject) => {
    const [, before = '', path = '', after = ''] = /^(folder )?([^\s:]+)(.*)$/s.exec(subject) ?? [];
    if (path === '' || isAbsolute(path) || !isPlace(directory, path)) return subject;
    const here = relative(from, join(directory, path)) || '.';
    return `${before}${here}${after}`;
  };
}

/** What is missed where a folder is counts as well. */
function isPlace(directory: string, path: string): boolean {
  return (
    existsSync(join(directory, path)) || (path.includes('/') && existsSync(join(directory, dirname(path))))
  );
}
