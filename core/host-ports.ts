import type { RepositoryConfig } from './contract/repository.ts';

/** A pull request (GitLab: merge request) as its host has it now. */
export interface PullRequest {
  /** As the host counts them: a number as text; GitLab's `iid`. */
  readonly id: string;
  /** Where a person reads it. */
  readonly url: string;
  readonly state: 'open' | 'merged' | 'closed';
  readonly title: string;
  readonly author?: string;
  readonly head: {
    readonly branch: string;
    readonly sha: string;
    /** Of another repository: whoever wrote it need not be trusted with this one. */
    readonly isFork: boolean;
  };
  readonly base: { readonly branch: string };
  readonly labels: readonly string[];
}

/** So many are listed at most: where a list is as long, there may be others. */
export const mostOpenPulls = 100;

/** What is to stand in a pull request from a branch that is pushed already. */
export interface Proposal {
  readonly branch: string;
  readonly into: string;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  /** Left out where the host has none. */
  readonly labels?: readonly string[];
}

/** One of ours in the text of a comment, so that it is found again and kept current. */
export interface MarkedComment {
  /** A Markdown comment with which the text begins, such as `<!-- trueup: preview -->`. */
  readonly mark: string;
  readonly text: string;
}

/** What stands at a commit under a name of its own; can be required before a merge. */
export interface CommitStatus {
  readonly context: string;
  /** `overtaken`: another commit came before it was done; as hosts have it, cancelled, and where they have not, an error. */
  readonly state: 'pending' | 'success' | 'failure' | 'overtaken';
  /** Cut to what the host takes (140 characters at GitHub). */
  readonly description: string;
  readonly url?: string;
}

/** One environment that gets a commit; hosts without a deployments API keep nothing of it. */
export interface Deployment {
  readonly environment: string;
  readonly ref: string;
  readonly sha: string;
  readonly state: 'pending' | 'in_progress' | 'success' | 'failure' | 'inactive';
  readonly description: string;
  readonly url?: string;
}

/** A person's consent to a pull request as it stands. */
export interface Approval {
  readonly by: string;
  /** Commit that was looked at, where the host tells. */
  readonly sha?: string;
}

/**
 * The API of the host of a repository. Everything may be asked twice: what stands there already is left as it is.
 * Throws Blocked (no such right, no such repository, host without pull requests) and Retry (busy, rate limit, with the time
 * at which it is over where the host says).
 */
export interface GitHost {
  /** Opens it; where one from that branch is open, title and text are brought up to date. */
  propose(repository: RepositoryConfig, proposal: Proposal): Promise<PullRequest>;
  /** Undefined where there is none with that id. */
  pullRequest(repository: RepositoryConfig, id: string): Promise<PullRequest | undefined>;
  /** The newest from a branch of the repository itself, whatever its state. */
  pullRequestFrom(repository: RepositoryConfig, branch: string): Promise<PullRequest | undefined>;
  /** Those that are open, at most the newest hundred (`mostOpenPulls`). */
  openPullRequests(repository: RepositoryConfig): Promise<readonly PullRequest[]>;
  /** Without merging it. */
  close(repository: RepositoryConfig, id: string): Promise<void>;
  comment(repository: RepositoryConfig, id: string, comment: MarkedComment): Promise<'written' | 'unchanged'>;
  status(repository: RepositoryConfig, sha: string, status: CommitStatus): Promise<void>;
  /** `unsupported` where the host has no such thing. */
  deployment(repository: RepositoryConfig, deployment: Deployment): Promise<'recorded' | 'unsupported'>;
  /** Those that hold: not taken back, and of who may approve where the host tells. */
  approvals(repository: RepositoryConfig, id: string): Promise<readonly Approval[]>;
}
