import { paged, textIn, type Answer, type Routes } from './host-server.ts';
import { idOf, type HostWorld, type WorldComment, type WorldPull } from './host-world.ts';

const project = '/projects/{id}';
const requests = `${project}/merge_requests`;
const notFound: Answer = { status: 404, json: { message: '404 Not Found' } };
const states = { open: 'opened', merged: 'merged', closed: 'closed' } as const;
const ownId = 7;

/** GitLab's REST API over a world, as its documentation has it. */
export function gitLabRoutes(world: HostWorld): Routes {
  const found = (iid: string | undefined): WorldPull | undefined =>
    world.isHidden ? undefined : world.find(iid);
  return {
    'GET /user': () => ({ json: { id: idOf(world.self), username: world.self } }),
    [`GET ${project}`]: ({ params }) => {
      const isOwn = params['id'] === 'acme/teams/fleet' && !world.isHidden;
      return isOwn ? { json: { id: ownId } } : { status: 404, json: { message: '404 Project Not Found' } };
    },
    [`GET ${requests}`]: ({ query }) => {
      if (world.isHidden) return notFound;
      const state = query.get('state') === 'opened' ? 'open' : 'all';
      const branch = query.get('source_branch') ?? undefined;
      return { json: paged(world.list({ state, branch }), query, ['page', 'per_page']).map(pullOf) };
    },
    [`POST ${requests}`]: ({ body }) => {
      const [branch, into] = [textIn(body, 'source_branch'), textIn(body, 'target_branch')];
      const twin = world.twin(branch, into);
      if (twin !== undefined) {
        const message = [`Another open merge request already exists for this source branch: !${twin.number}`];
        return { status: 409, json: { message } };
      }
      const text = { title: textIn(body, 'title'), body: textIn(body, 'description'), author: world.self };
      return { status: 201, json: pullOf(world.open({ branch, into, ...text })) };
    },
    [`GET ${requests}/{iid}`]: ({ params }) => {
      const pull = found(params['iid']);
      return pull === undefined ? notFound : { json: pullOf(pull) };
    },
    [`PUT ${requests}/{iid}`]: ({ params, body }) => {
      const pull = found(params['iid']);
      if (pull === undefined) return notFound;
      if ('title' in body) pull.title = textIn(body, 'title');
      if ('description' in body) pull.body = textIn(body, 'description');
      if (textIn(body, 'state_event') === 'close') pull.state = 'closed';
      const added = textIn(body, 'add_labels');
      if (added !== '') pull.labels.push(...added.split(','));
      return { json: pullOf(pull) };
    },
    [`GET ${requests}/{iid}/notes`]: ({ params, query }) => ({
      json: paged(world.commentsOf(params['iid']).map(noteOf), query, ['page', 'per_page']),
    }),
    [`POST ${requests}/{iid}/notes`]: ({ params, body }) => ({
      status: 201,
      json: noteOf(world.comment(Number(params['iid']), world.self, textIn(body, 'body'))),
    }),
    [`PUT ${requests}/{iid}/notes/{note}`]: ({ params, body }) => {
      const note = world.comments.find(({ id }) => String(id) === params['note']);
      if (note === undefined) return notFound;
      note.text = textIn(body, 'body');
      return { json: noteOf(note) };
    },
    [`GET ${requests}/{iid}/approvals`]: ({ params }) => {
      const approving = world.reviews.filter((one) => String(one.pull) === params['iid']);
      return {
        json: { approved: true, approved_by: approving.map(({ by }) => ({ user: { username: by } })) },
      };
    },
    ...reporting(world),
  };
}

function reporting(world: HostWorld): Routes {
  const shown = ({ id, sha, states: all }: HostWorld['deployments'][number]) => ({
    id,
    sha,
    status: all.at(-1) ?? 'created',
  });
  return {
    [`POST ${project}/statuses/{sha}`]: ({ params, body }) => {
      const [context = '', state = '', description = ''] = ['name', 'state', 'description'].map((key) =>
        textIn(body, key),
      );
      if (description.length > 255)
        return {
          status: 400,
          json: { message: { description: ['is too long (maximum is 255 characters)'] } },
        };
      const last = world.statuses.findLast((one) => one.sha === params['sha'] && one.context === context);
      if (last?.state === 'pending' && state === 'pending') {
        const message = `Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition via "enqueue")`;
        return { status: 400, json: { message } };
      }
      world.statuses.push({ sha: params['sha'] ?? '', context, state, description });
      return {
        status: 201,
        json: { id: world.statuses.length, sha: params['sha'], name: context, status: state },
      };
    },
    [`GET ${project}/deployments`]: ({ query }) => {
      const environment = query.get('environment');
      const found = world.deployments.filter((one) => one.environment === environment);
      return { json: found.toReversed().map(shown) };
    },
    [`POST ${project}/deployments`]: ({ body }) => {
      const [environment = '', sha = '', status = ''] = ['environment', 'sha', 'status'].map((key) =>
        textIn(body, key),
      );
      if (textIn(body, 'ref') !== 'main' || body['tag'] !== false)
        return { status: 400, json: { message: 'The branch or tag does not exist' } };
      const made = { id: world.deployments.length + 1, environment, sha, states: [status] };
      world.deployments.push(made);
      return { status: 201, json: shown(made) };
    },
    [`PUT ${project}/deployments/{deployment}`]: ({ params, body }) => {
      const found = world.deployments.find(({ id }) => String(id) === params['deployment']);
      if (found === undefined) return notFound;
      found.states.push(textIn(body, 'status'));
      return { json: shown(found) };
    },
  };
}

function noteOf({ id, author, text }: WorldComment) {
  return { id, body: text, author: { id: idOf(author), username: author }, system: false };
}

function pullOf(pull: WorldPull) {
  return {
    id: 1000 + pull.number,
    iid: pull.number,
    web_url: `https://gitlab.example/acme/teams/fleet/-/merge_requests/${pull.number}`,
    state: states[pull.state],
    title: pull.title,
    description: pull.body,
    author: { id: idOf(pull.author), username: pull.author },
    source_branch: pull.branch,
    source_project_id: pull.isFork ? 8 : ownId,
    target_project_id: ownId,
    target_branch: pull.into,
    sha: pull.sha,
    labels: pull.labels,
  };
}
