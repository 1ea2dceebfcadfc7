import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Approval, CommitStatus, Proposal } from '../../core/host-ports.ts';
import { linkMark, type HostApi, type HostComment, type HostPull } from './host-api.ts';
import { placeOf, segments } from './host-place.ts';
import { cutLine } from './host-text.ts';
import type { HostContext } from './open-host.ts';
import { RestClient } from './rest-client.ts';

const rights = {
  read: 'pullrequest (read:pullrequest:bitbucket) and repository (read:repository:bitbucket)',
  write: 'pullrequest:write (write:pullrequest:bitbucket)',
  status: 'repository (read:repository:bitbucket, write:repository:bitbucket)',
};
/** More at once it refuses for pull requests. */
const perPage = 50;
const mostPages = 10;
const fullSha = /^[0-9a-f]{40}$/;

const accountSchema = z.object({
  uuid: z.string().optional(),
  nickname: z.string().optional(),
  display_name: z.string().optional(),
});
const endSchema = z.object({
  branch: z.object({ name: z.string() }),
  commit: z.object({ hash: z.string() }).nullish(),
  repository: z.object({ full_name: z.string() }).nullish(),
});
const pullSchema = z.object({
  id: z.number().int(),
  title: z.string(),
  description: z.string().nullish(),
  state: z.enum(['OPEN', 'MERGED', 'DECLINED', 'SUPERSEDED']),
  links: z.object({ html: z.object({ href: z.string() }) }),
  author: accountSchema.nullish(),
  source: endSchema,
  destination: endSchema,
  reviewers: z.array(accountSchema).optional(),
  participants: z.array(z.object({ user: accountSchema, approved: z.boolean() })).optional(),
});
const pageSchema = z.object({ values: z.array(pullSchema), next: z.string().optional() });
const commentSchema = z.object({
  id: z.number(),
  content: z.object({ raw: z.string().nullish() }),
  user: accountSchema.nullish(),
  deleted: z.boolean().optional(),
});

const states = { OPEN: 'open', MERGED: 'merged', DECLINED: 'closed', SUPERSEDED: 'closed' } as const;
const statusStates = {
  pending: 'INPROGRESS',
  success: 'SUCCESSFUL',
  failure: 'FAILED',
  overtaken: 'STOPPED',
} as const;

/** The REST API of Bitbucket Cloud, version 2.0. */
export class BitbucketApi implements HostApi {
  readonly longest = { title: 255, body: 32_000, comment: 32_000 };
  readonly markOf = linkMark;
  readonly #client: RestClient;
  readonly #repository: string;
  readonly #page: string;
  readonly #shas = new Map<string, string>();

  constructor({ repository, token, clock }: HostContext) {
    const known = { 'bitbucket.org': 'https://api.bitbucket.org/2.0' };
    const { apiUrl, host, path } = placeOf(repository, '/2.0', known);
    this.#repository = `/repositories${segments(...path)}`;
    this.#page = `https://bitbucket.org${segments(...path)}`;
    const subject = `repository ${repository.name}`;
    this.#client = new RestClient({
      apiUrl,
      host,
      subject,
      from: token.from,
      clock,
      headers: { authorization: authorizationOf(token) },
    });
  }

  async pull(id: string): Promise<HostPull | undefined> {
    const path = `${this.#repository}/pullrequests${segments(id)}`;
    const pull = await this.#client.find(pullSchema, { path, right: rights.read });
    if (pull !== undefined) return this.#pullOf(pull);
    // A repository that the token may not see answers 404 as well.
    await this.#client.ask(z.unknown(), { path: this.#repository, right: rights.read });
    return undefined;
  }

  async pulls({ state, branch }: Parameters<HostApi['pulls']>[0]): Promise<readonly HostPull[]> {
    const found: HostPull[] = [];
    for (let page = 1; page <= 2; page += 1) {
      const { values, next } = await this.#client.ask(pageSchema, {
        path: `${this.#repository}/pullrequests`,
        query: {
          state: state === 'open' ? 'OPEN' : Object.keys(states),
          ...(branch !== undefined && { q: `source.branch.name = ${JSON.stringify(branch)}` }),
          sort: '-created_on',
          pagelen: perPage,
          page,
        },
        right: rights.read,
      });
      for (const pull of values) found.push(await this.#pullOf(pull));
      if (next === undefined) break;
    }
    return found;
  }

  async create({ branch, into, title, body }: Proposal): Promise<HostPull> {
    const pull = await this.#client.ask(pullSchema, {
      method: 'POST',
      path: `${this.#repository}/pullrequests`,
      body: {
        title,
        description: body,
        source: { branch: { name: branch } },
        destination: { branch: { name: into } },
      },
      right: rights.write,
    });
    return this.#pullOf(pull);
  }

  async rewrite({ id }: HostPull, { title, body }: Proposal): Promise<void> {
    const path = `${this.#repository}/pullrequests${segments(id)}`;
    // What is left out is emptied.
    const { reviewers = [] } = await this.#client.ask(pullSchema, { path, right: rights.read });
    const change = { title, description: body, reviewers: reviewers.map(({ uuid }) => ({ uuid })) };
    await this.#client.ask(z.unknown(), { method: 'PUT', path, body: change, right: rights.write });
  }

  async close({ id }: HostPull): Promise<void> {
    const path = `${this.#repository}/pullrequests${segments(id)}/decline`;
    await this.#client.ask(z.unknown(), { method: 'POST', path, right: rights.write });
  }

  async comments(id: string): Promise<readonly HostComment[]> {
    const request = { path: '/user', right: 'account', known: [401, 403, 404] };
    // Tokens of a repository or workspace have no account.
    const self = await this.#client.try(accountSchema, request);
    const uuid = self.kind === 'done' ? self.value.uuid : undefined;
    const found: HostComment[] = [];
    const schema = z.object({ values: z.array(commentSchema), next: z.string().optional() });
    for (let page = 1; page <= mostPages; page += 1) {
      const query = { pagelen: 100, page };
      const path = this.#comments(id);
      const { values, next } = await this.#client.ask(schema, { path, query, right: rights.read });
      for (const { id: comment, content, user, deleted } of values) {
        const isOwn = uuid === undefined ? undefined : user?.uuid === uuid;
        if (deleted !== true) found.push({ id: String(comment), text: content.raw ?? '', isOwn });
      }
      if (next === undefined) break;
    }
    return found;
  }

  async addComment(id: string, text: string): Promise<void> {
    const body = { content: { raw: text } };
    const request = { method: 'POST', path: this.#comments(id), body, right: rights.write } as const;
    await this.#client.ask(z.unknown(), request);
  }

  async editComment(id: string, comment: HostComment, text: string): Promise<'written' | 'foreign'> {
    const answer = await this.#client.try(z.unknown(), {
      method: 'PUT',
      path: `${this.#comments(id)}${segments(comment.id)}`,
      body: { content: { raw: text } },
      right: rights.write,
      known: comment.isOwn === undefined ? [403] : [],
    });
    return answer.kind === 'done' ? 'written' : 'foreign';
  }

  readonly status = async (sha: string, status: CommitStatus): Promise<void> => {
    const { context, state, description, url } = status;
    // A key holds 40 characters, as many as a digest has.
    const key = context.length <= 40 ? context : createHash('sha1').update(context).digest('hex');
    await this.#client.ask(z.unknown(), {
      method: 'POST',
      path: `${this.#repository}/commit${segments(sha)}/statuses/build`,
      body: {
        key,
        name: cutLine(context, 255),
        state: statusStates[state],
        description: cutLine(description, 255),
        url: url ?? `${this.#page}${segments('commits', sha)}`,
      },
      right: rights.status,
    });
  };

  async approvals({ id }: HostPull): Promise<readonly Approval[]> {
    const path = `${this.#repository}/pullrequests${segments(id)}`;
    const { participants = [] } = await this.#client.ask(pullSchema, { path, right: rights.read });
    const approving = participants.filter(({ approved }) => approved);
    return approving.map(({ user }) => ({ by: nameOf(user) ?? 'somebody' }));
  }

  #comments(id: string): string {
    return `${this.#repository}/pullrequests${segments(id)}/comments`;
  }

  async #pullOf(pull: z.infer<typeof pullSchema>): Promise<HostPull> {
    const author = nameOf(pull.author);
    const { source, destination } = pull;
    return {
      id: String(pull.id),
      url: pull.links.html.href,
      state: states[pull.state],
      title: pull.title,
      body: pull.description ?? '',
      ...(author !== undefined && { author }),
      head: {
        branch: source.branch.name,
        sha: await this.#shaOf(source),
        // A fork that is gone has no name.
        isFork: source.repository?.full_name !== destination.repository?.full_name,
      },
      base: { branch: destination.branch.name },
      labels: [],
    };
  }

  /** Pull requests show twelve digits of it. */
  async #shaOf({ commit, repository }: z.infer<typeof endSchema>): Promise<string> {
    const hash = commit?.hash ?? '';
    const known = this.#shas.get(hash);
    if (hash === '' || repository === undefined || repository === null || fullSha.test(hash)) return hash;
    if (known !== undefined) return known;
    const path = `/repositories${segments(...repository.full_name.split('/'), 'commit', hash)}`;
    // A fork may be private.
    const schema = z.object({ hash: z.string() });
    const answer = await this.#client.try(schema, { path, right: rights.read, known: [403, 404] });
    const whole = answer.kind === 'done' ? answer.value.hash : hash;
    this.#shas.set(hash, whole);
    return whole;
  }
}

function nameOf(account: z.infer<typeof accountSchema> | null | undefined): string | undefined {
  return account?.nickname ?? account?.display_name ?? account?.uuid;
}

/** Access tokens come alone, or as git wants them; API tokens with the account's mail address before a colon. */
function authorizationOf({ user, text }: HostContext['token']): string {
  if (user === undefined || user === 'x-token-auth') return `Bearer ${text}`;
  return `Basic ${Buffer.from(`${user}:${text}`).toString('base64')}`;
}
