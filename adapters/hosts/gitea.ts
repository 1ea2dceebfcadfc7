import * as z from 'zod';
import type { Approval, CommitStatus, Proposal } from '../../core/host-ports.ts';
import { htmlMark, type HostApi, type HostComment, type HostPull } from './host-api.ts';
import { placeOf, segments } from './host-place.ts';
import { standingReviews } from './host-reviews.ts';
import { cutLine } from './host-text.ts';
import type { HostContext } from './open-host.ts';
import { RestClient } from './rest-client.ts';

/** As scopes of a token are named. */
const rights = {
  pulls: 'write:issue and write:repository',
  user: 'read:user',
  status: 'write:repository, with write access to the repository',
};
/** What Gitea gives at once unless it is configured otherwise. */
const perPage = 50;
const mostPages = 10;

const userSchema = z.object({ id: z.number(), login: z.string() });
const labelSchema = z.object({ id: z.number(), name: z.string() });
const pullSchema = z.object({
  number: z.number().int(),
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean().nullish(),
  title: z.string(),
  body: z.string().nullish(),
  user: userSchema.nullish(),
  head: z.object({ label: z.string(), ref: z.string(), sha: z.string(), repo_id: z.number() }),
  base: z.object({ ref: z.string(), repo_id: z.number() }),
  labels: z.array(labelSchema).nullish(),
});
const commentSchema = z.object({ id: z.number(), body: z.string(), user: userSchema.nullish() });
const reviewSchema = z.object({
  user: userSchema.nullish(),
  state: z.string(),
  official: z.boolean(),
  dismissed: z.boolean(),
  commit_id: z.string(),
});

/** The REST API of Gitea and Forgejo, version 1. */
export class GiteaApi implements HostApi {
  readonly longest = { title: 255, body: 65_000, comment: 65_000 };
  readonly markOf = htmlMark;
  readonly #client: RestClient;
  readonly #repository: string;

  constructor({ repository, token, clock }: HostContext) {
    const { apiUrl, host, path } = placeOf(repository, '/api/v1');
    this.#repository = `/repos${segments(...path)}`;
    const subject = `repository ${repository.name}`;
    const headers = { authorization: `token ${token.text}` };
    this.#client = new RestClient({ apiUrl, host, subject, from: token.from, clock, headers });
  }

  async pull(id: string): Promise<HostPull | undefined> {
    const path = `${this.#repository}/pulls${segments(id)}`;
    const pull = await this.#client.find(pullSchema, { path, right: rights.pulls });
    if (pull !== undefined) return pullOf(pull);
    // A repository that the token may not see answers 404 as well.
    await this.#client.ask(z.unknown(), { path: this.#repository, right: rights.pulls });
    return undefined;
  }

  /** Gitea filters by no branch: all are read, as far as `mostPages` goes. */
  async pulls({ state, branch }: Parameters<HostApi['pulls']>[0]): Promise<readonly HostPull[]> {
    const found: HostPull[] = [];
    for (let page = 1; page <= (branch === undefined ? 2 : mostPages); page += 1) {
      const request = {
        path: `${this.#repository}/pulls`,
        query: { state, limit: perPage, page },
        right: rights.pulls,
      };
      const pulls = await this.#client.ask(z.array(pullSchema), request);
      found.push(...pulls.map(pullOf).filter(({ head }) => branch === undefined || head.branch === branch));
      if (pulls.length < perPage) break;
    }
    return found.sort((one, other) => Number(other.id) - Number(one.id));
  }

  async create({ branch, into, title, body }: Proposal): Promise<HostPull | 'exists'> {
    const answer = await this.#client.try(pullSchema, {
      method: 'POST',
      path: `${this.#repository}/pulls`,
      body: { head: branch, base: into, title, body },
      right: rights.pulls,
      known: [409],
    });
    return answer.kind === 'done' ? pullOf(answer.value) : 'exists';
  }

  async rewrite({ id }: HostPull, { title, body }: Proposal): Promise<void> {
    await this.#patch(`/pulls${segments(id)}`, { title, body });
  }

  readonly label = async (id: string, names: readonly string[]): Promise<void> => {
    const ids: number[] = [];
    const known = await this.#labels();
    for (const name of names) ids.push(known.get(name) ?? (await this.#createLabel(name)));
    await this.#post(`/issues${segments(id)}/labels`, { labels: ids });
  };

  async close({ id }: HostPull): Promise<void> {
    await this.#patch(`/pulls${segments(id)}`, { state: 'closed' });
  }

  async comments(id: string): Promise<readonly HostComment[]> {
    const self = await this.#client.ask(userSchema, { path: '/user', right: rights.user });
    // Not in pages: all of them.
    const path = `${this.#repository}/issues${segments(id)}/comments`;
    const comments = await this.#client.ask(z.array(commentSchema), { path, right: rights.pulls });
    return comments.map((one) => ({
      id: String(one.id),
      text: one.body,
      isOwn: one.user?.id === self.id,
    }));
  }

  async addComment(id: string, text: string): Promise<void> {
    await this.#post(`/issues${segments(id)}/comments`, { body: text });
  }

  async editComment(_id: string, comment: HostComment, text: string): Promise<'written'> {
    await this.#patch(`/issues/comments${segments(comment.id)}`, { body: text });
    return 'written';
  }

  readonly status = async (sha: string, status: CommitStatus): Promise<void> => {
    const { context, state, description, url } = status;
    const body = {
      context,
      state: state === 'overtaken' ? 'error' : state,
      description: cutLine(description, 255),
      ...(url !== undefined && { target_url: url }),
    };
    await this.#post(`/statuses${segments(sha)}`, body, rights.status);
  };

  async approvals({ id }: HostPull): Promise<readonly Approval[]> {
    const reviews: z.infer<typeof reviewSchema>[] = [];
    for (let page = 1; page <= mostPages; page += 1) {
      const path = `${this.#repository}/pulls${segments(id)}/reviews`;
      const query = { limit: perPage, page };
      const some = await this.#client.ask(z.array(reviewSchema), { path, query, right: rights.pulls });
      reviews.push(...some);
      if (some.length < perPage) break;
    }
    const standing = standingReviews(
      reviews.map(({ user, state, dismissed, ...rest }) => ({
        ...rest,
        by: user?.login,
        verdict: dismissed ? 'none' : (verdicts[state] ?? 'comment'),
      })),
    );
    // Official: of somebody who may write, or whom the branch's rule names.
    return standing.filter(({ official }) => official).map(({ by, commit_id }) => ({ by, sha: commit_id }));
  }

  async #labels(): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (let page = 1; page <= mostPages; page += 1) {
      const path = `${this.#repository}/labels`;
      const query = { limit: perPage, page };
      const labels = await this.#client.ask(z.array(labelSchema), { path, query, right: rights.pulls });
      for (const { id, name } of labels) found.set(name, id);
      if (labels.length < perPage) break;
    }
    return found;
  }

  async #createLabel(name: string): Promise<number> {
    const path = `${this.#repository}/labels`;
    const body = { name, color: '#6b7280' };
    const request = { method: 'POST', path, body, right: rights.pulls } as const;
    return (await this.#client.ask(labelSchema, request)).id;
  }

  async #post(path: string, body: unknown, right = rights.pulls): Promise<void> {
    const request = { method: 'POST', path: `${this.#repository}${path}`, body, right } as const;
    await this.#client.ask(z.unknown(), request);
  }

  async #patch(path: string, body: unknown): Promise<void> {
    const request = {
      method: 'PATCH',
      path: `${this.#repository}${path}`,
      body,
      right: rights.pulls,
    } as const;
    await this.#client.ask(z.unknown(), request);
  }
}

const verdicts: Readonly<Record<string, 'approval' | 'none'>> = {
  APPROVED: 'approval',
  REQUEST_CHANGES: 'none',
};

function pullOf(pull: z.infer<typeof pullSchema>): HostPull {
  const author = pull.user?.login;
  return {
    id: String(pull.number),
    url: pull.html_url,
    state: pull.merged === true ? 'merged' : pull.state,
    title: pull.title,
    body: pull.body ?? '',
    ...(author !== undefined && { author }),
    head: headOf(pull),
    base: { branch: pull.base.ref },
    labels: (pull.labels ?? []).map(({ name }) => name),
  };
}

function headOf({ head, base }: z.infer<typeof pullSchema>): HostPull['head'] {
  const { label, ref, sha } = head;
  return {
    // Once a branch is deleted, its name stands in the label alone.
    branch: ref.startsWith('refs/pull/') && label !== '' ? label : ref,
    sha,
    // A fork that is gone has an id that is nobody's. Whoever may read can push to `refs/for/BRANCH` (AGit): such a pull
    // request says that it is of the repository itself, and has no label.
    isFork: head.repo_id !== base.repo_id || label === '',
  };
}
