import {
  CodeCommitClient,
  CommentNotCreatedByCallerException,
  CreatePullRequestCommand,
  GetPullRequestApprovalStatesCommand,
  GetPullRequestCommand,
  InvalidPullRequestIdException,
  ListPullRequestsCommand,
  PostCommentForPullRequestCommand,
  PullRequestDoesNotExistException,
  UpdateCommentCommand,
  UpdatePullRequestDescriptionCommand,
  UpdatePullRequestStatusCommand,
  UpdatePullRequestTitleCommand,
  paginateGetCommentsForPullRequest,
  type CodeCommitClientConfig,
  type PullRequest,
  type PullRequestTarget,
} from '@aws-sdk/client-codecommit';
import { codeCommitOf, type RepositoryConfig } from '../../core/contract/repository.ts';
import { Blocked, Retry, messageOf } from '../../core/errors.ts';
import type { Approval, Proposal } from '../../core/host-ports.ts';
import { awsClient } from '../aws-client.ts';
import { awsFault } from '../aws-fault.ts';
import { linkMark, type HostApi, type HostComment, type HostPull } from './host-api.ts';

const heads = 'refs/heads/';
/** Each is a request of its own. */
const mostPulls = 100;
const askedAtOnce = 8;

/** Pull requests of CodeCommit, asked as the IAM role of the function; it has no labels, statuses or deployments. */
export class CodeCommitApi implements HostApi {
  readonly longest = { title: 150, body: 10_000, comment: 10_000 };
  readonly markOf = linkMark;
  readonly #client: CodeCommitClient;
  readonly #name: string;
  readonly #region: string;
  readonly #subject: string;

  constructor(repository: RepositoryConfig, config: CodeCommitClientConfig = {}) {
    this.#subject = `repository ${repository.name}`;
    const place = codeCommitOf(repository.url);
    if (place === undefined) {
      const message = 'has no url like https://git-codecommit.REGION.amazonaws.com/v1/repos/NAME';
      throw new Blocked({ subject: this.#subject, message });
    }
    this.#name = place.name;
    this.#region = place.region;
    this.#client = new CodeCommitClient({ ...awsClient, region: place.region, ...config });
  }

  async pull(id: string): Promise<HostPull | undefined> {
    const found = await this.#find(id);
    return found === undefined ? undefined : this.#pullOf(found.pull, found.target);
  }

  async pulls({ state, branch }: Parameters<HostApi['pulls']>[0]): Promise<readonly HostPull[]> {
    const lists = [await this.#ids('OPEN'), state === 'all' ? await this.#ids('CLOSED') : []];
    const newest = lists.flat().sort((one, other) => Number(other) - Number(one));
    const found: HostPull[] = [];
    for (let from = 0; from < Math.min(newest.length, mostPulls); from += askedAtOnce) {
      const some = await Promise.all(newest.slice(from, from + askedAtOnce).map((id) => this.pull(id)));
      for (const pull of some) {
        const isWanted = branch === undefined || pull?.head.branch === branch;
        if (pull !== undefined && isWanted) found.push(pull);
      }
    }
    return found;
  }

  async create({ branch, into, title, body }: Proposal): Promise<HostPull> {
    const target = {
      repositoryName: this.#name,
      sourceReference: `${heads}${branch}`,
      destinationReference: `${heads}${into}`,
    };
    const command = new CreatePullRequestCommand({ title, description: body, targets: [target] });
    const { pullRequest } = await this.#ask('CreatePullRequest', this.#client.send(command));
    const [made] = pullRequest?.pullRequestTargets ?? [];
    if (pullRequest !== undefined && made !== undefined) return this.#pullOf(pullRequest, made);
    throw new Retry({
      subject: this.#subject,
      message: 'CodeCommit shows no pull request that it made; look again',
    });
  }

  async rewrite({ id: pullRequestId, title, body }: HostPull, proposal: Proposal): Promise<void> {
    if (title !== proposal.title) {
      const command = new UpdatePullRequestTitleCommand({ pullRequestId, title: proposal.title });
      await this.#ask('UpdatePullRequestTitle', this.#client.send(command));
    }
    if (body === proposal.body) return;
    const command = new UpdatePullRequestDescriptionCommand({ pullRequestId, description: proposal.body });
    await this.#ask('UpdatePullRequestDescription', this.#client.send(command));
  }

  async close({ id: pullRequestId }: HostPull): Promise<void> {
    const command = new UpdatePullRequestStatusCommand({ pullRequestId, pullRequestStatus: 'CLOSED' });
    await this.#ask('UpdatePullRequestStatus', this.#client.send(command));
  }

  async comments(id: string): Promise<readonly HostComment[]> {
    const found: HostComment[] = [];
    const read = async (): Promise<void> => {
      const pages = paginateGetCommentsForPullRequest({ client: this.#client }, { pullRequestId: id });
      for await (const { commentsForPullRequestData = [] } of pages) {
        for (const { comments = [] } of commentsForPullRequestData) {
          for (const { commentId, content = '', deleted } of comments) {
            // Whose it is shows when it is changed: only its author may.
            if (commentId !== undefined && deleted !== true)
              found.push({ id: commentId, text: content, isOwn: undefined });
          }
        }
      }
    };
    await this.#ask('GetCommentsForPullRequest', read());
    return found;
  }

  async addComment(id: string, content: string): Promise<void> {
    const found = await this.#find(id);
    const { sourceCommit: afterCommitId, destinationCommit: beforeCommitId } = found?.target ?? {};
    const repositoryName = this.#name;
    const where = { pullRequestId: id, repositoryName, beforeCommitId, afterCommitId };
    const command = new PostCommentForPullRequestCommand({ ...where, content });
    await this.#ask('PostCommentForPullRequest', this.#client.send(command));
  }

  async editComment(_id: string, comment: HostComment, content: string): Promise<'written' | 'foreign'> {
    const command = new UpdateCommentCommand({ commentId: comment.id, content });
    try {
      await this.#client.send(command);
      return 'written';
    } catch (error) {
      if (error instanceof CommentNotCreatedByCallerException) return 'foreign';
      throw this.#fault('UpdateComment', error);
    }
  }

  async approvals({ id: pullRequestId, head }: HostPull): Promise<readonly Approval[]> {
    const { pull } = (await this.#find(pullRequestId)) ?? {};
    const command = new GetPullRequestApprovalStatesCommand({ pullRequestId, revisionId: pull?.revisionId });
    const { approvals = [] } = await this.#ask('GetPullRequestApprovalStates', this.#client.send(command));
    const approving = approvals.filter(({ approvalState }) => approvalState === 'APPROVE');
    return approving.flatMap(({ userArn: by }) => (by === undefined ? [] : [{ by, sha: head.sha }]));
  }

  /** Ids count over all repositories of a region: another one's pull request is none. */
  async #find(
    pullRequestId: string,
  ): Promise<{ readonly pull: PullRequest; readonly target: PullRequestTarget } | undefined> {
    try {
      const { pullRequest } = await this.#client.send(new GetPullRequestCommand({ pullRequestId }));
      const targets = pullRequest?.pullRequestTargets ?? [];
      const target = targets.find(({ repositoryName }) => repositoryName === this.#name);
      return pullRequest === undefined || target === undefined ? undefined : { pull: pullRequest, target };
    } catch (error) {
      const isNone =
        error instanceof PullRequestDoesNotExistException || error instanceof InvalidPullRequestIdException;
      if (isNone) return undefined;
      throw this.#fault('GetPullRequest', error);
    }
  }

  async #ids(pullRequestStatus: 'OPEN' | 'CLOSED'): Promise<readonly string[]> {
    const ids: string[] = [];
    let nextToken: string | undefined;
    do {
      const query = { repositoryName: this.#name, pullRequestStatus, maxResults: mostPulls };
      const command = new ListPullRequestsCommand({
        ...query,
        ...(nextToken !== undefined && { nextToken }),
      });
      const page = await this.#ask('ListPullRequests', this.#client.send(command));
      ids.push(...(page.pullRequestIds ?? []));
      nextToken = page.nextToken;
    } while (nextToken !== undefined && ids.length < mostPulls);
    return ids;
  }

  async #ask<T>(action: string, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw this.#fault(action, error);
    }
  }

  #fault(action: string, error: unknown): unknown {
    const subject = this.#subject;
    const fault = awsFault({ subject, permission: `codecommit:${action}` }, error);
    if (fault instanceof Blocked || fault instanceof Retry) return fault;
    return new Blocked({
      subject,
      message: `CodeCommit refuses ${action} (${messageOf(error)}); see what it says`,
      cause: error,
    });
  }

  #pullOf(pull: PullRequest, target: PullRequestTarget): HostPull {
    const { pullRequestId: id = '', title = '', description: body = '', authorArn } = pull;
    const isMerged = target.mergeMetadata?.isMerged === true;
    const page = `https://${this.#region}.console.aws.amazon.com/codesuite/codecommit/repositories`;
    return {
      id,
      url: `${page}/${this.#name}/pull-requests/${id}/details?region=${this.#region}`,
      state: isMerged ? 'merged' : pull.pullRequestStatus === 'CLOSED' ? 'closed' : 'open',
      title,
      body,
      ...(authorArn !== undefined && { author: authorArn }),
      head: { branch: branchOf(target.sourceReference), sha: target.sourceCommit ?? '', isFork: false },
      base: { branch: branchOf(target.destinationReference) },
      labels: [],
    };
  }
}

function branchOf(ref = ''): string {
  return ref.startsWith(heads) ? ref.slice(heads.length) : ref;
}
