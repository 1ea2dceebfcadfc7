import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryConfig } from '../core/contract/config.ts';
import type { PlacedCommit } from '../core/preview-ports.ts';
import { runGit, type GitResult } from './git-command.ts';
import { isMissingCommit, isRefusal, isUnadvertised } from './git-fault.ts';
import { outputOf, type GitTools } from './git-repository.ts';

/** So many commits back from each side, and then further: most pull requests are young. */
const depths = [30, 300, 3000];
const fetch = ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules', '--filter=tree:0'];

/**
 * The newest commit that is in the history of both; undefined where one of them is not there, or none is found. `root`: an
 * empty folder, ours to wipe. Only commits are fetched, without trees and files, where the host can leave those out.
 */
export async function mergeBase(
  repository: RepositoryConfig,
  commits: readonly [PlacedCommit, PlacedCommit],
  { root, tools }: { readonly root: string; readonly tools: GitTools },
): Promise<string | undefined> {
  const place = { gitDirectory: join(root, 'git'), workTree: join(root, 'tree') };
  await mkdir(place.gitDirectory);
  await mkdir(place.workTree);
  const { path, limits } = tools;
  const git = async (args: readonly string[], remote?: Parameters<typeof runGit>[0]['remote']) =>
    runGit({ directory: root, repository: place, args, path, limits, ...(remote && { remote }) });
  const reach = async (args: readonly string[]): Promise<GitResult> => {
    await using access = await tools.accesses.open(repository);
    const result = await git(args, access);
    if (result.kind === 'failed' && isRefusal(result.stderr)) tools.accesses.forget(repository);
    return result;
  };
  outputOf(repository, await git(['init', '--quiet']), limits.seconds);
  await mkdir(join(place.gitDirectory, 'objects', 'pack'), { recursive: true });
  const [one, other] = commits;
  for (const depth of depths) {
    const deepened = [...fetch, `--depth=${depth}`, 'origin'];
    let fetched = await reach([...deepened, one.sha, other.sha]);
    const refs = commits.flatMap(({ ref }) => ref ?? []);
    if (fetched.kind === 'failed' && isUnadvertised(fetched.stderr) && refs.length === commits.length)
      fetched = await reach([...deepened, ...refs]);
    // Too much to look at for what it is worth: the caller has another commit to compare with.
    if (fetched.kind === 'limit') return undefined;
    if (fetched.kind === 'failed' && isMissingCommit(fetched.stderr)) return undefined;
    outputOf(repository, fetched, limits.seconds);
    const found = await git(['merge-base', one.sha, other.sha]);
    const sha = found.kind === 'done' ? found.output.trim() : '';
    if (/^[0-9a-f]{40}$/.test(sha)) return sha;
  }
  return undefined;
}
