import type { RepositoryConfig } from './contract/repository.ts';

/** A commit to be made on top of another one: whole new texts for files that are there, and files as they once were. */
export interface NewCommit {
  /** SHA of the commit that was read. */
  readonly parent: string;
  readonly files: ReadonlyMap<string, string>;
  /** Paths that are to be as another commit of the repository has them; those that it has not go. */
  readonly restore?: { readonly from: string; readonly paths: readonly string[] };
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Secrets Manager name of an armored OpenPGP private key without passphrase; absent: it is not signed. */
  readonly signingKeySecret?: string;
}

export type PushOutcome =
  | { readonly kind: 'pushed'; readonly sha: string }
  /** Somebody else pushed meanwhile: read again, decide again. */
  | { readonly kind: 'moved' };

/** Writes to Git hosts. Throws Blocked (no right to push, protected branch) and Retry. */
export interface GitWriter {
  /**
   * Pushes one commit to a branch that is at `parent`; `replaces`: to one of our own, wherever that is, or only if it is at
   * `expected` (null: not there).
   */
  commit(
    repository: RepositoryConfig,
    commit: NewCommit,
    branch: { readonly name: string; readonly replaces: boolean; readonly expected?: string | null },
  ): Promise<PushOutcome>;
}
