import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** Digest of a program file: a function is bundled into one, so that another digest is another program. */
export async function buildOf(file: string): Promise<string> {
  return hash('sha256', await readFile(file));
}
