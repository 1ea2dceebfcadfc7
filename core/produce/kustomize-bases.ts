import { baseRepository, type BaseSource } from '../contract/base-sources.ts';
import { Stop } from '../errors.ts';
import type { Git, Worktree } from '../ports.ts';
import type { FoundBase } from '../render/context.ts';

/** Bases of other repositories for the kustomizations of one commit, each checked out once. Disposing wipes them. */
export class KustomizeBases implements AsyncDisposable {
  readonly #sources: readonly BaseSource[];
  readonly #git: Pick<Git, 'checkout'>;
  readonly #worktrees = new Map<string, Promise<Worktree | undefined>>();

  constructor(sources: readonly BaseSource[], git: Pick<Git, 'checkout'>) {
    this.#sources = sources;
    this.#git = git;
  }

  /** Undefined for what is not declared. Throws Stop for what is not pinned or not there, Blocked and Retry as Git does. */
  async find(address: string): Promise<FoundBase | undefined> {
    const { place, sha } = parseAddress(address);
    const base = this.#declared(place);
    if (base === undefined) return undefined;
    const subject = base.source.url;
    if (!/^[0-9a-f]{40}$/.test(sha)) {
      const message = 'must be pinned with ?ref= and a full SHA of 40 digits, since branches and tags move';
      throw new Stop({ subject, message });
    }
    const worktree = await this.#checkout(base.source, sha);
    if (worktree === undefined) throw new Stop({ subject, message: `has no commit ${sha}` });
    return { worktree, name: `${nameOf(base.source)}@${sha.slice(0, 12)}`, path: base.path };
  }

  /** The url, as it is declared, of the repository that an address means. Asks nobody. */
  repositoryOf(address: string): string | undefined {
    return this.#declared(parseAddress(address).place)?.source.url;
  }

  #declared(place: string): { readonly source: BaseSource; readonly path: string } | undefined {
    const found = this.#sources.flatMap((source) => {
      const path = pathBelow(place, parseAddress(source.url).place);
      return path === undefined ? [] : [{ source, path }];
    });
    // The longest, should one repository's address begin with another's.
    return found.sort((a, b) => b.source.url.length - a.source.url.length)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worktree of this.#worktrees.values()) {
      // Whoever asked for it was told of the failure.
      await (await worktree.catch(() => undefined))?.[Symbol.asyncDispose]();
    }
  }

  #checkout(source: BaseSource, sha: string): Promise<Worktree | undefined> {
    const key = `${source.url} ${sha}`;
    const known = this.#worktrees.get(key);
    if (known !== undefined) return known;
    const worktree = this.#git.checkout(baseRepository(source, sha), sha);
    this.#worktrees.set(key, worktree);
    return worktree;
  }
}

/** `git::https://user@host/a/b.git//c?ref=x`, `git@host:a/b//c`, `github.com/a/b` in one form: `host/a/b.git//c`. */
function parseAddress(address: string): { readonly place: string; readonly sha: string } {
  const [before = '', after = ''] = address.split(/\?(.*)/s);
  const place = before
    .replace(/^git::/i, '')
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .replace(/^[^/@]*@/, '')
    .replace(/^([^/:]+):(?!\d+\/)/, '$1/')
    .replace(/^[^/]+/, (host) => host.toLowerCase());
  const [, sha = ''] = /(?:^|&)(?:ref|version)=([^&]*)/.exec(after) ?? [];
  return { place, sha };
}

/** What stands behind the address of a repository; undefined when another one is meant. */
function pathBelow(place: string, repository: string): string | undefined {
  const name = repository.replace(/\.git$/, '');
  const rest = place.startsWith(name) ? place.slice(name.length).replace(/^\.git(?=\/|$)/, '') : undefined;
  if (rest === undefined || !/^(?:\/|$)/.test(rest)) return undefined;
  const parts = rest.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? undefined : parts.join('/') || '.';
}

function nameOf({ url }: BaseSource): string {
  return parseAddress(url)
    .place.replace(/^[^/]*\/+/, '')
    .replace(/\.git$/, '');
}
