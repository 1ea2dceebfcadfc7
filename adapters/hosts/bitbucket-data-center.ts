import * as z from 'zod';
import type { RepositoryConfig } from '../../core/contract/repository.ts';
import { Blocked, Retry } from '../../core/errors.ts';
import type { Approval, CommitStatus, Proposal } from '../../core/host-ports.ts';
import { linkMark, type HostApi, type HostComment, type HostPull } from './host-api.ts';
import { sentenceIn } from './host-fault.ts';
import { placeOf, segments } from './host-place.ts';
import { cutLine } from './host-text.ts';
import type { HostContext } from './open-host.ts';
import { RestClient, type RestAnswer } from './rest-client.ts';

const rights = { read: 'Repository read', write: 'Repository write' };
const perPage = 100;
const mostPages = 20;

const userSchema = z.object({ name: z.string() });
const refSchema = z.object({
  id: z.string(),
  displayId: z.string(),
  latestCommit: z.string(),
  repository: z.object({ id: z.number(), slug: z.string(), project: z.object({ key: z.string() }) }),
});
const participantSchema = z.object({
  user: userSchema,
  approved: z.boolean(),
  lastReviewedCommit: z.string().optional(),
});
const pullSchema = z.object({
  id: z.number().int(),
  version: z.number().int(),
  title: z.string(),
  description: z.string().optional(),
  state: z.enum(['OPEN', 'MERGED', 'DECLINED']),
  fromRef: refSchema,
  toRef: refSchema,
  author: z.object({ user: userSchema }).optional(),
  reviewers: z.array(participantSchema).default([]),
  participants: z.array(participantSchema).default([]),
  links: z.object({ self: z.array(z.object({ href: z.string() })).min(1) }),
});
type Pull = z.infer<typeof pullSchema>;
const activitySchema = z.object({
  values: z.array(
    z.object({
      action: z.string(),
      comment: z
        .object({ id: z.number(), version: z.number(), text: z.string(), author: userSchema })
        .optional(),
    }),
  ),
  isLastPage: z.boolean(),
  nextPageStart: z.number().nullish(),
});
const refusalSchema = z.object({ errors: z.array(z.object({ exceptionName: z.string().nullish() })) });

const states = { OPEN: 'open', MERGED: 'merged', DECLINED: 'closed' } as const;
const statusStates = {
  pending: 'INPROGRESS',
  success: 'SUCCESSFUL',
  failure: 'FAILED',
  // Older versions know no other end than these two.
  overtaken: 'FAILED',
} as const;

/** The REST API of Bitbucket Data Center 7.14 and newer. */
export class BitbucketDataCenterApi implements HostApi {
  readonly longest = { title: 255, body: 32_000, comment: 32_000 };
  readonly markOf = linkMark;
  readonly #client: RestClient;
  readonly #repository: string;
  readonly #own: { readonly slug: string; readonly project: { readonly key: string } };
  readonly #page: string;
  readonly #subject: string;

  constructor({ repository, token, clock }: HostContext) {
    const { apiUrl, host, path } = placeOf(repository, '/rest/api/1.0');
    const { key, slug } = namesIn(path, repository);
    this.#own = { slug, project: { key } };
    this.#repository = segments('projects', key, 'repos', slug);
    this.#page = `${apiUrl.replace(/\/rest\/api\/[^/]+$/, '')}${this.#repository}`;
    this.#subject = `repository ${repository.name}`;
    const { user, text } = token;
    const isBearer = user === undefined || user === 'x-token-auth';
    const basic = `Basic ${Buffer.from(`${user ?? ''}:${text}`).toString('base64')}`;
    const authorization = isBearer ? `Bearer ${text}` : basic;
    this.#client = new RestClient({
      apiUrl,
      host,
      subject: this.#subject,
      from: token.from,
      clock,
      // Without it, requests without a body are taken for those of a browser.
      headers: { authorization, 'x-atlassian-token': 'no-check' },
    });
  }

  async pull(id: string): Promise<HostPull | undefined> {
    const path = `${this.#repository}/pull-requests${segments(id)}`;
    const pull = await this.#client.find(pullSchema, { path, right: rights.read });
    if (pull !== undefined) return pullOf(pull);
    // A repository that is not there answers 404 as well.
    await this.#client.ask(z.unknown(), { path: this.#repository, right: rights.read });
    return undefined;
  }

  async pulls({ state, branch }: Parameters<HostApi['pulls']>[0]): Promise<readonly HostPull[]> {
    const { values } = await this.#client.ask(z.object({ values: z.array(pullSchema) }), {
      path: `${this.#repository}/pull-requests`,
      query: {
        state: state === 'open' ? 'OPEN' : 'ALL',
        order: 'NEWEST',
        limit: perPage,
        ...(branch !== undefined && { direction: 'OUTGOING', at: `refs/heads/${branch}` }),
      },
      right: rights.read,
    });
    return values.map(pullOf);
  }

  async create({ branch, into, title, body }: Proposal): Promise<HostPull | 'exists'> {
    const ref = (name: string) => ({ id: `refs/heads/${name}`, repository: this.#own });
    const answer = await this.#client.try(pullSchema, {
      method: 'POST',
      path: `${this.#repository}/pull-requests`,
      body: { title, description: body, fromRef: ref(branch), toRef: ref(into) },
      right: rights.read,
      known: [409],
    });
    if (answer.kind === 'done') return pullOf(answer.value);
    const isDuplicate = nameIn(answer.body).endsWith('DuplicatePullRequestException');
    if (isDuplicate) return 'exists';
    throw this.#client.fault(answer, rights.read);
  }

  async rewrite({ id }: HostPull, { title, body }: Proposal): Promise<void> {
    const { version, reviewers } = await this.#now(id);
    const answer = await this.#client.try(z.unknown(), {
      method: 'PUT',
      path: `${this.#repository}/pull-requests${segments(id)}`,
      // Reviewers that are left out are taken off.
      body: { version, title, description: body, reviewers: reviewers.map(({ user }) => ({ user })) },
      right: rights.write,
      known: [409],
    });
    this.#assertDone(answer, id);
  }

  async close({ id }: HostPull): Promise<void> {
    const { version } = await this.#now(id);
    const answer = await this.#client.try(z.unknown(), {
      method: 'POST',
      path: `${this.#repository}/pull-requests${segments(id)}/decline`,
      query: { version },
      body: {},
      right: rights.write,
      known: [409],
    });
    this.#assertDone(answer, id);
  }

  async comments(id: string): Promise<readonly HostComment[]> {
    const found: HostComment[] = [];
    let start: number | undefined = 0;
    for (let page = 1; page <= mostPages && start !== undefined; page += 1) {
      const answer: RestAnswer<z.infer<typeof activitySchema>> = await this.#client.try(activitySchema, {
        path: `${this.#repository}/pull-requests${segments(id)}/activities`,
        query: { limit: perPage, start },
        right: rights.read,
      });
      if (answer.kind !== 'done') throw this.#client.fault(answer, rights.read);
      const { values, isLastPage, nextPageStart }: z.infer<typeof activitySchema> = answer.value;
      const self = answer.headers.get('x-ausername');
      for (const { action, comment } of values) {
        if (action !== 'COMMENTED' || comment === undefined) continue;
        const isOwn = self === null ? undefined : comment.author.name === decodeURIComponent(self);
        found.push({ id: String(comment.id), version: comment.version, text: comment.text, isOwn });
      }
      start = isLastPage ? undefined : (nextPageStart ?? undefined);
    }
    return found;
  }

  async addComment(id: string, text: string): Promise<void> {
    const path = `${this.#repository}/pull-requests${segments(id)}/comments`;
    const request = { method: 'POST', path, body: { text }, right: rights.read } as const;
    await this.#client.ask(z.unknown(), request);
  }

  async editComment(id: string, comment: HostComment, text: string): Promise<'written' | 'foreign'> {
    const answer = await this.#client.try(z.unknown(), {
      method: 'PUT',
      path: `${this.#repository}/pull-requests${segments(id)}/comments${segments(comment.id)}`,
      body: { text, version: comment.version },
      right: rights.read,
      known: comment.isOwn === undefined ? [401, 403, 409] : [409],
    });
    if (answer.kind === 'known' && answer.status !== 409) return 'foreign';
    this.#assertDone(answer, id);
    return 'written';
  }

  readonly status = async (sha: string, status: CommitStatus): Promise<void> => {
    const { context, state, description, url } = status;
    await this.#client.ask(z.unknown(), {
      method: 'POST',
      path: `${this.#repository}/commits${segments(sha)}/builds`,
      body: {
        key: cutLine(context, 255),
        name: cutLine(context, 255),
        state: statusStates[state],
        description: cutLine(description, 255),
        url: url ?? `${this.#page}${segments('commits', sha)}`,
      },
      right: rights.read,
    });
  };

  async approvals({ id }: HostPull): Promise<readonly Approval[]> {
    const { reviewers, participants } = await this.#now(id);
    const approving = [...reviewers, ...participants].filter(({ approved }) => approved);
    return approving.map(({ user, lastReviewedCommit: sha }) => ({
      by: user.name,
      ...(sha !== undefined && { sha }),
    }));
  }

  async #now(id: string): Promise<Pull> {
    const path = `${this.#repository}/pull-requests${segments(id)}`;
    return this.#client.ask(pullSchema, { path, right: rights.read });
  }

  /** 409: its version is another one by now. */
  #assertDone(answer: RestAnswer<unknown>, id: string): void {
    if (answer.kind === 'done') return;
    const said = sentenceIn(answer.body);
    const message = `pull request ${id} was changed meanwhile (${said}); it is looked at again`;
    throw new Retry({ subject: this.#subject, message });
  }
}

function nameIn(body: unknown): string {
  return refusalSchema.safeParse(body).data?.errors[0]?.exceptionName ?? '';
}

/** `scm/KEY/SLUG` over HTTPS, `KEY/SLUG` over SSH; `~user` is a project as well. */
function namesIn(path: readonly string[], { name }: RepositoryConfig) {
  const [key, slug, ...rest] = path[0] === 'scm' ? path.slice(1) : path;
  if (key !== undefined && slug !== undefined && rest.length === 0) return { key, slug };
  const message = 'has no url like https://HOST/scm/KEY/REPOSITORY.git; copy the clone address of its host';
  throw new Blocked({ subject: `repository ${name}`, message });
}

function pullOf(pull: Pull): HostPull {
  return {
    id: String(pull.id),
    url: pull.links.self[0]?.href ?? '',
    state: states[pull.state],
    title: pull.title,
    body: pull.description ?? '',
    ...(pull.author !== undefined && { author: pull.author.user.name }),
    head: {
      branch: pull.fromRef.displayId,
      sha: pull.fromRef.latestCommit,
      isFork: pull.fromRef.repository.id !== pull.toRef.repository.id,
    },
    base: { branch: pull.toRef.displayId },
    labels: [],
  };
}
