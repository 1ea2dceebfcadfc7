import { Stop } from '../core/errors.ts';
import type { ChartFiles } from '../core/ports.ts';
import { unpackArchive } from './archive.ts';

/** Of one file, as Helm has it. */
const fileBytes = 5 * 1024 * 1024;

/**
 * Files of a chart archive by path below its one folder. Throws Stop, naming `subject`, for what is no archive to be
 * unpacked, and for one that holds no chart.
 */
export async function unpackChart(archive: Uint8Array, subject: string): Promise<ChartFiles> {
  const files = new Map<string, Uint8Array>();
  for (const [path, content] of await unpackArchive(archive, subject, { noun: 'chart', fileBytes })) {
    const below = path.indexOf('/') + 1;
    if (below === 0) throw new Stop({ subject, message: `holds ${path} outside of the chart's folder` });
    files.set(path.slice(below), content);
  }
  if (!files.has('Chart.yaml')) throw new Stop({ subject, message: 'is no chart: it has no Chart.yaml' });
  return files;
}
