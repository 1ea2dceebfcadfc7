import { createHash } from 'node:crypto';
import type { RepositoryConfig } from '../core/contract/repository.ts';
import { Blocked } from '../core/errors.ts';
import { mostOpenPulls } from '../core/host-ports.ts';
import type {
  Approval,
  CommitStatus,
  Deployment,
  GitHost,
  MarkedComment,
  Proposal,
  PullRequest,
} from '../core/host-ports.ts';

interface Pull extends PullRequest {
  readonly body: string;
}

/** What a test says of a pull request that somebody opened; the rest is made up. */
export interface OpenedPull {
  readonly branch: string;
  readonly into?: string;
  readonly sha?: string;
  readonly title?: string;
  readonly author?: string;
  readonly isFork?: boolean;
  readonly labels?: readonly string[];
}

/** A Git host in memory; its pull requests count from 1 in each repository. */
export class MemoryGitHost implements GitHost {
  readonly #pulls = new Map<string, Pull>();
  /** By `REPOSITORY#ID`: the text of each comment, marks and those of people too. */
  readonly comments = new Map<string, string[]>();
  /** By `REPOSITORY@SHA`, what stands there by context. */
  readonly statuses = new Map<string, Map<string, CommitStatus>>();
  readonly deployments: (Deployment & { readonly repository: string })[] = [];
  /** Which of the comments under a mark is ours: anybody can write a mark. */
  readonly #ownComments = new Map<string, number>();
  readonly #approvals = new Map<string, Approval[]>();
  /** Every call in order, such as `comment fleet#1`; those that changed nothing as well. */
  readonly calls: string[] = [];
  /** Thrown by calls as long as it stands here. */
  fault: Error | undefined;
  /** As at hosts that have no deployments. */
  hasDeployments = true;
  /** SHA of a branch's head, for pull requests that are proposed. */
  headOf: (branch: string) => string = (branch) => createHash('sha1').update(branch).digest('hex');

  /** Somebody opens a pull request; gives its id. */
  open(repository: string, opened: OpenedPull): string {
    const id = String([...this.#pulls.keys()].filter((key) => key.startsWith(`${repository}#`)).length + 1);
    const { branch, into = 'main', sha = this.headOf(branch), isFork = false, labels = [] } = opened;
    const { title = `Change of ${branch}`, author = 'ada' } = opened;
    this.#pulls.set(`${repository}#${id}`, {
      id,
      url: `https://git.example/${repository}/pulls/${id}`,
      state: 'open',
      title,
      body: '',
      author,
      head: { branch, sha, isFork },
      base: { branch: into },
      labels,
    });
    return id;
  }

  /** Somebody changes it: pushes to it, merges it, closes it, labels it. */
  change(repository: string, id: string, change: Partial<Pull>): void {
    this.#pulls.set(`${repository}#${id}`, { ...this.#at(repository, id), ...change });
  }

  approve(repository: string, id: string, approval: Approval): void {
    const key = `${repository}#${id}`;
    this.#approvals.set(key, [...(this.#approvals.get(key) ?? []), approval]);
  }

  /** Somebody comments. */
  say(repository: string, id: string, text: string): void {
    const key = `${repository}#${id}`;
    this.comments.set(key, [...(this.comments.get(key) ?? []), text]);
  }

  /** Text of a pull request, to be looked at. */
  bodyOf(repository: string, id: string): string {
    return this.#at(repository, id).body;
  }

  async propose({ name }: RepositoryConfig, proposal: Proposal): Promise<PullRequest> {
    this.#called(`propose ${name} ${proposal.branch}`);
    const { branch, into, title, body, labels = [] } = proposal;
    const own = this.#of(name).find(
      ({ state, head, base }) =>
        state === 'open' && !head.isFork && head.branch === branch && base.branch === into,
    );
    const id = own?.id ?? this.open(name, { branch, into, author: 'trueup' });
    const now = this.#at(name, id);
    const head = { ...now.head, sha: this.headOf(branch) };
    this.change(name, id, { title, body, head, labels: [...new Set([...now.labels, ...labels])] });
    return shown(this.#at(name, id));
  }

  async pullRequest({ name }: RepositoryConfig, id: string): Promise<PullRequest | undefined> {
    this.#called(`pullRequest ${name}#${id}`);
    const pull = this.#pulls.get(`${name}#${id}`);
    return pull === undefined ? undefined : shown(pull);
  }

  async pullRequestFrom({ name }: RepositoryConfig, branch: string): Promise<PullRequest | undefined> {
    this.#called(`pullRequestFrom ${name} ${branch}`);
    const own = this.#of(name).find(({ head }) => !head.isFork && head.branch === branch);
    return own === undefined ? undefined : shown(own);
  }

  async openPullRequests({ name }: RepositoryConfig): Promise<readonly PullRequest[]> {
    this.#called(`openPullRequests ${name}`);
    const open = this.#of(name).filter(({ state }) => state === 'open');
    return open.slice(0, mostOpenPulls).map(shown);
  }

  async close({ name }: RepositoryConfig, id: string): Promise<void> {
    this.#called(`close ${name}#${id}`);
    if (this.#at(name, id).state === 'open') this.change(name, id, { state: 'closed' });
  }

  async comment(
    { name }: RepositoryConfig,
    id: string,
    { mark, text }: MarkedComment,
  ): Promise<'written' | 'unchanged'> {
    this.#called(`comment ${name}#${id}`);
    this.#at(name, id);
    const key = `${name}#${id}`;
    const comments = this.comments.get(key) ?? [];
    const whole = text.startsWith(mark) ? text : `${mark}\n${text}`;
    const at = this.#ownComments.get(`${key} ${mark}`) ?? comments.length;
    if (comments[at] === whole) return 'unchanged';
    this.comments.set(key, comments.toSpliced(at, 1, whole));
    this.#ownComments.set(`${key} ${mark}`, at);
    return 'written';
  }

  async status({ name }: RepositoryConfig, sha: string, status: CommitStatus): Promise<void> {
    this.#called(`status ${name}@${sha} ${status.context} ${status.state}`);
    const key = `${name}@${sha}`;
    this.statuses.set(key, (this.statuses.get(key) ?? new Map()).set(status.context, status));
  }

  async deployment(
    { name: repository }: RepositoryConfig,
    deployment: Deployment,
  ): Promise<'recorded' | 'unsupported'> {
    this.#called(`deployment ${repository} ${deployment.environment} ${deployment.state}`);
    if (!this.hasDeployments) return 'unsupported';
    const isSame = ({ environment, sha }: Deployment) =>
      environment === deployment.environment && sha === deployment.sha;
    const at = this.deployments.findIndex((one) => one.repository === repository && isSame(one));
    if (at < 0) this.deployments.push({ ...deployment, repository });
    else this.deployments[at] = { ...deployment, repository };
    return 'recorded';
  }

  async approvals({ name }: RepositoryConfig, id: string): Promise<readonly Approval[]> {
    this.#called(`approvals ${name}#${id}`);
    this.#at(name, id);
    return this.#approvals.get(`${name}#${id}`) ?? [];
  }

  #called(call: string): void {
    this.calls.push(call);
    if (this.fault !== undefined) throw this.fault;
  }

  /** Newest first. */
  #of(repository: string): readonly Pull[] {
    const keys = [...this.#pulls].filter(([key]) => key.startsWith(`${repository}#`));
    return keys.map(([, pull]) => pull).toReversed();
  }

  #at(repository: string, id: string): Pull {
    const pull = this.#pulls.get(`${repository}#${id}`);
    if (pull !== undefined) return pull;
    throw new Blocked({ subject: `repository ${repository}`, message: `has no pull request ${id}` });
  }
}

function shown({ body: _body, ...pull }: Pull): PullRequest {
  return pull;
}
