import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseStackConfig, type StackConfig } from '../core/contract/config.ts';
import { messageOf } from '../core/errors.ts';
import { CliError } from './cli-error.ts';
import { callersFolder } from './local-session.ts';

/** Stack configuration in JSON or YAML, as a person names the file. Throws CliError with every fault. */
export async function readStackConfig(file: string): Promise<StackConfig> {
  const text = (await readBytes(file)).toString('utf8');
  const { readYaml } = await import('../core/yaml/read-yaml.ts');
  const [document, ...more] = readYaml(file, text);
  if (document === undefined || more.length > 0)
    throw new CliError(`${file}: it must hold one stack configuration.`);
  try {
    return parseStackConfig(document.value);
  } catch (cause) {
    throw new CliError(`${file}: ${messageOf(cause)}`, { cause });
  }
}

export async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(resolve(callersFolder(), file));
  } catch (cause) {
    throw new CliError(`Cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}
