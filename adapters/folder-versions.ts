import { readdirSync, statSync, type BigIntStats } from 'node:fs';
import { hasCode } from './file-fault.ts';
import { segmentOf } from './key-path.ts';

/** What one folder holds, by the segments of keys: files with their versions, and folders with their names on disk. */
interface Folder {
  readonly files: readonly (readonly [segment: string, etag: string])[];
  readonly folders: readonly (readonly [segment: string, name: string])[];
}

interface FolderNames extends Pick<Folder, 'folders'> {
  readonly files: readonly string[];
}

/** File systems tell times in ticks: a folder written so shortly before it was read may change again unseen. */
const settledNs = 100_000_000n;
const nothing: Folder = { files: [], folders: [] };

/**
 * Versions of all files of a folder. Every document comes by a rename and goes by an unlink, and both move the time of
 * its folder: a folder whose time stands still need not be read again, however many files it has.
 */
export class FolderVersions {
  readonly #known = new Map<string, Folder & { readonly mtimeNs: bigint; readonly ino: bigint }>();

  read(path: string): Folder {
    const now = BigInt(Date.now()) * 1_000_000n;
    const stat = statOf(path);
    if (stat === undefined) return nothing;
    const known = this.#known.get(path);
    if (known?.mtimeNs === stat.mtimeNs && known.ino === stat.ino) return known;
    const folder = { ...contentOf(path), mtimeNs: stat.mtimeNs, ino: stat.ino };
    // Time of the folder and of this machine may differ: a time to come is not trusted either.
    if (now - stat.mtimeNs > settledNs) this.#known.set(path, folder);
    return folder;
  }
}

/** What one folder holds, by the segments of keys: nothing is asked of the files themselves, however many there are. */
export function namesIn(path: string): FolderNames {
  const files: string[] = [];
  const folders: [string, string][] = [];
  for (const entry of entriesOf(path)) {
    const segment = segmentOf(entry.name);
    if (segment === undefined) continue;
    if (entry.isDirectory()) folders.push([segment, entry.name]);
    else files.push(segment);
  }
  return { files, folders };
}

/** Undefined where there is no such file. */
export function statOf(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false });
}

/** Two versions of one file differ in it; see `FileStore` for how their times are kept apart. */
export function etagOf({ mtimeNs, ino, size }: BigIntStats): string {
  return `${mtimeNs.toString(36)}-${ino.toString(36)}-${size.toString(36)}`;
}

function contentOf(path: string): Folder {
  const files: [string, string][] = [];
  const folders: [string, string][] = [];
  for (const entry of entriesOf(path)) {
    const segment = segmentOf(entry.name);
    if (segment === undefined) continue;
    if (entry.isDirectory()) folders.push([segment, entry.name]);
    else {
      const stat = statOf(`${path}/${entry.name}`);
      if (stat !== undefined) files.push([segment, etagOf(stat)]);
    }
  }
  return { files, folders };
}

function entriesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
