import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { parseStackConfig } from '../core/contract/config.ts';
import type { StackConfig } from '../core/contract/config.ts';

const contextSchema = z.object({
  config: z.string().min(1).optional(),
  snapshotPackaging: z
    .enum(['image', 'zip'], 'must be image (for AWS) or zip (for a local deployment)')
    .default('image'),
  hookConcurrency: z
    .union([z.literal('none'), z.coerce.number().int().min(1)], 'must be a number of 1 or more, or none')
    .default(10),
  removal: z
    .enum(
      ['keep', 'destroy'],
      'must be keep or destroy: what becomes of the bucket and the key with the stack',
    )
    .default('keep'),
});

/** What `cdk synth` and `cdk deploy` are told: the stack configuration and the context values (`-c name=value`). */
export interface Settings {
  readonly config: StackConfig;
  readonly snapshotPackaging: 'image' | 'zip';
  /** Undefined: nothing reserved. */
  readonly hookConcurrency: number | undefined;
  /** What becomes of the bucket and the sealing key when the stack is removed. */
  readonly removal: 'keep' | 'destroy';
}

/** What is wrong with the settings, every fault in one text for a person; nothing of it is a fault of the program. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

async function readConfig(file: string | undefined): Promise<unknown> {
  if (file === undefined) return (await import('./config.ts')).default;
  try {
    if (file.endsWith('.json')) return JSON.parse(await readFile(file, 'utf8'));
    const module: unknown = await import(pathToFileURL(path.resolve(file)).href);
    if (typeof module !== 'object' || module === null || !('default' in module)) {
      throw new Error('it has no default export');
    }
    return module.default;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`cannot read the stack configuration ${file}: ${reason}`, { cause });
  }
}

async function faultsOf<T>(parse: () => Promise<T>, faults: string[]): Promise<T | undefined> {
  try {
    return await parse();
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** Throws SettingsError, which names the faults of the context and of the configuration together. */
export async function readSettings(context: (name: string) => unknown): Promise<Settings> {
  const faults: string[] = [];
  const names = Object.keys(contextSchema.shape);
  const parsed = contextSchema.safeParse(Object.fromEntries(names.map((name) => [name, context(name)])));
  for (const { path: where, message } of parsed.error?.issues ?? []) {
    faults.push(`context value ${where.join('.')}: ${message}`);
  }
  const file = parsed.data?.config ?? z.string().optional().catch(undefined).parse(context('config'));
  const config = await faultsOf(async () => parseStackConfig(await readConfig(file)), faults);
  if (config === undefined || parsed.data === undefined) throw new SettingsError(faults.join('\n'));
  const { snapshotPackaging, hookConcurrency, removal } = parsed.data;
  return {
    config,
    snapshotPackaging,
    removal,
    hookConcurrency: hookConcurrency === 'none' ? undefined : hookConcurrency,
  };
}
