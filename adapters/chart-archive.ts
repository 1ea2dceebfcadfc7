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
  const files = new Map<string, Uint8Array>();
  const faults: Stop[] = [];
  const refuse = (message: string) => void faults.push(new Stop({ subject, message }));
  const onReadEntry = (entry: ReadEntry): void => {
    if (faults.length === 0) readEntry(entry, files, refuse);
    entry.resume();
  };
  await new Promise<void>((settle) => {
    const parser = new Parser({ onReadEntry, strict: true, maxMetaEntrySize: 64 * 1024 });
    parser.on('error', () => {
      refuse('is no sound tar archive; package the chart again');
      settle();
    });
    parser.on('end', settle);
    parser.end(tar);
  });
  const [fault] = faults;
  if (fault !== undefined) throw fault;
  if (!files.has('Chart.yaml')) throw new Stop({ subject, message: 'is no chart: it has no Chart.yaml' });
  return files;
}

function readEntry(entry: ReadEntry, files: Map<string, Uint8Array>, refuse: (why: string) => void): void {
  const { path, size } = entry;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (entry.type === 'Directory') return;
  if (entry.type === 'SymbolicLink' || entry.type === 'Link') {
    return refuse(`holds the link ${path}, which could lead anywhere; package the chart without links`);
  }
  if (entry.type !== 'File' && entry.type !== 'OldFile') return refuse(`holds ${path}, which is no file`);
  if (path.startsWith('/') || parts.includes('..') || /[\\\p{Cc}]|^[a-z]:/iu.test(path)) {
    return refuse(`holds a path that leads out of it: ${JSON.stringify(path)}`);
  }
  if (parts.length < 2) return refuse(`holds ${path} outside of the chart's folder`);
  if (size > maxFileBytes)
    return refuse(`holds ${path} of ${size} bytes; files of up to ${maxFileBytes} are read`);
  if (files.size >= maxFiles) return refuse(`holds more than ${maxFiles} files`);
  const chunks: Buffer[] = [];
  entry.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
  entry.on('end', () => files.set(parts.slice(1).join('/'), Buffer.concat(chunks)));
}
