import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileFault, hasCode } from '../adapters/file-fault.ts';
import { SopsOnDemand } from '../adapters/sops-on-demand.ts';
import type { SopsOpener } from '../core/ports.ts';

/**
 * Opens files with the keys that `sops` itself would find: age identities in SOPS_AGE_KEY, SOPS_AGE_KEY_FILE or
 * `sops/age/keys.txt` of the user's configuration, and whatever KMS keys the AWS credentials may use. `from`: where
 * relative paths start.
 */
export function localSops(from: string): SopsOpener {
  const remedy = 'name a file of age identities with SOPS_AGE_KEY_FILE, or log in to AWS';
  return new SopsOnDemand({ age: async () => identities(from), kms: 'any', remedy });
}

async function identities(from: string): Promise<string | undefined> {
  const { SOPS_AGE_KEY: text, SOPS_AGE_KEY_FILE: named, XDG_CONFIG_HOME: configured } = process.env;
  const usual = process.platform === 'darwin' ? ['Library', 'Application Support'] : ['.config'];
  const folder = configured || join(homedir(), ...usual);
  const file = named ? resolve(from, named) : join(folder, 'sops', 'age', 'keys.txt');
  const kept = await readFile(file, 'utf8').catch((error: unknown) => {
    if (!named && hasCode(error, 'ENOENT')) return undefined;
    throw fileFault(`age identities ${file}`, error);
  });
  return [text, kept].filter(Boolean).join('\n') || undefined;
}
