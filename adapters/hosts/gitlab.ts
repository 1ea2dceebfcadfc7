import * as z from 'zod';
import type { Approval, CommitStatus, Deployment, Proposal } from '../../core/host-ports.ts';
import { htmlMark, type HostApi, type HostComment, type HostPull } from './host-api.ts';
import { sentenceIn } from './host-fault.ts';
import { placeOf, segments } from './host-place.ts';
import { cutLine } from './host-text.ts';
import type { HostContext } from './open-host.ts';
import { RestClient } from './rest-client.ts';

const right = 'api, as Developer or higher';
const perPage = 100;
const mostPages = 10;

const pullSchema = z.object({
  iid: z.number().int(),
  web_url: z.string(),
  state: z.enum(['opened', 'locked', 'closed', 'merged']),
  title: z.string(),
  description: z.string().nullish(),
  author: z.object({ username: z.string() }).nullish(),
  source_branch: z.string(),
  source_project_id: z.number().nullish(),
  target_project_id: z.number(),
  target_branch: z.string(),
  sha: z.string().nullish(),
  labels: z.array(z.string()).default([]),
});
const noteSchema = z.object({
  id: z.number().int(),
  body: z.string(),
  author: z.object({ id: z.number() }).nullish(),
  system: z.boolean().default(false),
});
const deploymentSchema = z.object({ id: z.number().int(), sha: z.string(), status: z.string() });
const approvalsSchema = z.object({
  approved_by: z.array(z.object({ user: z.object({ username: z.string() }) })).nullish(),
});

/** A merge request that is being merged is `locked`. */
const states = { opened: 'open', locked: 'open', closed: 'closed', merged: 'merged' } as const;
const statusStates = {
  pending: 'pending',
  success: 'success',
  failure: 'failed',
  overtaken: 'canceled',
} as const;
const deploymentStates = {
  pending: 'running',
  in_progress: 'running',
  success: 'success',
  failure: 'failed',
  inactive: 'canceled',
} as const;

/** GitLab's REST API, version 4. */
export class GitLabApi implements HostApi {
  readonly longest = { title: 255, body: 1_000_000, comment: 1_000_000 };
  readonly markOf = htmlMark;
  readonly #client: RestClient;
  readonly #project: string;

  constructor({ repository, token, clock }: HostContext) {
    const { apiUrl, host, path } = placeOf(repository, '/api/v4');
    this.#project = `/projects${segments(path.join('/'))}`;
    const subject = `repository ${repository.name}`;
    const headers = { authorization: `Bearer ${token.text}` };
    this.#client = new RestClient({ apiUrl, host, subject, from: token.from, clock, headers });
  }

  async pull(id: string): Promise<HostPull | undefined> {
    const path = `${this.#project}/merge_requests${segments(id)}`;
    const pull = await this.#client.find(pullSchema, { path, right });
    if (pull !== undefined) return pullOf(pull);
    await this.#assertRepository();
    return undefined;
  }

  async pulls({ state, branch }: Parameters<HostApi['pulls']>[0]): Promise<readonly HostPull[]> {
    const found = await this.#client.ask(z.array(pullSchema), {
      path: `${this.#project}/merge_requests`,
      query: {
        state: state === 'open' ? 'opened' : 'all',
        ...(branch !== undefined && { source_branch: branch }),
        order_by: 'created_at',
        sort: 'desc',
        per_page: perPage,
      },
      right,
    });
    return found.map(pullOf);
  }

  async create({ branch, into, title, body }: Proposal): Promise<HostPull | 'exists'> {
    const answer = await this.#client.try(pullSchema, {
      method: 'POST',
      path: `${this.#project}/merge_requests`,
      body: { source_branch: branch, target_branch: into, title, description: body },
      right,
      known: [409],
    });
    return answer.kind === 'done' ? pullOf(answer.value) : 'exists';
  }

  async rewrite({ id }: HostPull, { title, body }: Proposal): Promise<void> {
    await this.#put(id, { title, description: body });
  }

  readonly label = async (id: string, labels: readonly string[]): Promise<void> => {
    await this.#put(id, { add_labels: labels.join(',') });
  };

  async close({ id }: HostPull): Promise<void> {
    await this.#put(id, { state_event: 'close' });
  }

  async comments(id: string): Promise<readonly HostComment[]> {
    const self = await this.#client.ask(z.object({ id: z.number() }), { path: '/user', right });
    const found: HostComment[] = [];
    for (let page = 1; page <= mostPages; page += 1) {
      const query = { per_page: perPage, page, order_by: 'created_at', sort: 'asc' };
      const notes = await this.#client.ask(z.array(noteSchema), { path: this.#notes(id), query, right });
      for (const { id: note, body, author, system } of notes) {
        if (!system) found.push({ id: String(note), text: body, isOwn: author?.id === self.id });
      }
      if (notes.length < perPage) break;
    }
    return found;
  }

  async addComment(id: string, text: string): Promise<void> {
    const body = { body: text };
    await this.#client.ask(z.unknown(), { method: 'POST', path: this.#notes(id), body, right });
  }

  async editComment(id: string, comment: HostComment, text: string): Promise<'written'> {
    const path = `${this.#notes(id)}${segments(comment.id)}`;
    await this.#client.ask(z.unknown(), { method: 'PUT', path, body: { body: text }, right });
    return 'written';
  }

  readonly status = async (sha: string, status: CommitStatus): Promise<void> => {
    const answer = await this.#client.try(z.unknown(), {
      method: 'POST',
      path: `${this.#project}/statuses${segments(sha)}`,
      body: {
        state: statusStates[status.state],
        name: status.context,
        description: cutLine(status.description, 255),
        ...(status.url !== undefined && { target_url: status.url }),
      },
      right,
      known: [400],
    });
    // It stands there in this state already.
    if (answer.kind === 'done' || /cannot transition status/i.test(sentenceIn(answer.body))) return;
    throw this.#client.fault(answer, right);
  };

  readonly deployment = async ({ environment, ref, sha, state }: Deployment): Promise<void> => {
    const path = `${this.#project}/deployments`;
    const query = { environment, order_by: 'id', sort: 'desc', per_page: 20 };
    const found = await this.#client.ask(z.array(deploymentSchema), { path, query, right });
    const status = deploymentStates[state];
    const last = found.find((one) => one.sha === sha);
    if (last?.status === status) return;
    const isUnderWay = last !== undefined && ['created', 'running', 'blocked'].includes(last.status);
    if (isUnderWay) {
      const change = { method: 'PUT', path: `${path}${segments(last.id)}`, body: { status }, right } as const;
      await this.#client.ask(z.unknown(), change);
      return;
    }
    // GitLab ends an older deployment by itself.
    if (state === 'inactive') return;
    const [, kind, name] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? [];
    const body = { environment, sha, ref: name ?? ref, tag: kind === 'tags', status };
    await this.#client.ask(z.unknown(), { method: 'POST', path, body, right });
  };

  async approvals({ id }: HostPull): Promise<readonly Approval[]> {
    const path = `${this.#project}/merge_requests${segments(id)}/approvals`;
    const { approved_by } = await this.#client.ask(approvalsSchema, { path, right });
    return (approved_by ?? []).map(({ user }) => ({ by: user.username }));
  }

  #notes(id: string): string {
    return `${this.#project}/merge_requests${segments(id)}/notes`;
  }

  async #put(id: string, body: Readonly<Record<string, string>>): Promise<void> {
    const path = `${this.#project}/merge_requests${segments(id)}`;
    await this.#client.ask(z.unknown(), { method: 'PUT', path, body, right });
  }

  /** GitLab answers 404 for a repository that the token may not see, too. */
  async #assertRepository(): Promise<void> {
    await this.#client.ask(z.object({ id: z.number() }), { path: this.#project, right });
  }
}

function pullOf(pull: z.infer<typeof pullSchema>): HostPull {
  const author = pull.author?.username;
  return {
    id: String(pull.iid),
    url: pull.web_url,
    state: states[pull.state],
    title: pull.title,
    body: pull.description ?? '',
    ...(author !== undefined && { author }),
    head: {
      branch: pull.source_branch,
      sha: pull.sha ?? '',
      isFork: pull.source_project_id !== pull.target_project_id,
    },
    base: { branch: pull.target_branch },
    labels: pull.labels,
  };
}
