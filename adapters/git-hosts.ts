import type { RepositoryConfig } from '../core/contract/repository.ts';
import { Blocked } from '../core/errors.ts';
import { mostOpenPulls } from '../core/host-ports.ts';
import type { Approval, CommitStatus, Deployment, GitHost } from '../core/host-ports.ts';
import type { MarkedComment, Proposal, PullRequest } from '../core/host-ports.ts';
import type { Clock, Secrets } from '../core/ports.ts';
import type { HostApi, HostPull } from './hosts/host-api.ts';
import { cutLine, cutMarkdown } from './hosts/host-text.ts';
import { HostTokens } from './hosts/host-token.ts';
import { openHost, type OpenHostOptions } from './hosts/open-host.ts';

export interface GitHostsOptions extends Omit<OpenHostOptions, 'tokens'> {
  readonly secrets: Secrets;
  readonly clock: Pick<Clock, 'now'>;
}

/** Every Git host: asks the API of the one that a repository is on, by its `provider`. */
export class GitHosts implements GitHost {
  readonly #options: OpenHostOptions;

  constructor({ secrets, ...options }: GitHostsOptions) {
    this.#options = { ...options, tokens: new HostTokens(secrets, options.clock) };
  }

  async propose(repository: RepositoryConfig, whole: Proposal): Promise<PullRequest> {
    const api = await this.#open(repository, 'pulls');
    const { title, body } = api.longest;
    const proposal = { ...whole, title: cutLine(whole.title, title), body: cutMarkdown(whole.body, body) };
    const found = await openPull(api, proposal);
    const opened = found ?? (await api.create(proposal));
    // Somebody was quicker: most of all an earlier try of our own whose answer was lost.
    const pull = opened === 'exists' ? await openPull(api, proposal) : opened;
    if (pull === undefined) {
      const message = `its host says that a pull request from ${proposal.branch} is open, and shows none; look there`;
      throw new Blocked({ subject: `repository ${repository.name}`, message });
    }
    const isCurrent = pull.title === proposal.title && plain(pull.body) === plain(proposal.body);
    if (!isCurrent) await api.rewrite(pull, proposal);
    const missing = (proposal.labels ?? []).filter((label) => !pull.labels.includes(label));
    if (missing.length > 0) await api.label?.(pull.id, missing);
    const labels = api.label === undefined ? pull.labels : [...pull.labels, ...missing];
    return shown({ ...pull, title: proposal.title, labels });
  }

  async pullRequest(repository: RepositoryConfig, id: string): Promise<PullRequest | undefined> {
    const pull = await pullOf(await this.#open(repository, 'pulls'), id);
    return pull === undefined ? undefined : shown(pull);
  }

  async pullRequestFrom(repository: RepositoryConfig, branch: string): Promise<PullRequest | undefined> {
    const api = await this.#open(repository, 'pulls');
    const pull = (await api.pulls({ state: 'all', branch })).find(isOwnFrom(branch));
    return pull === undefined ? undefined : shown(pull);
  }

  async openPullRequests(repository: RepositoryConfig): Promise<readonly PullRequest[]> {
    const pulls = await (await this.#open(repository, 'pulls')).pulls({ state: 'open' });
    return pulls.slice(0, mostOpenPulls).map(shown);
  }

  async close(repository: RepositoryConfig, id: string): Promise<void> {
    const api = await this.#open(repository, 'pulls');
    const pull = await existing(api, repository, id);
    if (pull.state === 'open') await api.close(pull);
  }

  async comment(
    repository: RepositoryConfig,
    id: string,
    { mark, text }: MarkedComment,
  ): Promise<'written' | 'unchanged'> {
    const api = await this.#open(repository, 'pulls');
    const hidden = api.markOf(mark);
    const rest = text.startsWith(mark) ? text.slice(mark.length).replace(/^\n/, '') : text;
    const whole = cutMarkdown(`${hidden}\n${rest}`, api.longest.comment);
    for (const comment of await api.comments(id)) {
      // Anybody can write our mark: what stands in a comment of somebody else is theirs to change after us.
      if (comment.isOwn === false || !plain(comment.text).startsWith(hidden.trim())) continue;
      if (plain(comment.text) === plain(whole)) return 'unchanged';
      if ((await api.editComment(id, comment, whole)) === 'written') return 'written';
    }
    await api.addComment(id, whole);
    return 'written';
  }

  async status(repository: RepositoryConfig, sha: string, status: CommitStatus): Promise<void> {
    await (await this.#open(repository, 'statuses')).status?.(sha, status);
  }

  async deployment(
    repository: RepositoryConfig,
    deployment: Deployment,
  ): Promise<'recorded' | 'unsupported'> {
    const api = await this.#open(repository, 'deployments');
    if (api.deployment === undefined) return 'unsupported';
    await api.deployment(deployment);
    return 'recorded';
  }

  async approvals(repository: RepositoryConfig, id: string): Promise<readonly Approval[]> {
    const api = await this.#open(repository, 'pulls');
    return api.approvals(await existing(api, repository, id));
  }

  async #open(repository: RepositoryConfig, what: 'pulls' | 'statuses' | 'deployments'): Promise<HostApi> {
    return openHost(repository, what, this.#options);
  }
}

async function openPull(api: HostApi, { branch, into }: Proposal): Promise<HostPull | undefined> {
  const pulls = await api.pulls({ state: 'open', branch });
  return pulls.filter(isOwnFrom(branch)).find(({ state, base }) => state === 'open' && base.branch === into);
}

/** Hosts let a fork have a branch of the same name. */
function isOwnFrom(branch: string): (pull: HostPull) => boolean {
  return ({ head }) => !head.isFork && head.branch === branch;
}

/** Every host counts them in numbers. */
async function pullOf(api: HostApi, id: string): Promise<HostPull | undefined> {
  return /^\d{1,15}$/.test(id) ? api.pull(id) : undefined;
}

async function existing(api: HostApi, { name }: RepositoryConfig, id: string): Promise<HostPull> {
  const pull = await pullOf(api, id);
  if (pull !== undefined) return pull;
  throw new Blocked({ subject: `repository ${name}`, message: `has no pull request ${id}` });
}

/** As hosts give a text back: they end lines and the text in ways of their own. */
function plain(text: string): string {
  return text.replaceAll('\r\n', '\n').trim();
}

function shown({ body: _body, ...pull }: HostPull): PullRequest {
  return pull;
}
