import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { Stop } from '../core/errors.ts';

const unzip = promisify(gunzip);

/** Of all that an archive holds. */
export const maxBytes = 100 * 1024 * 1024;
const maxFiles = 10_000;

/** What an archive is, in the words of a person. */
export interface ArchiveKind {
  /** For texts: `chart`, `artifact`. */
  readonly noun: string;
  /** Most bytes of one file. */
  readonly fileBytes: number;
}

/**
 * Files of a gzipped tar archive by path, in memory: nothing of it touches a disk. Of a path that is there twice the last
 * one counts, as for tar. Throws Stop, naming `subject`, for paths that climb, links, other things that are no files, and
 * more than the limits.
 */
export async function unpackArchive(
  archive: Uint8Array,
  subject: string,
  kind: ArchiveKind,
): Promise<Map<string, Uint8Array>> {
  const { noun } = kind;
  const tar = await unzip(archive, { maxOutputLength: maxBytes }).catch((error: unknown) => {
    const isBomb = error instanceof RangeError;
    const message = isBomb ? `unpacks to more than ${maxBytes} bytes` : 'is no gzip archive';
    throw new Stop({ subject, message: `${message}; it is no ${noun} that can be rendered` });
  });
  // The parser would unpack it once more, and then without our limit; no option of it forbids that.
  if (tar[0] === 0x1f && tar[1] === 0x8b) {
    throw new Stop({ subject, message: `is packed twice; package the ${noun} again` });
  }
  return readTar(tar, subject, kind);
}

function readTar(tar: Buffer, subject: string, kind: ArchiveKind): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  return new Promise((settle, fail) => {
    let bytes = 0;
    const onReadEntry = (entry: ReadEntry): void => {
      bytes += entry.size;
      const why = bytes > maxBytes ? `holds more than ${maxBytes} bytes` : readEntry(entry, files, kind);
      if (why !== undefined) return refuse(why);
      entry.resume();
    };
    const parser = new Parser({ onReadEntry, strict: true, zstd: false, maxMetaEntrySize: 64 * 1024 });
    const refuse = (message: string): void => {
      fail(new Stop({ subject, message }));
      parser.abort(new Error(message));
    };
    parser.on('error', () => refuse(`is no sound tar archive; package the ${kind.noun} again`));
    parser.on('end', () => settle(files));
    parser.end(tar);
  });
}

/** Puts a file among the others once it is read; or why the archive is refused. */
function readEntry(entry: ReadEntry, files: Map<string, Uint8Array>, kind: ArchiveKind): string | undefined {
  const { path } = entry;
  if (entry.type === 'Directory') return undefined;
  if (entry.type === 'SymbolicLink' || entry.type === 'Link') {
    return linkFault(path, kind);
  }
  if (entry.type !== 'File' && entry.type !== 'OldFile') return `holds ${path}, which is no file`;
  const fault = fileFault(entry, files, kind);
  if (fault !== undefined) return fault;
  const chunks: Buffer[] = [];
  entry.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
  entry.on('end', () => files.set(plainPath(path), Buffer.concat(chunks)));
  return undefined;
}

/** Why links are refused. */
export function linkFault(path: string, { noun }: ArchiveKind): string {
  return `holds the link ${path}, which could lead anywhere; package the ${noun} without links`;
}

/** Why a file is refused. `files`: those that were read before it. */
export function fileFault(
  { path, size }: { readonly path: string; readonly size: number },
  files: ReadonlyMap<string, unknown>,
  { noun, fileBytes }: ArchiveKind,
): string | undefined {
  const parts = path.split('/');
  if (path.startsWith('/') || parts.includes('..') || /[\\\p{Cc}]|^[a-z]:/iu.test(path)) {
    return `holds a path that leads out of it: ${JSON.stringify(path)}`;
  }
  // Its place is that of the root, which is a folder.
  if (plainPath(path) === '')
    return `holds a file without a name, ${JSON.stringify(path)}; package the ${noun} again`;
  if (size > fileBytes) return `holds ${path} of ${size} bytes; files of up to ${fileBytes} are read`;
  return files.size >= maxFiles ? `holds more than ${maxFiles} files` : undefined;
}

/** One spelling of a path that does not climb. */
export function plainPath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
