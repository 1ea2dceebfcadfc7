import { Octokit } from '@octokit/core';
import * as z from 'zod';
import { Blocked, Retry, messageOf } from '../../core/errors.ts';
import type { Approval, CommitStatus, Deployment, Proposal } from '../../core/host-ports.ts';
import { htmlMark, type HostApi, type HostComment, type HostPull } from './host-api.ts';
import { hostFault, sentenceIn } from './host-fault.ts';
import { placeOf } from './host-place.ts';
import { standingReviews } from './host-reviews.ts';
import { cutLine } from './host-text.ts';
import type { HostContext } from './open-host.ts';

const rights = {
  pulls: '"Pull requests: read and write" (of a classic token: repo)',
  statuses: '"Commit statuses: read and write" (of a classic token: repo:status)',
  deployments: '"Deployments: read and write" (of a classic token: repo_deployment)',
};
const timeoutMilliseconds = 20_000;
const perPage = 100;
const mostPages = 10;
const longestDescription = 140;

const accountSchema = z.object({ id: z.number(), login: z.string() });
const endSchema = z.object({
  ref: z.string(),
  sha: z.string(),
  repo: z.object({ id: z.number() }).nullish(),
});
const pullSchema = z.object({
  number: z.number().int(),
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  merged_at: z.string().nullish(),
  title: z.string(),
  body: z.string().nullish(),
  user: accountSchema.nullish(),
  head: endSchema,
  base: endSchema,
  labels: z.array(z.object({ name: z.string() })),
});
const commentsSchema = z.array(
  z.object({
    id: z.number(),
    body: z.string().optional(),
    user: accountSchema.nullish(),
    performed_via_github_app: z.object({ id: z.number(), client_id: z.string().optional() }).nullish(),
  }),
);
const reviewsSchema = z.array(
  z.object({ user: accountSchema.nullish(), state: z.string(), commit_id: z.string().nullish() }),
);
const deploymentsSchema = z.array(z.object({ id: z.number(), environment: z.string() }));
/** What Octokit throws, as far as we read it. */
const refusalSchema = z.object({
  status: z.number(),
  response: z.object({
    headers: z.record(z.string(), z.union([z.string(), z.number()]).optional()),
    data: z.unknown(),
  }),
});

/** The REST API of GitHub and GitHub Enterprise Server, by GitHub's own client. */
export class GitHubApi implements HostApi {
  readonly longest = { title: 256, body: 65_000, comment: 65_000 };
  readonly markOf = htmlMark;
  readonly #octokit: Octokit;
  readonly #own: { readonly owner: string; readonly repo: string };
  readonly #context: HostContext;
  readonly #host: string;

  constructor(context: HostContext) {
    const { repository, token } = context;
    const known = { 'github.com': 'https://api.github.com', 'ssh.github.com': 'https://api.github.com' };
    const { apiUrl, host, path } = placeOf(repository, '/api/v3', known);
    const [owner, repo, ...rest] = path;
    if (owner === undefined || repo === undefined || rest.length > 0) {
      const message = 'has no url like https://HOST/OWNER/REPOSITORY.git; copy the clone address of its host';
      throw new Blocked({ subject: `repository ${repository.name}`, message });
    }
    this.#own = { owner, repo };
    this.#context = context;
    this.#host = host;
    this.#octokit = new Octokit({
      baseUrl: apiUrl,
      auth: token.text,
      userAgent: 'trueup',
      request: { fetch: guarded },
    });
  }

  async pull(id: string): Promise<HostPull | undefined> {
    const { request } = this.#octokit;
    const asked = request('GET /repos/{owner}/{repo}/pulls/{pull_number}', this.#at(id));
    const pull = await this.#try(pullSchema, rights.pulls, asked, [404]);
    if (!('status' in pull)) return pullOf(pull.value);
    // A repository that the token may not see answers 404 as well.
    await this.#ask(z.unknown(), rights.pulls, request('GET /repos/{owner}/{repo}', this.#own));
    return undefined;
  }

  async pulls({ state, branch }: Parameters<HostApi['pulls']>[0]): Promise<readonly HostPull[]> {
    const asked = this.#octokit.request('GET /repos/{owner}/{repo}/pulls', {
      ...this.#own,
      state,
      ...(branch !== undefined && { head: `${this.#own.owner}:${branch}` }),
      sort: 'created',
      direction: 'desc',
      per_page: perPage,
    });
    return (await this.#ask(z.array(pullSchema), rights.pulls, asked)).map(pullOf);
  }

  async create({ branch: head, into: base, title, body }: Proposal): Promise<HostPull | 'exists'> {
    const wanted = { ...this.#own, head, base, title, body };
    const asked = this.#octokit.request('POST /repos/{owner}/{repo}/pulls', wanted);
    const answer = await this.#try(pullSchema, rights.pulls, asked, [422]);
    if (!('status' in answer)) return pullOf(answer.value);
    if (/already exists/i.test(sentenceIn(answer.body))) return 'exists';
    throw this.#fault(answer, rights.pulls);
  }

  async rewrite({ id }: HostPull, { title, body }: Proposal): Promise<void> {
    await this.#patch(id, { title, body });
  }

  readonly label = async (id: string, labels: readonly string[]): Promise<void> => {
    const asked = this.#octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', {
      ...this.#own,
      issue_number: Number(id),
      labels: [...labels],
    });
    await this.#ask(z.unknown(), rights.pulls, asked);
  };

  async close({ id }: HostPull): Promise<void> {
    await this.#patch(id, { state: 'closed' });
  }

  async comments(id: string): Promise<readonly HostComment[]> {
    const isOwn = await this.#identity();
    const found: HostComment[] = [];
    for (let page = 1; page <= mostPages; page += 1) {
      const asked = this.#octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
        ...this.#own,
        issue_number: Number(id),
        per_page: perPage,
        page,
      });
      const comments = await this.#ask(commentsSchema, rights.pulls, asked);
      for (const one of comments) {
        found.push({ id: String(one.id), text: one.body ?? '', isOwn: isOwn(one) });
      }
      if (comments.length < perPage) break;
    }
    return found;
  }

  async addComment(id: string, body: string): Promise<void> {
    const asked = this.#octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      ...this.#own,
      issue_number: Number(id),
      body,
    });
    await this.#ask(z.unknown(), rights.pulls, asked);
  }

  async editComment(_id: string, comment: HostComment, body: string): Promise<'written'> {
    const asked = this.#octokit.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
      ...this.#own,
      comment_id: Number(comment.id),
      body,
    });
    await this.#ask(z.unknown(), rights.pulls, asked);
    return 'written';
  }

  readonly status = async (sha: string, status: CommitStatus): Promise<void> => {
    const { context, state, description, url } = status;
    const asked = this.#octokit.request('POST /repos/{owner}/{repo}/statuses/{sha}', {
      ...this.#own,
      sha,
      context,
      state: state === 'overtaken' ? 'error' : state,
      description: cutLine(description, longestDescription),
      ...(url !== undefined && { target_url: url }),
    });
    await this.#ask(z.unknown(), rights.statuses, asked);
  };

  readonly deployment = async (wanted: Deployment): Promise<void> => {
    const { environment, sha, state, description, url } = wanted;
    const { request } = this.#octokit;
    const list = { ...this.#own, sha, environment, per_page: 1 };
    const listed = request('GET /repos/{owner}/{repo}/deployments', list);
    const [found] = await this.#ask(deploymentsSchema, rights.deployments, listed);
    const deployment_id = found?.id ?? (await this.#deploy(wanted));
    const path = '/repos/{owner}/{repo}/deployments/{deployment_id}/statuses' as const;
    const statuses = request(`GET ${path}`, { ...this.#own, deployment_id, per_page: 1 });
    const [last] = await this.#ask(z.array(z.object({ state: z.string() })), rights.deployments, statuses);
    if (last?.state === state) return;
    const asked = request(`POST ${path}`, {
      ...this.#own,
      deployment_id,
      state,
      description: cutLine(description, longestDescription),
      ...(url !== undefined && { log_url: url }),
    });
    await this.#ask(z.unknown(), rights.deployments, asked);
  };

  async approvals({ id }: HostPull): Promise<readonly Approval[]> {
    const { request } = this.#octokit;
    const reviews: z.infer<typeof reviewsSchema> = [];
    for (let page = 1; page <= mostPages; page += 1) {
      const list = { ...this.#at(id), per_page: perPage, page };
      const asked = request('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews', list);
      const some = await this.#ask(reviewsSchema, rights.pulls, asked);
      reviews.push(...some);
      if (some.length < perPage) break;
    }
    const standing = standingReviews(
      reviews.map(({ user, state, commit_id }) => ({
        by: user?.login,
        sha: commit_id,
        verdict: verdicts[state] ?? 'comment',
      })),
    );
    const found: Approval[] = [];
    for (const { by, sha } of standing) {
      if (await this.#mayWrite(by)) found.push({ by, ...(typeof sha === 'string' && { sha }) });
    }
    return found;
  }

  /** Anybody may approve at GitHub; it counts from who may write. */
  async #mayWrite(username: string): Promise<boolean> {
    const asked = this.#octokit.request('GET /repos/{owner}/{repo}/collaborators/{username}/permission', {
      ...this.#own,
      username,
    });
    const schema = z.object({ permission: z.string() });
    const { permission } = await this.#ask(schema, '"Metadata: read"', asked);
    return permission === 'admin' || permission === 'write';
  }

  /** Whether a comment is by the account of our token, or by our App. */
  async #identity(): Promise<(comment: z.infer<typeof commentsSchema>[number]) => boolean> {
    const { githubApp, host } = this.#context.repository;
    if (githubApp !== undefined && host?.tokenSecret === undefined) {
      const own = String(githubApp.appId);
      return ({ performed_via_github_app: app }) => String(app?.id) === own || app?.client_id === own;
    }
    const self = await this.#ask(accountSchema, rights.pulls, this.#octokit.request('GET /user'));
    return ({ user }) => user?.id === self.id;
  }

  async #deploy({ environment, sha, description }: Deployment): Promise<number> {
    const asked = this.#octokit.request('POST /repos/{owner}/{repo}/deployments', {
      ...this.#own,
      // Not the branch: that may be elsewhere by now.
      ref: sha,
      environment,
      description: cutLine(description, longestDescription),
      // It is recorded, not asked for: nothing is merged or waited for.
      auto_merge: false,
      required_contexts: [],
    });
    return (await this.#ask(z.object({ id: z.number() }), rights.deployments, asked)).id;
  }

  #at(id: string) {
    return { ...this.#own, pull_number: Number(id) };
  }

  async #patch(id: string, change: { title?: string; body?: string; state?: 'closed' }): Promise<void> {
    const path = 'PATCH /repos/{owner}/{repo}/pulls/{pull_number}';
    const asked = this.#octokit.request(path, { ...this.#at(id), ...change });
    await this.#ask(z.unknown(), rights.pulls, asked);
  }

  async #ask<T>(schema: z.ZodType<T>, right: string, asked: Promise<{ data: unknown }>): Promise<T> {
    const answer = await this.#try(schema, right, asked, []);
    if ('status' in answer) throw this.#fault(answer, right);
    return answer.value;
  }

  /** Gives refusals back whose status the caller knows. */
  async #try<T>(
    schema: z.ZodType<T>,
    right: string,
    asked: Promise<{ data: unknown }>,
    known: readonly number[],
  ): Promise<{ readonly value: T } | Parameters<typeof hostFault>[0]> {
    const subject = `repository ${this.#context.repository.name}`;
    try {
      const parsed = schema.safeParse((await asked).data);
      if (parsed.success) return { value: parsed.data };
    } catch (cause) {
      const { data } = refusalSchema.safeParse(cause);
      if (data === undefined) {
        const message = `${this.#host} does not answer (${messageOf(cause)}); it is asked again`;
        throw new Retry({ subject, message, cause });
      }
      const { headers, data: body } = data.response;
      const get = (name: string) => headers[name]?.toString() ?? null;
      const answer = { status: data.status, headers: { get }, body };
      if (known.includes(answer.status)) return answer;
      throw this.#fault(answer, right);
    }
    const message = `${this.#host} answers with something else than GitHub's API describes; check host.apiUrl`;
    throw new Blocked({ subject, message });
  }

  #fault(answer: Parameters<typeof hostFault>[0], right: string): Blocked | Retry {
    const { repository, token, clock, forgetToken } = this.#context;
    const subject = `repository ${repository.name}`;
    if (
      answer.status === 401 &&
      repository.githubApp !== undefined &&
      repository.host?.tokenSecret === undefined
    ) {
      // Tokens of an App may end before their time, as when it is installed anew.
      forgetToken();
      const message = `${this.#host} refuses the token of ${token.from} (401); a new one is asked for`;
      return new Retry({ subject, message });
    }
    return hostFault(answer, { subject, host: this.#host, from: token.from, right }, clock);
  }
}

const verdicts: Readonly<Record<string, 'approval' | 'none'>> = {
  APPROVED: 'approval',
  CHANGES_REQUESTED: 'none',
  DISMISSED: 'none',
};

/** With a limit of time; a redirect is a refusal, since it could carry the token elsewhere. */
async function guarded(url: string | URL | Request, init: RequestInit): Promise<Response> {
  const signal = AbortSignal.timeout(timeoutMilliseconds);
  const response = await fetch(url, { ...init, redirect: 'manual', signal });
  const isRedirect = response.status >= 300 && response.status < 400;
  // Octokit takes what is below 400 for a success; 421 is a misdirected request.
  return isRedirect ? new Response(null, { status: 421 }) : response;
}

function pullOf(pull: z.infer<typeof pullSchema>): HostPull {
  const author = pull.user?.login;
  const { head, base } = pull;
  const isMerged = typeof pull.merged_at === 'string';
  return {
    id: String(pull.number),
    url: pull.html_url,
    state: isMerged ? 'merged' : pull.state,
    title: pull.title,
    body: pull.body ?? '',
    ...(author !== undefined && { author }),
    // A fork that is gone has no repository.
    head: { branch: head.ref, sha: head.sha, isFork: head.repo?.id !== base.repo?.id },
    base: { branch: base.ref },
    labels: pull.labels.map(({ name }) => name),
  };
}
