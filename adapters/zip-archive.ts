import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { fromBufferPromise, getFileNameLowLevel, type Entry, type ZipFile } from 'yauzl';
import { Stop } from '../core/errors.ts';
import { fileFault, linkFault, maxBytes, plainPath, type ArchiveKind } from './archive.ts';

/** Folders too; the list of them is read before anything else is known. */
const maxEntries = 50_000;
const typeMask = 0o170000;
const fileTypes = { file: 0o100000, symlink: 0o120000, unsaid: 0 } as const;

/** By its first bytes: of its first file, or of the end of an empty one. */
export function isZip(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  return start === 'PK\u0003\u0004' || start === 'PK\u0005\u0006';
}

/**
 * Files of a zip archive by path, in memory, with the limits and refusals of `unpackArchive`. What its directory says is
 * what counts, and each file must be what that says of it. Throws Stop, naming `subject`; besides for what is encrypted,
 * packed otherwise than by deflate, damaged, or there twice: which one counts depends on who unpacks it.
 */
export async function unpackZip(
  archive: Uint8Array,
  subject: string,
  kind: ArchiveKind,
): Promise<Map<string, Uint8Array>> {
  const refuse = (message: string, cause?: unknown): Stop => new Stop({ subject, message, cause });
  const unsound = (cause: unknown): Stop =>
    cause instanceof Stop ? cause : refuse(`is no sound zip archive; package the ${kind.noun} again`, cause);
  try {
    // Names are decoded below, so that a strange one is told like all others.
    const zip = await fromBufferPromise(Buffer.from(archive), { autoClose: false, decodeStrings: false });
    const entries = new Map<string, Entry>();
    let [bytes, seen] = [0, 0];
    for await (const entry of zip.eachEntry()) {
      const path = nameOf(entry);
      bytes += entry.uncompressedSize;
      seen += 1;
      if (seen > maxEntries) throw refuse(`holds more than ${maxEntries} files and folders`);
      if (bytes > maxBytes) throw refuse(`holds more than ${maxBytes} bytes`);
      if (path.endsWith('/')) continue;
      const fault = entryFault(entry, path, entries, kind);
      if (fault !== undefined) throw refuse(fault);
      entries.set(plainPath(path), entry);
    }
    const files = new Map<string, Uint8Array>();
    for (const [path, entry] of entries) files.set(path, await contentOf(zip, entry));
    return files;
  } catch (error) {
    throw unsound(error);
  }
}

function nameOf(entry: Entry): string {
  const { generalPurposeBitFlag, fileNameRaw, extraFields } = entry;
  // Some packers of Windows write backslashes, which become slashes here.
  return getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false);
}

function entryFault(
  entry: Entry,
  path: string,
  others: ReadonlyMap<string, Entry>,
  kind: ArchiveKind,
): string | undefined {
  const type = (entry.externalFileAttributes >>> 16) & typeMask;
  if (type === fileTypes.symlink) return linkFault(path, kind);
  if (type !== fileTypes.file && type !== fileTypes.unsaid) return `holds ${path}, which is no file`;
  const fault = fileFault({ path, size: entry.uncompressedSize }, others, kind);
  if (fault !== undefined) return fault;
  if (others.has(plainPath(path))) return `holds ${path} twice; package the ${kind.noun} again`;
  if (entry.isEncrypted()) return `holds ${path} encrypted; package the ${kind.noun} without a password`;
  const { compressionMethod } = entry;
  if (entry.canDecodeFileData()) return undefined;
  return `holds ${path} packed by method ${compressionMethod}; only deflate and none are read`;
}

/** The reader sees to the size. */
async function contentOf(zip: ZipFile, entry: Entry): Promise<Uint8Array> {
  const content = await buffer(await zip.openReadStreamPromise(entry));
  if (crc32(content) !== entry.crc32) throw new Error('a checksum does not match');
  return content;
}
