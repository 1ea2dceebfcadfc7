import type { Approval, CommitStatus, Deployment, Proposal, PullRequest } from '../../core/host-ports.ts';

/** A pull request with its text, so that an unchanged one is not written again. */
export interface HostPull extends PullRequest {
  readonly body: string;
}

export interface HostComment {
  readonly id: string;
  readonly text: string;
  /** Of the account that our token belongs to; undefined where the host tells nobody's account. */
  readonly isOwn: boolean | undefined;
  /** Where the host wants it back with a change. */
  readonly version?: number;
}

/** What one host does for one repository, each a request or few; what is built of them is in `GitHosts`. */
export interface HostApi {
  /** What the host keeps, in characters. */
  readonly longest: { readonly title: number; readonly body: number; readonly comment: number };
  /** How the first line of a comment hides its mark; HTML comments are shown by some hosts. */
  readonly markOf: (mark: string) => string;
  pull(id: string): Promise<HostPull | undefined>;
  /** Newest first; from branches of forks too where no branch is asked for. */
  pulls(query: { readonly state: 'open' | 'all'; readonly branch?: string }): Promise<readonly HostPull[]>;
  /** `exists` where somebody else opened it since we looked. */
  create(proposal: Proposal): Promise<HostPull | 'exists'>;
  rewrite(pull: HostPull, proposal: Proposal): Promise<void>;
  /** Adds labels, made where the repository has none of that name; absent: the host has none. */
  readonly label?: (id: string, labels: readonly string[]) => Promise<void>;
  close(pull: HostPull): Promise<void>;
  comments(id: string): Promise<readonly HostComment[]>;
  addComment(id: string, text: string): Promise<void>;
  /** `foreign` where the host says that only its author may change it. */
  editComment(id: string, comment: HostComment, text: string): Promise<'written' | 'foreign'>;
  /** Absent: the host keeps none. */
  readonly status?: (sha: string, status: CommitStatus) => Promise<void>;
  readonly deployment?: (deployment: Deployment) => Promise<void>;
  approvals(pull: HostPull): Promise<readonly Approval[]>;
}

/** Hidden on GitHub, GitLab, Gitea, Forgejo and Azure DevOps. */
export function htmlMark(mark: string): string {
  return mark;
}

/** A link that nothing refers to: hidden where HTML is shown as text. */
export function linkMark(mark: string): string {
  const words = mark.replace(/^<!--\s*|\s*-->$/g, '').replaceAll(/[()]/g, '');
  return `[//]: # (${words})\n`;
}
