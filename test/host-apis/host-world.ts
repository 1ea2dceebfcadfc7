export interface WorldPull {
  readonly number: number;
  title: string;
  body: string;
  state: 'open' | 'merged' | 'closed';
  readonly branch: string;
  readonly into: string;
  sha: string;
  readonly isFork: boolean;
  readonly author: string;
  labels: string[];
  version: number;
}

export interface WorldComment {
  readonly id: number;
  readonly pull: number;
  readonly author: string;
  text: string;
  version: number;
}

export interface WorldStatus {
  readonly sha: string;
  readonly context: string;
  readonly state: string;
  readonly description: string;
  readonly url?: string | undefined;
  /** Of a pull request, at hosts that tell these apart. */
  readonly pull?: number;
}

export interface WorldReview {
  readonly pull: number;
  readonly by: string;
  readonly verdict: 'approved' | 'changes' | 'commented' | 'dismissed';
  readonly sha: string;
  /** Whether the reviewer may write to the repository. */
  readonly mayWrite: boolean;
}

/** What stands at a Git host about one repository, behind whichever API is asked. */
export class HostWorld {
  /** The account that our token belongs to. */
  readonly self = 'trueup';
  readonly pulls: WorldPull[] = [];
  readonly comments: WorldComment[] = [];
  readonly statuses: WorldStatus[] = [];
  readonly deployments: { id: number; environment: string; sha: string; states: string[] }[] = [];
  readonly reviews: WorldReview[] = [];
  readonly labels: { readonly id: number; readonly name: string }[] = [{ id: 1, name: 'bug' }];
  /** Branches that are gone, as after a merge. */
  readonly deleted = new Set<string>();
  /** The token may not see the repository. */
  isHidden = false;
  /** Where a branch is when a pull request is opened from it. */
  headOf: (branch: string) => string = shaOf;
  #numbers = 0;

  open(pull: Partial<WorldPull> & { readonly branch: string }): WorldPull {
    this.#numbers += 1;
    const opened: WorldPull = {
      number: this.#numbers,
      title: `Change of ${pull.branch}`,
      body: '',
      state: 'open',
      into: 'main',
      sha: this.headOf(pull.branch),
      isFork: false,
      author: 'ada',
      labels: [],
      version: 0,
      ...pull,
    };
    this.pulls.push(opened);
    return opened;
  }

  find(number: unknown): WorldPull | undefined {
    return this.pulls.find((pull) => String(pull.number) === String(number));
  }

  /** Newest first. */
  list({ state, branch }: { state: 'open' | 'all'; branch?: string | undefined }): readonly WorldPull[] {
    const isWanted = (pull: WorldPull) =>
      (state === 'all' || pull.state === 'open') && (branch === undefined || pull.branch === branch);
    return this.pulls.filter(isWanted).toReversed();
  }

  twin(branch: string, into: string): WorldPull | undefined {
    return this.list({ state: 'open', branch }).find((pull) => pull.into === into && !pull.isFork);
  }

  comment(pull: number, author: string, text: string): WorldComment {
    const comment = { id: this.comments.length + 101, pull, author, text, version: 0 };
    this.comments.push(comment);
    return comment;
  }

  commentsOf(pull: unknown): readonly WorldComment[] {
    return this.comments.filter((comment) => String(comment.pull) === String(pull));
  }

  labelled(name: string): { readonly id: number; readonly name: string } {
    const known = this.labels.find((label) => label.name === name);
    if (known !== undefined) return known;
    const made = { id: this.labels.length + 1, name };
    this.labels.push(made);
    return made;
  }
}

/** A full SHA that shows what it is of. */
export function shaOf(text: string): string {
  return Buffer.from(text).toString('hex').padEnd(40, '0').slice(0, 40);
}

/** Number of an account. */
export function idOf(login: string): number {
  return Buffer.from(login).reduce((sum, byte) => (sum * 31 + byte) % 100_003, 7);
}
