import type { RepositoryConfig, StackConfig } from '../contract/config.ts';
import { keys } from '../contract/keys.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { updateDocument } from '../documents.ts';
import { Stop } from '../errors.ts';
import { readersSchema } from '../model/readers.ts';
import type { Git, Store, Worktree } from '../ports.ts';
import { CommitTree } from './commit-tree.ts';

/** Another repository at the head of what it tracks. */
export interface OtherSource {
  readonly worktree: Worktree;
  readonly tree: CommitTree;
}

interface Deps {
  readonly store: Store;
  readonly git: Git;
  readonly config: Pick<StackConfig, 'repositories'>;
}

/**
 * The other repositories that the applications of one read from. Each is asked for its head once, and fetched only when
 * something of it may have changed.
 */
export class OtherSources implements AsyncDisposable {
  readonly #reader: string;
  readonly #deps: Deps;
  readonly #heads = new Map<string, Promise<string>>();
  readonly #opened = new Map<string, Promise<OtherSource>>();

  /** `reader`: the repository whose applications these are. */
  constructor(reader: string, deps: Deps) {
    this.#reader = reader;
    this.#deps = deps;
  }

  /** SHA of the head. Throws Stop for a repository or a ref that is not there. */
  head(name: string): Promise<string> {
    const known = this.#heads.get(name) ?? this.#ask(name);
    this.#heads.set(name, known);
    return known;
  }

  open(name: string): Promise<OtherSource> {
    const known = this.#opened.get(name) ?? this.#open(name);
    this.#opened.set(name, known);
    return known;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of this.#opened.values()) {
      // Whoever asked was told of the failure.
      const source = await opened.catch(() => undefined);
      await source?.worktree[Symbol.asyncDispose]();
    }
  }

  async #ask(name: string): Promise<string> {
    const repository = this.#configOf(name);
    // Before the head is asked for: a push that comes after that finds us here, and has us look again.
    await noteReader(name, this.#reader, this.#deps.store);
    const head = await this.#deps.git.head(repository);
    if (head !== undefined) return head;
    const message = `has no ${trackedRef(repository)}, and applications read from it; nothing of theirs was changed`;
    throw new Stop({ subject: `repository ${name}`, message });
  }

  async #open(name: string): Promise<OtherSource> {
    const worktree = await this.#deps.git.checkout(this.#configOf(name), await this.head(name));
    if (worktree !== undefined) return { worktree, tree: new CommitTree(worktree.ids) };
    const message = 'lost the commit at its head while it was fetched; the next push tries again';
    throw new Stop({ subject: `repository ${name}`, message });
  }

  #configOf(name: string): RepositoryConfig {
    const found = this.#deps.config.repositories.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new Stop({ subject: `repository ${name}`, message: 'is not in the stack configuration' });
  }
}

async function noteReader(name: string, reader: string, store: Store): Promise<void> {
  await updateDocument(store, keys.readers(name), readersSchema, (found) => {
    const readers = found?.readers ?? [];
    if (readers.includes(reader)) return undefined;
    return { version: 1 as const, readers: [...readers, reader].sort() };
  });
}
