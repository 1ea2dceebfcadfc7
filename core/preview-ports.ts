import type { ClusterAsk, PreviewDue, PreviewLook } from './contract/events.ts';
import type { RepositoryConfig } from './contract/repository.ts';

/** A commit, and a full name of a ref that should lead there, for hosts that give no commit by its SHA. */
export interface PlacedCommit {
  readonly sha: string;
  readonly ref?: string | undefined;
}

/** What Git knows of how commits follow each other. Throws Blocked, Retry and Stop as `Git` does. */
export interface GitHistory {
  /**
   * The newest commit that both have in their history; undefined where the host has not both, or where none is found
   * within a few thousand commits.
   */
  mergeBase(
    repository: RepositoryConfig,
    one: PlacedCommit,
    other: PlacedCommit,
  ): Promise<string | undefined>;
  /** Whether a branch of the repository itself, none of a fork, is at this commit. */
  isTip(repository: RepositoryConfig, sha: string): Promise<boolean>;
}

/** Where previews ask: clusters by way of the function that checks them, and themselves. */
export interface PreviewQueues {
  /** On a queue of their own: what pull requests ask must not hold up the checks. */
  ask(request: ClusterAsk): Promise<void>;
  /** 0 to 900 seconds from now. */
  preview(request: PreviewDue | PreviewLook, delaySeconds: number): Promise<void>;
}
