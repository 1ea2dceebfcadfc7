import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryConfig } from '../core/contract/config.ts';
import { Blocked, faultsOf } from '../core/errors.ts';
import { addressOf, isSameAddress, resolveAddress } from './git-address.ts';
import { GitRepository, type GitTools, type TreeEntry } from './git-repository.ts';

/** A commit, and where it goes in the tree: `` for the checkout itself, else the path of a submodule and a slash. */
export interface Part {
  readonly source: GitRepository;
  readonly sha: string;
  readonly prefix: string;
  /** Paths within the part. */
  readonly entries: readonly TreeEntry[];
}

export interface Submodules {
  readonly parts: readonly Part[];
  /** Why some submodules are not checked out, by path. */
  readonly gaps: ReadonlyMap<string, string>;
}

export interface SubmoduleOptions {
  /** Scratch folder of the checkout, and the folder for its files. */
  readonly root: string;
  readonly directory: string;
  /** Repositories that submodules may lead to. */
  readonly declared: readonly RepositoryConfig[];
  readonly tools: GitTools;
}

export const submoduleMode = '160000';
const deepest = 4;
const most = 50;

interface Module {
  readonly path: string;
  readonly url: string;
  readonly update: string | undefined;
}

/**
 * Fetches the commits that a part's submodules are pinned to, and those of their submodules. What is not allowed becomes
 * a gap with its reason, so that only who reads there is refused. Throws Retry where a host is out of reach.
 */
export async function submodulesOf(part: Part, options: SubmoduleOptions): Promise<Submodules> {
  const parts: Part[] = [];
  const gaps = new Map<string, string>();
  const enter = async (parent: Part, depth: number): Promise<void> => {
    const links = parent.entries.filter(({ mode }) => mode === submoduleMode);
    if (links.length === 0) return;
    const modules = await modulesOf(parent);
    for (const { path, id } of links) {
      const place = `${parent.prefix}${path}`;
      const target =
        depth >= deepest
          ? `is nested deeper than ${deepest} levels`
          : targetOf(parent, path, modules, options);
      const found =
        typeof target === 'string' || parts.length >= most
          ? `is a submodule that ${typeof target === 'string' ? target : `is one of more than ${most}`}`
          : await partAt(place, id, target, parts.length, options);
      if (typeof found === 'string') {
        gaps.set(place, found);
        continue;
      }
      parts.push(found);
      await enter(found, depth + 1);
    }
  };
  await enter(part, 0);
  return { parts, gaps };
}

async function modulesOf({ source, entries }: Part): Promise<readonly Module[]> {
  const file = entries.find(({ path, mode }) => path === '.gitmodules' && mode.startsWith('100'));
  if (file === undefined) return [];
  await source.fetchBlobs([file.id]);
  const modules = new Map<string, Record<string, string>>();
  for (const [key, value] of await source.settings(file.id)) {
    const [, name, field] = /^submodule\.([^]*)\.(path|url|update)$/.exec(key) ?? [];
    if (name === undefined || field === undefined) continue;
    modules.set(name, { ...modules.get(name), [field]: value });
  }
  return [...modules.values()].map(({ path = '', url = '', update }) => ({ path, url, update }));
}

/** The repository that a submodule leads to, as it is to be read; or why it is not. */
function targetOf(
  { source }: Part,
  path: string,
  modules: readonly Module[],
  { declared }: SubmoduleOptions,
): RepositoryConfig | string {
  const module = modules.find((one) => one.path === path);
  if (module === undefined || module.url === '') return 'has no url in .gitmodules';
  if (module.update?.startsWith('!') === true)
    return 'has a command as its `update` in .gitmodules; remove it';
  const { repository } = source;
  const shown = module.url.slice(0, 200).replaceAll(/\/\/[^/]*@/g, '//');
  const own = addressOf(repository.url);
  const address = own === undefined ? undefined : resolveAddress(module.url, own);
  if (own === undefined || address === undefined) {
    return `leads to ${shown}, which is no https:// or ssh:// address of a repository`;
  }
  const known = declared.find(({ url }) => isSameAddress(addressOf(url), address));
  if (known !== undefined) return { ...known, submodules: true };
  const owner = own.path.slice(0, own.path.lastIndexOf('/') + 1);
  if (owner === '/' || own.host !== address.host || !address.path.startsWith(owner)) {
    return `leads to ${shown}, which is neither a repository of the stack configuration nor below ${own.host}${owner}`;
  }
  // By the way in that its neighbour is read, whatever .gitmodules says of user, port or protocol.
  const url = repository.url.replace(/^([a-z]+:\/\/[^/]+)\/.*$/, `$1${address.path}`);
  return { ...repository, name: `${repository.name}/${path}`, url };
}

async function partAt(
  place: string,
  sha: string,
  repository: RepositoryConfig,
  index: number,
  { root, directory, tools }: SubmoduleOptions,
): Promise<Part | string> {
  const workTree = join(directory, place);
  // Before anything else is on disk, so that no symlink is on the way.
  await mkdir(workTree, { recursive: true });
  try {
    const source = await GitRepository.open({ repository, root, name: `git-${index}`, workTree }, tools);
    if (!(await source.fetchCommit(sha, ''))) {
      return `is a submodule at commit ${sha.slice(0, 7)}, which ${repository.url} does not have; push it there`;
    }
    return { source, sha, prefix: `${place}/`, entries: await source.entries(sha) };
  } catch (error) {
    const [fault] = error instanceof Blocked ? (faultsOf(error) ?? []) : [];
    if (fault === undefined) throw error;
    return `is a submodule that cannot be read: ${fault.message}`;
  }
}
