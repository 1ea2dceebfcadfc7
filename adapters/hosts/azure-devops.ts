import * as z from 'zod';
import type { RepositoryConfig } from '../../core/contract/repository.ts';
import { Blocked } from '../../core/errors.ts';
import type { Approval, CommitStatus, Proposal } from '../../core/host-ports.ts';
import { htmlMark, type HostApi, type HostComment, type HostPull } from './host-api.ts';
import { sentenceIn } from './host-fault.ts';
import { placeOf, segments, type HostPlace } from './host-place.ts';
import { cutLine } from './host-text.ts';
import type { HostContext } from './open-host.ts';
import { RestClient, type RestRequest } from './rest-client.ts';

const rights = {
  pulls: '"Code: Read & write" and "Contribute to pull requests"',
  status: '"Code: Status"',
};
const version = '7.0';
const perPage = 100;
const heads = 'refs/heads/';

const identitySchema = z.object({
  id: z.string(),
  displayName: z.string().optional(),
  uniqueName: z.string().optional(),
});
const pullSchema = z.object({
  pullRequestId: z.number().int(),
  title: z.string(),
  description: z.string().nullish(),
  status: z.enum(['notSet', 'active', 'abandoned', 'completed', 'all']),
  sourceRefName: z.string(),
  targetRefName: z.string(),
  lastMergeSourceCommit: z.object({ commitId: z.string() }).nullish(),
  forkSource: z.unknown().optional(),
  createdBy: identitySchema.nullish(),
  labels: z.array(z.object({ name: z.string() })).nullish(),
  reviewers: z
    .array(identitySchema.extend({ vote: z.number(), isContainer: z.boolean().optional() }))
    .nullish(),
});
type Pull = z.infer<typeof pullSchema>;
const threadsSchema = z.object({
  value: z.array(
    z.object({
      id: z.number(),
      isDeleted: z.boolean().optional(),
      comments: z
        .array(
          z.object({
            id: z.number(),
            content: z.string().nullish(),
            author: identitySchema.nullish(),
            isDeleted: z.boolean().optional(),
          }),
        )
        .nullish(),
    }),
  ),
});

const states = {
  notSet: 'open',
  active: 'open',
  all: 'open',
  abandoned: 'closed',
  completed: 'merged',
} as const;
const statusStates = {
  pending: 'pending',
  success: 'succeeded',
  failure: 'failed',
  overtaken: 'error',
} as const;
/** 10: approved; 5: approved with suggestions. */
const leastApproval = 5;

/** The REST API of Azure DevOps Services and Server, version 7.0. */
export class AzureDevOpsApi implements HostApi {
  readonly longest = { title: 400, body: 4_000, comment: 150_000 };
  readonly markOf = htmlMark;
  readonly #client: RestClient;
  readonly #git: string;
  readonly #page: string;

  constructor({ repository, token, clock }: HostContext) {
    const { apiUrl, host, project, name } = azurePlaceOf(repository);
    this.#git = `${segments(project)}/_apis/git/repositories${segments(name)}`;
    this.#page = `${apiUrl}${segments(project, '_git', name)}`;
    const subject = `repository ${repository.name}`;
    const credentials = Buffer.from(`${token.user ?? ''}:${token.text}`).toString('base64');
    const headers = { authorization: `Basic ${credentials}` };
    this.#client = new RestClient({ apiUrl, host, subject, from: token.from, clock, headers });
  }

  async pull(id: string): Promise<HostPull | undefined> {
    const request = this.#request(`/pullrequests${segments(id)}`);
    const pull = await this.#client.find(pullSchema, request);
    if (pull !== undefined) return this.#pullOf(pull);
    // A repository that is not there answers 404 as well.
    await this.#client.ask(z.unknown(), this.#request(''));
    return undefined;
  }

  async pulls({ state, branch }: Parameters<HostApi['pulls']>[0]): Promise<readonly HostPull[]> {
    const query = {
      'searchCriteria.status': state === 'open' ? 'active' : 'all',
      ...(branch !== undefined && { 'searchCriteria.sourceRefName': `${heads}${branch}` }),
      $top: perPage,
    };
    const request = this.#request('/pullrequests', { query });
    const { value } = await this.#client.ask(z.object({ value: z.array(pullSchema) }), request);
    const pulls = await Promise.all(value.map((pull) => this.#pullOf(pull)));
    return pulls.sort((one, other) => Number(other.id) - Number(one.id));
  }

  async create({ branch, into, title, body }: Proposal): Promise<HostPull | 'exists'> {
    const refs = { sourceRefName: `${heads}${branch}`, targetRefName: `${heads}${into}` };
    const request = this.#request('/pullrequests', {
      method: 'POST',
      body: { ...refs, title, description: body },
    });
    const answer = await this.#client.try(pullSchema, { ...request, known: [409] });
    if (answer.kind === 'done') return this.#pullOf(answer.value);
    // TF401179: An active pull request for the source and target branch already exists.
    if (/TF401179|already exists/.test(sentenceIn(answer.body))) return 'exists';
    throw this.#client.fault(answer, rights.pulls);
  }

  async rewrite({ id }: HostPull, { title, body }: Proposal): Promise<void> {
    await this.#send('PATCH', `/pullrequests${segments(id)}`, { title, description: body });
  }

  readonly label = async (id: string, labels: readonly string[]): Promise<void> => {
    for (const name of labels) await this.#send('POST', `/pullRequests${segments(id)}/labels`, { name });
  };

  async close({ id }: HostPull): Promise<void> {
    await this.#send('PATCH', `/pullrequests${segments(id)}`, { status: 'abandoned' });
  }

  async comments(id: string): Promise<readonly HostComment[]> {
    const connection = z.object({ authenticatedUser: identitySchema });
    const path = '/_apis/connectionData';
    const { authenticatedUser } = await this.#client.ask(connection, { path, right: rights.pulls });
    const request = this.#request(`/pullRequests${segments(id)}/threads`);
    const { value } = await this.#client.ask(threadsSchema, request);
    return value.flatMap((thread) => {
      // Answers in a thread of somebody else are none of ours.
      const [first] = thread.isDeleted === true ? [] : (thread.comments ?? []);
      if (first === undefined || first.isDeleted === true) return [];
      const isOwn = first.author?.id === authenticatedUser.id;
      return [{ id: `${thread.id}/${first.id}`, text: first.content ?? '', isOwn }];
    });
  }

  async addComment(id: string, text: string): Promise<void> {
    // Without a status: an open thread could hold up the merge.
    const comment = { parentCommentId: 0, content: text, commentType: 'text' };
    await this.#send('POST', `/pullRequests${segments(id)}/threads`, { comments: [comment] });
  }

  async editComment(id: string, comment: HostComment, text: string): Promise<'written'> {
    const [thread = '', own = ''] = comment.id.split('/');
    const path = `/pullRequests${segments(id, 'threads', thread, 'comments', own)}`;
    await this.#send('PATCH', path, { content: text });
    return 'written';
  }

  /** On the commit, and on the open pull requests that it heads: only theirs can be required before a merge. */
  readonly status = async (sha: string, status: CommitStatus): Promise<void> => {
    const [, genre, name = status.context] = /^([^/]+)\/(.+)$/.exec(status.context) ?? [];
    const body = {
      state: statusStates[status.state],
      description: cutLine(status.description, 255),
      ...(status.url !== undefined && { targetUrl: status.url }),
      context: { name, ...(genre !== undefined && { genre }) },
    };
    await this.#send('POST', `/commits${segments(sha)}/statuses`, body, rights.status);
    for (const { id, head } of await this.pulls({ state: 'open' })) {
      if (head.sha !== sha) continue;
      await this.#send('POST', `/pullRequests${segments(id)}/statuses`, body, rights.status);
    }
  };

  async approvals({ id }: HostPull): Promise<readonly Approval[]> {
    const { reviewers } = await this.#client.ask(pullSchema, this.#request(`/pullrequests${segments(id)}`));
    const people = (reviewers ?? []).filter(({ vote, isContainer }) => {
      return vote >= leastApproval && isContainer !== true;
    });
    return people.map((one) => ({ by: one.uniqueName ?? one.displayName ?? one.id }));
  }

  #request(rest: string, request: Omit<RestRequest, 'path' | 'right'> = {}, right = rights.pulls) {
    const query = { ...request.query, 'api-version': version };
    return { ...request, path: `${this.#git}${rest}`, query, right };
  }

  async #send(method: 'POST' | 'PATCH', rest: string, body: unknown, right = rights.pulls): Promise<void> {
    await this.#client.ask(z.unknown(), this.#request(rest, { method, body }, right));
  }

  async #pullOf(pull: Pull): Promise<HostPull> {
    const author = pull.createdBy?.uniqueName ?? pull.createdBy?.displayName;
    return {
      id: String(pull.pullRequestId),
      url: `${this.#page}${segments('pullrequest', pull.pullRequestId)}`,
      state: states[pull.status],
      title: pull.title,
      body: pull.description ?? '',
      ...(author !== undefined && { author }),
      head: {
        branch: branchOf(pull.sourceRefName),
        sha: pull.lastMergeSourceCommit?.commitId ?? (await this.#newestOf(pull.pullRequestId)),
        isFork: pull.forkSource !== undefined && pull.forkSource !== null,
      },
      base: { branch: branchOf(pull.targetRefName) },
      labels: (pull.labels ?? []).map(({ name }) => name),
    };
  }

  /** A pull request has no merge commit until a moment after it was opened. */
  async #newestOf(id: number): Promise<string> {
    const schema = z.object({ value: z.array(z.object({ commitId: z.string() })) });
    const request = this.#request(`/pullRequests${segments(id)}/commits`, { query: { $top: 1 } });
    return (await this.#client.ask(schema, request)).value[0]?.commitId ?? '';
  }
}

function branchOf(ref: string): string {
  return ref.startsWith(heads) ? ref.slice(heads.length) : ref;
}

/** `…/PROJECT/_git/REPOSITORY` (without a project where it has the same name), or `v3/ORGANIZATION/PROJECT/REPOSITORY` by SSH. */
function azurePlaceOf(
  repository: RepositoryConfig,
): Omit<HostPlace, 'path'> & { readonly project: string; readonly name: string } {
  const { hostname } = new URL(repository.url);
  const { apiUrl, host, path } = placeOf(repository, '');
  const configured = repository.host?.apiUrl;
  const [first, organization, project, name] = path;
  if (first === 'v3' && organization !== undefined && project !== undefined && name !== undefined) {
    const base = configured ?? `https://dev.azure.com${segments(organization)}`;
    return { apiUrl: base, host: new URL(base).host, project, name };
  }
  const at = path.indexOf('_git');
  const own = at < 0 ? undefined : path[at + 1];
  if (own === undefined) {
    const message =
      'has no url like https://dev.azure.com/ORGANIZATION/PROJECT/_git/REPOSITORY; copy the clone address of its host';
    throw new Blocked({ subject: `repository ${repository.name}`, message });
  }
  const before = path.slice(0, at);
  // What comes before the project: an organization, or the collections of a server.
  const outer = hostname.endsWith('.visualstudio.com')
    ? before.filter((part) => part === 'DefaultCollection')
    : before.slice(0, Math.max(1, before.length - 1));
  const base = configured === undefined ? `${apiUrl}${segments(...outer)}` : apiUrl;
  return { apiUrl: base, host, project: before[outer.length] ?? own, name: own };
}
