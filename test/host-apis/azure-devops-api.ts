import * as z from 'zod';
import { textIn, type Answer, type Routes } from './host-server.ts';
import { idOf, type HostWorld, type WorldPull } from './host-world.ts';

const git = '/{project}/_apis/git/repositories/{repo}';
const pulls = `${git}/pullrequests`;
const states = { open: 'active', merged: 'completed', closed: 'abandoned' } as const;
const heads = 'refs/heads/';
const commentsSchema = z.tuple([
  z.object({ content: z.string(), commentType: z.literal('text'), parentCommentId: z.literal(0) }),
]);
const contextSchema = z.object({ name: z.string(), genre: z.string() });

function refusal(status: number, message: string, typeKey: string): Answer {
  return { status, json: { $id: '1', message, typeKey, errorCode: 0, eventId: 3000 } };
}
const noPull = refusal(
  404,
  'TF401180: The requested pull request was not found.',
  'GitPullRequestNotFoundException',
);
const noRepository = refusal(
  404,
  'TF401019: The Git repository does not exist.',
  'GitRepositoryNotFoundException',
);

/** The REST API of Azure DevOps over a world, as its documentation has it; every request names its version. */
export function azureDevOpsRoutes(world: HostWorld): Routes {
  const shown = (pull: WorldPull) => pullOf(pull, world);
  const routes: Routes = {
    [`GET ${git}`]: () => (world.isHidden ? noRepository : { json: { id: 'b0', name: 'fleet' } }),
    [`GET ${pulls}`]: ({ query }) => {
      if (world.isHidden) return noRepository;
      const state = query.get('searchCriteria.status') === 'active' ? 'open' : 'all';
      const branch = query.get('searchCriteria.sourceRefName')?.slice(heads.length);
      const found = world.list({ state, branch }).slice(0, Number(query.get('$top')));
      return { json: { value: found.map(shown), count: found.length } };
    },
    [`POST ${pulls}`]: ({ body }) => {
      const [branch = '', into = ''] = ['sourceRefName', 'targetRefName'].map((key) =>
        textIn(body, key).slice(heads.length),
      );
      if (world.twin(branch, into) !== undefined) {
        const message = 'TF401179: An active pull request for the source and target branch already exists.';
        return refusal(409, message, 'GitPullRequestExistsException');
      }
      const text = { title: textIn(body, 'title'), body: textIn(body, 'description'), author: world.self };
      return { status: 201, json: shown(world.open({ branch, into, ...text })) };
    },
    [`GET ${pulls}/{id}`]: ({ params }) => {
      const pull = world.isHidden ? undefined : world.find(params['id']);
      return pull === undefined ? noPull : { json: shown(pull) };
    },
    [`PATCH ${pulls}/{id}`]: ({ params, body }) => {
      const pull = world.find(params['id']);
      if (pull === undefined) return noPull;
      if ('title' in body) pull.title = textIn(body, 'title');
      if ('description' in body) pull.body = textIn(body, 'description');
      if (pull.body.length > 4_000)
        return refusal(400, 'description is too long', 'InvalidArgumentValueException');
      if (textIn(body, 'status') === 'abandoned') pull.state = 'closed';
      return { json: shown(pull) };
    },
    [`POST ${pulls}/{id}/labels`]: ({ params, body }) => {
      world.find(params['id'])?.labels.push(textIn(body, 'name'));
      return { json: { id: 'l0', name: textIn(body, 'name'), active: true } };
    },
    [`GET ${pulls}/{id}/commits`]: ({ params }) => {
      return { json: { value: [{ commitId: world.find(params['id'])?.sha }], count: 1 } };
    },
    ...talking(world),
  };
  const named = Object.entries(routes).map(([operation, handle]): [string, Routes[string]] => [
    operation,
    (call) => {
      if (call.query.get('api-version') === '7.0') return handle(call);
      return refusal(400, 'No api-version was supplied for the request.', 'VssVersionNotSpecifiedException');
    },
  ]);
  const connection = () => ({ json: { authenticatedUser: identityOf(world.self) } });
  return { ...Object.fromEntries(named), 'GET /_apis/connectionData': connection };
}

function talking(world: HostWorld): Routes {
  const threads = `${pulls}/{id}/threads`;
  const status = (sha: string, body: Readonly<Record<string, unknown>>, pull?: number): Answer => {
    const { name, genre } = contextSchema.parse(body['context']);
    const [state = '', description = '', url = ''] = ['state', 'description', 'targetUrl'].map((key) =>
      textIn(body, key),
    );
    const made = { sha, context: `${genre}/${name}`, state, description, url };
    world.statuses.push({ ...made, ...(pull !== undefined && { pull }) });
    return { status: 201, json: { id: world.statuses.length, state } };
  };
  return {
    [`GET ${threads}`]: ({ params }) => {
      const value = world.commentsOf(params['id']).map(({ id, author, text }) => ({
        id: id + 5000,
        comments: [{ id: 1, content: text, author: identityOf(author), commentType: 'text' }],
      }));
      return { json: { value, count: value.length } };
    },
    [`POST ${threads}`]: ({ params, body }) => {
      const [{ content }] = commentsSchema.parse(body['comments']);
      if (content.length > 150_000)
        return refusal(400, 'content is too long', 'InvalidArgumentValueException');
      const { id } = world.comment(Number(params['id']), world.self, content);
      return { json: { id: id + 5000, comments: [{ id: 1, content }] } };
    },
    [`PATCH ${threads}/{thread}/comments/{comment}`]: ({ params, body }) => {
      const found = world.comments.find(({ id }) => String(id + 5000) === params['thread']);
      if (found === undefined || params['comment'] !== '1') return noPull;
      found.text = textIn(body, 'content');
      return { json: { id: 1, content: found.text } };
    },
    [`POST ${git}/commits/{commit}/statuses`]: ({ params, body }) => status(params['commit'] ?? '', body),
    [`POST ${pulls}/{id}/statuses`]: ({ params, body }) => {
      return status(world.find(params['id'])?.sha ?? '', body, Number(params['id']));
    },
  };
}

function identityOf(name: string) {
  return { id: `${idOf(name)}-identity`, displayName: name.toUpperCase(), uniqueName: name };
}

function pullOf(pull: WorldPull, world: HostWorld) {
  const approving = world.reviews.filter((one) => one.pull === pull.number);
  return {
    pullRequestId: pull.number,
    title: pull.title,
    ...(pull.body !== '' && { description: pull.body }),
    status: states[pull.state],
    sourceRefName: `${heads}${pull.branch}`,
    targetRefName: `${heads}${pull.into}`,
    // Missing until the merge was tried for the first time.
    ...(pull.number % 2 === 0 && { lastMergeSourceCommit: { commitId: pull.sha } }),
    ...(pull.isFork && { forkSource: { name: `${heads}${pull.branch}`, repository: { id: 'b1' } } }),
    createdBy: identityOf(pull.author),
    ...(pull.labels.length > 0 && { labels: pull.labels.map((name) => ({ id: 'l0', name, active: true })) }),
    reviewers: [
      ...approving.map(({ by }) => ({ ...identityOf(by), vote: 10 })),
      { ...identityOf('[acme]\\everybody'), vote: 10, isContainer: true },
      { ...identityOf('linus'), vote: -5 },
    ],
  };
}
