import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { Stop } from '../core/errors.ts';
import type { ChartFiles } from '../core/ports.ts';

const unzip = promisify(gunzip);

/** As Helm has them, but for the number of files. */
const maxBytes = 100 * 1024 * 1024;
const maxFileBytes = 5 * 1024 * 1024;
const maxFiles = 10_000;

/**
 * Files of a chart archive by path below its one folder, in memory: nothing of it touches a disk. Throws Stop, naming
 * `subject`, for paths that climb, links, other things that are no files, and more than the limits.
 */
export async function unpackChart(archive: Uint8Array, subject: string): Promise<ChartFiles> {
  const tar = await unzip(archive, { maxOutputLength: maxBytes }).catch((error: unknown) => {
    const isBomb = error instanceof RangeError;
    const message = isBomb ? `unpacks to more than ${maxBytes} bytes` : 'is no gzip archive';
    throw new Stop({ subject, message: `${message}; it is no chart that can be rendered` });
  });
  // The parser would unpack it once more, and then without our limit; no option of it forbids that.
  if (tar[0] === 0x1f && tar[1] === 0x8b) {
    throw new Stop({ subject, message: 'is packed twice; package the chart again' });
  }
  const files = await readTar(tar, subject);
  if (!files.has('Chart.yaml')) throw new Stop({ subject, message: 'is no chart: it has no Chart.yaml' });
  return files;
}

function readTar(tar: Buffer, subject: string): Promise<ChartFiles> {
  const files = new Map<string, Uint8Array>();
  return new Promise((settle, fail) => {
    let bytes = 0;
    const onReadEntry = (entry: ReadEntry): void => {
      bytes += entry.size;
      const why = bytes > maxBytes ? `holds more than ${maxBytes} bytes` : readEntry(entry, files);
      if (why !== undefined) return refuse(why);
      entry.resume();
    };
    const parser = new Parser({ onReadEntry, strict: true, zstd: false, maxMetaEntrySize: 64 * 1024 });
    const refuse = (message: string): void => {
      fail(new Stop({ subject, message }));
      parser.abort(new Error(message));
    };
    parser.on('error', () => refuse('is no sound tar archive; package the chart again'));
    parser.on('end', () => settle(files));
    parser.end(tar);
  });
}

/** Puts a file among the others once it is read; or why the archive is refused. */
function readEntry(entry: ReadEntry, files: Map<string, Uint8Array>): string | undefined {
  const { path, size } = entry;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (entry.type === 'Directory') return undefined;
  if (entry.type === 'SymbolicLink' || entry.type === 'Link') {
    return `holds the link ${path}, which could lead anywhere; package the chart without links`;
  }
  if (entry.type !== 'File' && entry.type !== 'OldFile') return `holds ${path}, which is no file`;
  if (path.startsWith('/') || parts.includes('..') || /[\\\p{Cc}]|^[a-z]:/iu.test(path)) {
    return `holds a path that leads out of it: ${JSON.stringify(path)}`;
  }
  if (parts.length < 2) return `holds ${path} outside of the chart's folder`;
  if (size > maxFileBytes) return `holds ${path} of ${size} bytes; files of up to ${maxFileBytes} are read`;
  if (files.size >= maxFiles) return `holds more than ${maxFiles} files`;
  const chunks: Buffer[] = [];
  entry.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
  entry.on('end', () => files.set(parts.slice(1).join('/'), Buffer.concat(chunks)));
  return undefined;
}
