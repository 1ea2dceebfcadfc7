import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { CliError } from './cli-error.ts';
import { callersFolder } from './local-session.ts';
import type { Report } from './report.ts';

const template = resolve(import.meta.dirname, '../examples/quickstart');

/** A configuration repository to begin with, in an empty folder. Throws CliError where there is something already. */
export async function init(folder: string): Promise<Report> {
  const into = resolve(callersFolder(), folder);
  const there = await namesIn(into);
  if (there.length > 0) {
    throw new CliError(
      `${folder} is not empty (${there[0]}). Name a folder that is empty, or not there yet.`,
    );
  }
  await mkdir(into, { recursive: true });
  await cp(template, into, { recursive: true });
  // It tells of this repository, and not of the new one.
  await rm(join(into, 'README.md'));
  await Promise.all(
    (await readdir(join(into, 'applications'))).map(async (name) => withoutSchema(into, name)),
  );
  const written = (await readdir(into, { recursive: true, withFileTypes: true })).filter((one) =>
    one.isFile(),
  );
  const files = written.map(({ parentPath, name }) => relative(into, join(parentPath, name))).sort();
  return { data: { folder: into, files }, text: textOf(folder, files) };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => name !== '.git');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') throw new CliError(`${folder} is a file. Name a folder.`, { cause });
    throw cause;
  }
}

/** Its path leads to nothing outside this repository. */
async function withoutSchema(into: string, name: string): Promise<void> {
  const file = join(into, 'applications', name);
  await writeFile(file, (await readFile(file, 'utf8')).replace(/^# yaml-language-server:.*\n/, ''));
}

function textOf(folder: string, files: readonly string[]): string {
  return `${files.map((file) => join(folder, file)).join('\n')}

Next:
  1. trueup validate --dir ${folder}
  2. change applications/*.yaml: the clusters (here those labelled environment: production), the path, the drift policy
  3. without AWS: trueup plan ${join(folder, 'apps/storefront')} --app storefront --store file:state
  4. with AWS: git init, commit and push it, and name it under repositories of the stack configuration`;
}
