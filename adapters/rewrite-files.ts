import { randomUUID } from 'node:crypto';
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileFault } from './file-fault.ts';

/**
 * Puts whole new texts into files of a folder. All are written beside the old ones before the first takes its name, so that
 * a full disk or a read-only folder changes nothing. Modes stay; a symlink stays one, and the file that it leads to changes.
 */
export async function rewriteFiles(folder: string, texts: ReadonlyMap<string, string>): Promise<void> {
  const written: { readonly from: string; readonly to: string }[] = [];
  try {
    for (const [path, text] of texts) {
      const to = await realpath(join(folder, path));
      const from = `${to}.${randomUUID()}`;
      written.push({ from, to });
      const { mode } = await stat(to);
      await writeFile(from, text, { flag: 'wx', mode });
    }
    for (const { from, to } of written) await rename(from, to);
  } catch (error) {
    throw fileFault(folder, error);
  } finally {
    for (const { from } of written) await rm(from, { force: true });
  }
}
