import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { placeFrom } from '../adapters/local-worktree.ts';
import { rewriteFiles } from '../adapters/rewrite-files.ts';
import { parseImage } from '../core/images/image-reference.ts';
import { titleOf } from '../core/images/describe-update.ts';
import { filesWith, planImageUpdate, type ImageUpdate } from '../core/images/plan-update.ts';
import { followingApplications } from '../core/images/read-applications.ts';
import { Stop } from '../core/errors.ts';
import type { Worktree } from '../core/ports.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { callersFolder } from './local-session.ts';
import { openFolder, tellingPlaces } from './local-source.ts';
import { table, type Report } from './report.ts';

export interface ImageOptions {
  readonly dir: string;
  readonly dryRun?: boolean;
}

/** Makes the edits in a checkout that a push of this image asks for; with `dryRun` they are only told. */
export async function image(reference: string, { dir, dryRun = false }: ImageOptions): Promise<Report> {
  const pushed = parseImage(reference);
  if (pushed?.tag === undefined)
    throw new CliError(`${reference}: is no REPOSITORY:TAG or REPOSITORY:TAG@sha256:DIGEST.`);
  const { repository, tag, digest } = pushed;
  const { worktree, path } = await openFolder(dir);
  // Applications name paths from the root of their repository; a folder without Git is its own root.
  const root = existsSync(join(worktree.directory, '.git')) ? '.' : path;
  const directory = join(worktree.directory, root);
  const update = await tellingPlaces({ directory }, async () => {
    const files = await yamlFiles(worktree, path, root);
    const { applications, faults } = followingApplications(files);
    const named = { repository, tag, ...(digest !== undefined && { digest }) };
    const planned = planImageUpdate({ files, applications, images: [named] });
    const all = [...faults, ...planned.faults];
    const [first] = all;
    if (first !== undefined) throw new Stop(first, all);
    return { ...planned, files: filesWith(files, planned.changes) };
  });
  if (!dryRun) await rewriteFiles(directory, update.files);
  return reportOf(update, reference, placeFrom(callersFolder(), directory));
}

/** Hidden folders hold no manifests that anybody deploys. */
async function yamlFiles(
  worktree: Worktree,
  folder: string,
  root: string,
): Promise<ReadonlyMap<string, string>> {
  const paths = await worktree.files(folder);
  const below = folder === '.' ? 0 : folder.split('/').length;
  const isManifest = (path: string): boolean => {
    const parts = path.split('/').slice(below);
    return (
      /(?:\.ya?ml|(?:^|\/)Kustomization)$/.test(path) &&
      !parts.some((part) => part.startsWith('.') || part === 'node_modules')
    );
  };
  const texts = new Map<string, string>();
  const skipped = root === '.' ? 0 : root.length + 1;
  for (const path of paths.filter(isManifest)) texts.set(path.slice(skipped), await worktree.text(path));
  return texts;
}

function reportOf(
  { changes, left }: Pick<ImageUpdate, 'changes' | 'left'>,
  reference: string,
  place: (subject: string) => string,
): Report {
  const told = changes.map(({ policy, place: at, from, to }) => ({ policy, place: place(at), from, to }));
  const rows = told.map(({ policy, place: at, from, to }) => [policy, at, from, to]);
  const nobody = changes.length + left.length === 0;
  const notes = left.map(({ policy, reason }) => `${policy}: ${reason}`);
  return {
    data: { image: reference, ...(rows.length > 0 && { title: titleOf(changes) }), changes: told, left },
    text: rows.length === 0 ? 'Nothing to change.' : table(['POLICY', 'PLACE', 'FROM', 'TO'], rows),
    notes: nobody ? [`Nobody follows ${reference}; an Application does with spec.images.`] : notes,
    exitCode: nobody ? exitCodes.found : exitCodes.ok,
  };
}
