import { hash, randomUUID } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  type BigIntStats,
} from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Stop, messageOf } from '../core/errors.ts';
import type { Store, Stored, WriteCondition, WriteOutcome } from '../core/ports.ts';
import { fileFault, hasCode } from './file-fault.ts';
import { withFileLock } from './file-lock.ts';
import { etagOf, FolderVersions, namesIn, statOf } from './folder-versions.ts';
import { folderOfPrefix, pathOfKey } from './key-path.ts';

const compress = promisify(gzip);
const expand = promisify(gunzip);
/** Snapshots are small beside a disk: speed matters more. */
const level = 1;
/** Beside the documents: locks, and files not yet whole. No key leads there, since a dot in front is escaped. */
const ownFolder = '.trueup';
/** Far above what one write takes: such a file of a process that died is nobody's, and may be as large as a snapshot. */
const leftoverMs = 3_600_000;
/** What was written comes back as it was, a byte order mark included. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Documents in one folder, for any number of processes. A version is told from another by stat alone, so that a listing
 * of all versions reads no file. Synchronous where that is the faster way: the files are small and near.
 * Throws Blocked for what the file system refuses, Stop for a `.gz` file that is not gzip, Retry for a held lock.
 */
export class FileStore implements Store {
  readonly #directory: string;
  readonly #folders = new FolderVersions();
  #tidiedAt = 0;

  /** The folder is made with the first document. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async get(key: string): Promise<Stored | undefined> {
    const path = this.#path(key);
    const read = this.#tell(path, () => readWhole(path));
    return read === undefined
      ? undefined
      : { text: await decode(path, key, read.bytes), etag: etagOf(read.stat) };
  }

  async put(key: string, text: string, condition: WriteCondition): Promise<WriteOutcome> {
    const path = this.#path(key);
    const body = key.endsWith('.gz') ? await compress(text, { level }) : text;
    const own = join(this.#directory, ownFolder);
    const temporary = join(own, `new-${randomUUID()}`);
    let outcome: WriteOutcome | undefined;
    try {
      // On the disk, not only in memory, before it gets its name: a record says that something was done, or will be.
      await inFolder(own, async () => writeFile(temporary, body, { flag: 'wx', mode: 0o600, flush: true }));
      this.#tidy(own);
      outcome = await inFolder(dirname(path), async () =>
        withFileLock(this.#lock(path), () => replace(path, temporary, condition)),
      );
      if (outcome.kind === 'written') await syncFolder(dirname(path));
      return outcome;
    } catch (error) {
      throw fileFault(path, error);
    } finally {
      if (outcome?.kind !== 'written') rmSync(temporary, { force: true });
    }
  }

  async delete(key: string, condition: 'any' | { readonly etag: string }): Promise<'deleted' | 'conflict'> {
    const path = this.#path(key);
    try {
      return await inFolder(join(this.#directory, ownFolder), async () =>
        withFileLock(this.#lock(path), () => remove(path, condition)),
      );
    } catch (error) {
      throw fileFault(path, error);
    }
  }

  async entries(prefix: string): Promise<ReadonlyMap<string, string>> {
    return new Map(this.#files(prefix));
  }

  async *list(prefix: string, options: { after?: string; limit?: number } = {}): AsyncIterable<string> {
    const { after = '', limit } = options;
    const folder = join(this.#directory, folderOfPrefix(prefix));
    const above = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const found = this.#tell(folder, () => keysBelow(folder, above, prefix));
    yield* found
      .filter((key) => key > after)
      .sort((a, b) => (a < b ? -1 : 1))
      .slice(0, limit);
  }

  #files(prefix: string): readonly KeyedVersion[] {
    const folder = join(this.#directory, folderOfPrefix(prefix));
    const above = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    return this.#tell(folder, () => this.#below(folder, above, prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #below(path: string, above: string, prefix: string): KeyedVersion[] {
    const { files, folders } = this.#folders.read(path);
    const found = files.flatMap(([name, etag]): KeyedVersion[] => {
      const key = `${above}${name}`;
      return key.startsWith(prefix) ? [[key, etag]] : [];
    });
    for (const [name, file] of folders) {
      const key = `${above}${name}/`;
      if (key.startsWith(prefix) || prefix.startsWith(key)) {
        found.push(...this.#below(`${path}/${file}`, key, prefix));
      }
    }
    return found;
  }

  #path(key: string): string {
    return join(this.#directory, pathOfKey(key));
  }

  /**
   * One for each document: writers of different ones do not wait for each other. A digest, since no file may have the
   * name of a long path.
   */
  #lock(path: string): string {
    const name = hash('sha256', path.slice(this.#directory.length + 1));
    return join(this.#directory, ownFolder, `lock-${name}`);
  }

  /** Once in a while, at a write. Locks themselves are left: whoever wants one finds out whether it is stale. */
  #tidy(own: string): void {
    const now = Date.now();
    if (now - this.#tidiedAt < leftoverMs) return;
    this.#tidiedAt = now;
    for (const name of readdirSync(own).filter((each) => each.startsWith('new-'))) {
      const path = join(own, name);
      const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now;
      if (now - since > leftoverMs) rmSync(path, { force: true });
    }
  }

  #tell<T>(subject: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw fileFault(subject, error);
    }
  }
}

/** Keys alone: no version of any file is looked at. */
function keysBelow(path: string, above: string, prefix: string): string[] {
  const { files, folders } = namesIn(path);
  const found = files.map((name) => `${above}${name}`).filter((key) => key.startsWith(prefix));
  for (const [name, file] of folders) {
    const key = `${above}${name}/`;
    if (key.startsWith(prefix) || prefix.startsWith(key))
      found.push(...keysBelow(`${path}/${file}`, key, prefix));
  }
  return found;
}

/** Bytes and version of the same file, also while another one takes its name. */
function readWhole(path: string): { readonly bytes: Uint8Array; readonly stat: BigIntStats } | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    return { bytes: readFileSync(file), stat: fstatSync(file, { bigint: true }) };
  } finally {
    closeSync(file);
  }
}

async function decode(path: string, key: string, bytes: Uint8Array): Promise<string> {
  if (!key.endsWith('.gz')) return utf8.decode(bytes);
  try {
    return utf8.decode(await expand(bytes));
  } catch (cause) {
    throw new Stop({
      subject: path,
      message: `is not gzip (${messageOf(cause)}); restore it from a backup`,
      cause,
    });
  }
}

/** Makes the folder when that is what is missing: nearly always it is there. */
async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return work();
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

function replace(path: string, temporary: string, condition: WriteCondition): WriteOutcome {
  const current = statOf(path);
  if (condition === 'absent' && current !== undefined) return { kind: 'conflict' };
  if (typeof condition === 'object' && (current === undefined || etagOf(current) !== condition.etag)) {
    return { kind: 'conflict' };
  }
  // File systems tell times in ticks of milliseconds and use inodes again: left to them, two versions could look alike.
  const now = performance.timeOrigin + performance.now();
  const next = Math.max(now, current === undefined ? 0 : Number(current.mtimeNs / 1000n) / 1000 + 0.002);
  utimesSync(temporary, next / 1000, next / 1000);
  const written = statSync(temporary, { bigint: true });
  renameSync(temporary, path);
  return { kind: 'written', etag: etagOf(written) };
}

function remove(path: string, condition: 'any' | { readonly etag: string }): 'deleted' | 'conflict' {
  const current = statOf(path);
  if (condition !== 'any' && (current === undefined || etagOf(current) !== condition.etag)) {
    return 'conflict';
  }
  if (current !== undefined) unlinkSync(path);
  return 'deleted';
}

/** Key and etag. */
type KeyedVersion = readonly [key: string, etag: string];
