import { paged, textIn, type Answer, type Routes } from './host-server.ts';
import { idOf, type HostWorld, type WorldComment, type WorldPull } from './host-world.ts';

const pulls = '/repos/{owner}/{repo}/pulls';
const issues = '/repos/{owner}/{repo}/issues';
const labels = '/repos/{owner}/{repo}/labels';
const notFound: Answer = {
  status: 404,
  json: { errors: null, message: 'not found', url: 'https://gitea.example/api/swagger' },
};
const reviewStates = {
  approved: 'APPROVED',
  changes: 'REQUEST_CHANGES',
  commented: 'COMMENT',
  dismissed: 'APPROVED',
} as const;
/** Of `MAX_RESPONSE_ITEMS`, unless it is configured otherwise. */
const mostAtOnce = 50;
const ownId = 7;
/** Pushed to `refs/for/main` by somebody who may read. */
export const agit = 'refs/pull/1/head';

/** The REST API of Gitea and Forgejo over a world. */
export function giteaRoutes(world: HostWorld): Routes {
  const comment = ({ id, author, text }: WorldComment) => ({ id, body: text, user: accountOf(author) });
  const shown = (pull: WorldPull) => pullOf(pull, world);
  return {
    'GET /user': () => ({ json: accountOf(world.self) }),
    'GET /repos/{owner}/{repo}': () => (world.isHidden ? notFound : { json: { id: ownId, name: 'fleet' } }),
    [`GET ${pulls}`]: ({ query }) => {
      if (world.isHidden) return notFound;
      const state = query.get('state') === 'all' ? 'all' : 'open';
      return { json: paged(world.list({ state }), query, ['page', 'limit'], mostAtOnce).map(shown) };
    },
    [`POST ${pulls}`]: ({ body }) => {
      const [branch, into] = [textIn(body, 'head'), textIn(body, 'base')];
      if (world.twin(branch, into) !== undefined) {
        const message = `pull request already exists for these targets [id: 1, issue_id: 1, head_repo_id: ${ownId}]`;
        return { status: 409, json: { message, url: 'https://gitea.example/api/swagger' } };
      }
      const text = { title: textIn(body, 'title'), body: textIn(body, 'body'), author: world.self };
      return { status: 201, json: shown(world.open({ branch, into, ...text })) };
    },
    [`GET ${pulls}/{index}`]: ({ params }) => {
      const pull = world.isHidden ? undefined : world.find(params['index']);
      if (pull === undefined) return notFound;
      const json = shown(pull);
      return { json: pull.branch === agit ? { ...json, head: { ...json.head, label: '' } } : json };
    },
    [`PATCH ${pulls}/{index}`]: ({ params, body }) => {
      const pull = world.find(params['index']);
      if (pull === undefined) return notFound;
      Object.assign(pull, body);
      return { status: 201, json: shown(pull) };
    },
    [`GET ${pulls}/{index}/reviews`]: ({ params, query }) => {
      const reviews = world.reviews.filter(({ pull }) => String(pull) === params['index']);
      const json = reviews.map(({ by, verdict, sha, mayWrite }, id) => ({
        id,
        user: accountOf(by),
        state: reviewStates[verdict],
        official: mayWrite,
        dismissed: verdict === 'dismissed',
        stale: false,
        commit_id: sha,
      }));
      return { json: paged(json, query, ['page', 'limit'], mostAtOnce) };
    },
    [`GET ${issues}/{index}/comments`]: ({ params }) => ({
      json: world.commentsOf(params['index']).map(comment),
    }),
    [`POST ${issues}/{index}/comments`]: ({ params, body }) => ({
      status: 201,
      json: comment(world.comment(Number(params['index']), world.self, textIn(body, 'body'))),
    }),
    [`PATCH ${issues}/comments/{id}`]: ({ params, body }) => {
      const found = world.comments.find(({ id }) => String(id) === params['id']);
      if (found === undefined) return notFound;
      found.text = textIn(body, 'body');
      return { json: comment(found) };
    },
    [`GET ${labels}`]: ({ query }) => ({ json: paged(world.labels, query, ['page', 'limit'], mostAtOnce) }),
    [`POST ${labels}`]: ({ body }) => ({ status: 201, json: world.labelled(textIn(body, 'name')) }),
    [`POST ${issues}/{index}/labels`]: ({ params, body }) => {
      const ids: unknown[] = Array.isArray(body['labels']) ? body['labels'] : [];
      const added = world.labels.filter(({ id }) => ids.includes(id));
      world.find(params['index'])?.labels.push(...added.map(({ name }) => name));
      return { json: added };
    },
    'POST /repos/{owner}/{repo}/statuses/{sha}': ({ params, body }) => {
      const [context = '', state = '', description = '', url = ''] = [
        'context',
        'state',
        'description',
        'target_url',
      ].map((key) => textIn(body, key));
      // Its column holds as many.
      if (description.length > 255) return { status: 500, json: { message: 'Data too long for column' } };
      world.statuses.push({ sha: params['sha'] ?? '', context, state, description, url });
      return { status: 201, json: { id: world.statuses.length, context, status: state, description } };
    },
  };
}

function accountOf(login: string) {
  return { id: idOf(login), login, full_name: '', is_admin: false };
}

function pullOf(pull: WorldPull, world: HostWorld) {
  return {
    id: 1000 + pull.number,
    number: pull.number,
    html_url: `https://gitea.example/acme/fleet/pulls/${pull.number}`,
    state: pull.state === 'open' ? 'open' : 'closed',
    merged: pull.state === 'merged',
    title: pull.title,
    body: pull.body,
    user: accountOf(pull.author),
    labels: pull.labels.map((name) => world.labelled(name)),
    head: {
      label: pull.branch,
      ref: world.deleted.has(pull.branch) ? `refs/pull/${pull.number}/head` : pull.branch,
      sha: pull.sha,
      repo_id: pull.isFork ? 8 : ownId,
    },
    base: { label: pull.into, ref: pull.into, sha: pull.sha, repo_id: ownId },
  };
}
