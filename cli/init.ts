import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { CliError } from './cli-error.ts';
import { initApp } from './init-app.ts';
import { initAnswers, type InitOptions } from './init-answers.ts';
import { callersFolder } from './local-session.ts';
import type { Report } from './report.ts';

const template = resolve(import.meta.dirname, '../examples/quickstart');

/**
 * A configuration repository to begin with, and in its folder `cdk` the app that deploys an installation which serves it.
 * Throws CliError where there is something already, and for answers that no installation could have.
 */
export async function init(folder: string, options: InitOptions): Promise<Report> {
  const into = resolve(callersFolder(), folder);
  const there = await namesIn(into);
  if (there.length > 0) {
    throw new CliError(
      `${folder} is not empty (${there[0]}). Name a folder that is empty, or not there yet.`,
    );
  }
  const answers = await initAnswers(into, options);
  await mkdir(into, { recursive: true });
  await cp(template, into, { recursive: true });
  // It tells of this repository, and not of the new one.
  await rm(join(into, 'README.md'));
  await Promise.all(
    (await readdir(join(into, 'applications'))).map(async (name) => withoutSchema(into, name)),
  );
  await initApp(join(into, 'cdk'), answers);
  const written = (await readdir(into, { recursive: true, withFileTypes: true })).filter((one) =>
    one.isFile(),
  );
  const files = written
    .map(({ parentPath, name }) => relative(into, join(parentPath, name)))
    .filter((file) => !file.startsWith('.git/'))
    .sort();
  return { data: { folder: into, files }, text: textOf(folder, files, answers.cluster) };
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

function textOf(folder: string, files: readonly string[], cluster: string): string {
  const app = join(folder, 'cdk');
  return `${files.map((file) => join(folder, file)).join('\n')}

Next:
  1. trueup validate --dir ${folder} --config ${join(app, 'stack.json')}
  2. change applications/*.yaml: the clusters (here those labelled environment: production), the path, the drift policy
  3. without AWS, on the cluster of your kubeconfig: trueup dev ${join(folder, 'apps/storefront')} --app storefront
  4. with AWS: commit all of it and push it, then
       (cd ${app} && npm install && npx cdk deploy)
       trueup grant --cluster ${cluster} --entries | kubectl apply -f -`;
}
