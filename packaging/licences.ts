import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { manifest } from './manifest.ts';

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      dev: z.boolean().optional(),
      optional: z.boolean().optional(),
      peer: z.boolean().optional(),
    }),
  ),
});

/**
 * The licences of all that may be bundled, which their authors ask to be passed on. By the lock file, which names more than
 * is bundled and nothing less; each text once, below the packages that it holds for.
 */
export function licences(root: string): string {
  const { packages } = lockSchema.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
  const told = Object.entries(packages).flatMap(([folder, { version, license, dev, optional, peer }]) => {
    const name = folder.replace(/^.*node_modules\//, '');
    if (folder === '' || dev === true || optional === true || peer === true) return [];
    if (name in manifest.peerDependencies || folder.includes('/aws-cdk-lib/')) return [];
    return [{ title: `${name} ${version} (${license ?? 'see below'})`, text: licenceIn(join(root, folder)) }];
  });
  return [...Map.groupBy(told, ({ text }) => text)]
    .map(([text, those]) => `${those.map(({ title }) => title).join('\n')}\n\n${text}\n`)
    .join(`\n${'-'.repeat(80)}\n\n`);
}

function licenceIn(folder: string): string {
  const files = globSync('{LICENSE,LICENCE,License,license,NOTICE}*', { cwd: folder }).toSorted();
  return [...new Set(files)].map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n');
}
