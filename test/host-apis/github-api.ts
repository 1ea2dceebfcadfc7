import { paged, textIn, type Answer, type Routes } from './host-server.ts';
import { idOf, type HostWorld, type WorldComment, type WorldPull } from './host-world.ts';
import type { OpenApi } from './openapi.ts';

const pulls = '/repos/{owner}/{repo}/pulls';
const issues = '/repos/{owner}/{repo}/issues';
const deployments = '/repos/{owner}/{repo}/deployments';
const notFound: Answer = {
  status: 404,
  json: { message: 'Not Found', documentation_url: 'https://docs.github.com/rest', status: '404' },
};
const reviewStates = {
  approved: 'APPROVED',
  changes: 'CHANGES_REQUESTED',
  commented: 'COMMENTED',
  dismissed: 'DISMISSED',
} as const;

/** GitHub's REST API over a world; whatever a test does not drive is as in the examples of its description. */
export function gitHubRoutes(world: HostWorld, api: OpenApi): Routes {
  const account = (login: string) => ({
    ...userIn(api.example(`POST ${issues}/{issue_number}/comments`)),
    login,
    id: idOf(login),
  });
  const shown = (pull: WorldPull, operation: string) => pullOf(pull, api.example(operation), account);
  const comment = ({ id, author, text }: WorldComment) => ({
    ...api.example(`POST ${issues}/{issue_number}/comments`),
    id,
    body: text,
    user: account(author),
    performed_via_github_app: null,
  });
  return {
    'GET /user': () => ({ json: { ...api.example('GET /user'), login: world.self, id: idOf(world.self) } }),
    'GET /repos/{owner}/{repo}': () => (world.isHidden ? notFound : { json: repository(api) }),
    [`GET ${pulls}`]: ({ query, params }) => {
      if (world.isHidden) return notFound;
      const [owner, branch] = query.get('head')?.split(':') ?? [];
      if (owner !== undefined && owner !== params['owner']) return { json: [] };
      const state = query.get('state') === 'all' ? 'all' : 'open';
      const list = paged(world.list({ state, branch }), query, ['page', 'per_page']);
      return { json: list.map((pull) => shown(pull, `GET ${pulls}`)) };
    },
    [`POST ${pulls}`]: ({ body }) => {
      const [branch, into] = [textIn(body, 'head'), textIn(body, 'base')];
      if (world.twin(branch, into) !== undefined) {
        const message = `A pull request already exists for acme:${branch}.`;
        const errors = [{ resource: 'PullRequest', code: 'custom', message }];
        return { status: 422, json: { message: 'Validation Failed', errors, status: '422' } };
      }
      const text = { title: textIn(body, 'title'), body: textIn(body, 'body'), author: world.self };
      return { status: 201, json: shown(world.open({ branch, into, ...text }), `POST ${pulls}`) };
    },
    [`GET ${pulls}/{pull_number}`]: ({ params }) => {
      const pull = world.isHidden ? undefined : world.find(params['pull_number']);
      return pull === undefined ? notFound : { json: shown(pull, `GET ${pulls}/{pull_number}`) };
    },
    [`PATCH ${pulls}/{pull_number}`]: ({ params, body }) => {
      const pull = world.find(params['pull_number']);
      if (pull === undefined) return notFound;
      Object.assign(pull, body);
      return { json: shown(pull, `PATCH ${pulls}/{pull_number}`) };
    },
    [`GET ${pulls}/{pull_number}/reviews`]: ({ params, query }) => {
      const reviews = world.reviews.filter(({ pull }) => String(pull) === params['pull_number']);
      const json = reviews.map(({ by, verdict, sha }) => ({
        ...api.example(`GET ${pulls}/{pull_number}/reviews`),
        user: account(by),
        state: reviewStates[verdict],
        commit_id: sha,
      }));
      return { json: paged(json, query, ['page', 'per_page']) };
    },
    ...talking(world, api, comment),
    ...reporting(world, api),
    'GET /repos/{owner}/{repo}/collaborators/{username}/permission': ({ params }) => {
      const writer = world.reviews.some(({ by, mayWrite }) => by === params['username'] && mayWrite);
      const permission = writer ? 'write' : 'read';
      return { json: { permission, role_name: permission, user: null } };
    },
  };
}

function talking(world: HostWorld, api: OpenApi, comment: (one: WorldComment) => unknown): Routes {
  return {
    [`GET ${issues}/{issue_number}/comments`]: ({ params, query }) => {
      const json = world.commentsOf(params['issue_number']).map(comment);
      return { json: paged(json, query, ['page', 'per_page']) };
    },
    [`POST ${issues}/{issue_number}/comments`]: ({ params, body }) => {
      const text = textIn(body, 'body');
      if (text.length > 65_536)
        return { status: 422, json: { message: 'Body is too long (maximum is 65536 characters)' } };
      return { status: 201, json: comment(world.comment(Number(params['issue_number']), world.self, text)) };
    },
    [`PATCH ${issues}/comments/{comment_id}`]: ({ params, body }) => {
      const found = world.comments.find(({ id }) => String(id) === params['comment_id']);
      if (found === undefined) return notFound;
      found.text = textIn(body, 'body');
      return { json: comment(found) };
    },
    [`POST ${issues}/{issue_number}/labels`]: ({ params, body }) => {
      const pull = world.find(params['issue_number']);
      const names = Array.isArray(body['labels']) ? body['labels'].map(String) : [];
      pull?.labels.push(...names);
      const label = api.example(`POST ${issues}/{issue_number}/labels`);
      return { json: names.map((name) => ({ ...label, name })) };
    },
  };
}

function reporting(world: HostWorld, api: OpenApi): Routes {
  return {
    'POST /repos/{owner}/{repo}/statuses/{sha}': ({ params, body }) => {
      const description = textIn(body, 'description');
      if (description.length > 140) return { status: 422, json: { message: 'description is too long' } };
      const [context, state, url] = ['context', 'state', 'target_url'].map((key) => textIn(body, key));
      world.statuses.push({
        sha: params['sha'] ?? '',
        context: context ?? '',
        state: state ?? '',
        description,
        url,
      });
      return {
        status: 201,
        json: { ...api.example('POST /repos/{owner}/{repo}/statuses/{sha}'), context, state },
      };
    },
    [`GET ${deployments}`]: ({ query }) => {
      const found = world.deployments.filter(
        ({ environment, sha }) => environment === query.get('environment') && sha === query.get('sha'),
      );
      const shown = found.map(({ id, environment, sha }) => ({
        ...api.example(`GET ${deployments}`),
        id,
        environment,
        sha,
      }));
      return { json: shown.toReversed() };
    },
    [`POST ${deployments}`]: ({ body }) => {
      const [sha, environment] = [textIn(body, 'ref'), textIn(body, 'environment')];
      const made = { id: world.deployments.length + 1, environment, sha, states: [] };
      world.deployments.push(made);
      return { status: 201, json: { ...api.example(`GET ${deployments}`), id: made.id, environment, sha } };
    },
    [`GET ${deployments}/{deployment_id}/statuses`]: ({ params, query }) => {
      const { states = [] } =
        world.deployments.find(({ id }) => String(id) === params['deployment_id']) ?? {};
      const example = api.example(`GET ${deployments}/{deployment_id}/statuses`);
      const json = states.toReversed().map((state) => ({ ...example, state }));
      return { json: paged(json, query, ['page', 'per_page']) };
    },
    [`POST ${deployments}/{deployment_id}/statuses`]: ({ params, body }) => {
      const state = textIn(body, 'state');
      world.deployments.find(({ id }) => String(id) === params['deployment_id'])?.states.push(state);
      return { status: 201, json: { ...api.example(`POST ${deployments}/{deployment_id}/statuses`), state } };
    },
  };
}

function repository(api: OpenApi) {
  // The published example leaves out what its own schema asks for.
  const example = api.example('GET /repos/{owner}/{repo}');
  const language = { language: null };
  return { ...example, ...language, source: undefined, parent: undefined, template_repository: undefined };
}

function pullOf(pull: WorldPull, example: Record<string, unknown>, account: (login: string) => unknown) {
  const base = partOf(example, 'base');
  const repo = partOf(base, 'repo');
  const isMerged = pull.state === 'merged';
  const own = { ...repo, id: 1296269 };
  return {
    ...example,
    number: pull.number,
    html_url: `https://github.com/acme/fleet/pull/${pull.number}`,
    state: pull.state === 'open' ? 'open' : 'closed',
    merged_at: isMerged ? '2026-11-23T12:00:00Z' : null,
    title: pull.title,
    body: pull.body,
    user: account(pull.author),
    requested_teams: [],
    labels: pull.labels.map((name, id) => ({
      ...firstLabel(example),
      id,
      name,
    })),
    head: { ...base, ref: pull.branch, sha: pull.sha, repo: { ...own, id: pull.isFork ? 7 : own.id } },
    base: { ...base, ref: pull.into, repo: own },
  };
}

function partOf(value: Record<string, unknown>, key: string): Record<string, unknown> {
  const part = value[key];
  return typeof part === 'object' && part !== null ? { ...part } : {};
}

function firstLabel(example: Record<string, unknown>): object {
  const labels: unknown = example['labels'];
  const [label] = Array.isArray(labels) ? labels : [];
  return typeof label === 'object' && label !== null ? label : {};
}

function userIn(example: Record<string, unknown>): Record<string, unknown> {
  return partOf(example, 'user');
}
