import * as z from 'zod';
import { paged, textIn, type Answer, type Routes } from './host-server.ts';
import { idOf, type HostWorld, type WorldComment, type WorldPull } from './host-world.ts';

const repository = '/repositories/{workspace}/{repo}';
const pulls = `${repository}/pullrequests`;
const states = { open: 'OPEN', merged: 'MERGED', closed: 'DECLINED' } as const;
const endSchema = z.object({ branch: z.object({ name: z.string() }) });
const contentSchema = z.object({ raw: z.string() });

function refusal(status: number, message: string): Answer {
  return { status, json: { type: 'error', error: { message } } };
}
const notFound = refusal(404, 'Resource not found');

/** The REST API of Bitbucket Cloud over a world, as its documentation has it. `hasAccount`: the token is a person's. */
export function bitbucketRoutes(world: HostWorld, hasAccount = true): Routes {
  const shown = (pull: WorldPull) => pullOf(pull, world);
  return {
    'GET /user': () => {
      if (!hasAccount) return refusal(403, 'This API is not accessible by this authentication mechanism.');
      return { json: accountOf(world.self) };
    },
    [`GET ${repository}`]: () => (world.isHidden ? notFound : { json: { full_name: 'acme/fleet' } }),
    [`GET ${pulls}`]: ({ query }) => {
      if (world.isHidden) return notFound;
      const wanted = query.getAll('state');
      const [, branch] = /^source\.branch\.name = "(.*)"$/.exec(query.get('q') ?? '') ?? [];
      const list = world.list({ state: 'all', branch });
      if (Number(query.get('pagelen')) > 50) return refusal(400, 'Invalid pagelen');
      const found = list.filter((pull) => wanted.includes(states[pull.state]));
      return pageOf(found.map(shown), query, 50);
    },
    [`POST ${pulls}`]: ({ body }) => {
      const [branch, into] = [branchIn(body['source']), branchIn(body['destination'])];
      const text = { title: textIn(body, 'title'), body: textIn(body, 'description') };
      const pull = world.twin(branch, into) ?? world.open({ branch, into, author: world.self });
      return { status: 201, json: shown(Object.assign(pull, text)) };
    },
    [`GET ${pulls}/{id}`]: ({ params }) => {
      const pull = world.isHidden ? undefined : world.find(params['id']);
      return pull === undefined ? notFound : { json: shown(pull) };
    },
    [`PUT ${pulls}/{id}`]: ({ params, body }) => {
      const pull = world.find(params['id']);
      if (pull === undefined) return notFound;
      // What is left out is emptied.
      if (!Array.isArray(body['reviewers']) || body['reviewers'].length !== 1)
        return refusal(400, 'reviewers were lost');
      return {
        json: shown(Object.assign(pull, { title: textIn(body, 'title'), body: textIn(body, 'description') })),
      };
    },
    [`POST ${pulls}/{id}/decline`]: ({ params }) => {
      const pull = world.find(params['id']);
      if (pull?.state !== 'open') return refusal(400, 'This pull request is already closed.');
      return { json: shown(Object.assign(pull, { state: 'closed' as const })) };
    },
    ...commenting(world),
    [`GET ${repository}/commit/{commit}`]: ({ params }) => {
      const pull = world.pulls.find(({ sha }) => sha.startsWith(params['commit'] ?? '-'));
      return pull === undefined ? notFound : { json: { hash: pull.sha } };
    },
    [`POST ${repository}/commit/{commit}/statuses/build`]: ({ params, body }) => {
      const [key = '', name = '', state = '', description = '', url = ''] = [
        'key',
        'name',
        'state',
        'description',
        'url',
      ].map((one) => textIn(body, one));
      if (key.length > 40) return refusal(400, 'key: Ensure this value has at most 40 characters');
      if (!URL.canParse(url)) return refusal(400, 'url: required key not provided');
      world.statuses.push({ sha: params['commit'] ?? '', context: name, state, description, url });
      return { status: 201, json: { key, name, state } };
    },
  };
}

function commenting(world: HostWorld): Routes {
  return {
    [`GET ${pulls}/{id}/comments`]: ({ params, query }) => {
      return pageOf(world.commentsOf(params['id']).map(commentOf), query, 100);
    },
    [`POST ${pulls}/{id}/comments`]: ({ params, body }) => {
      const { raw } = contentSchema.parse(body['content']);
      if (raw.length > 32_768) return refusal(400, 'content.raw: too long');
      return { status: 201, json: commentOf(world.comment(Number(params['id']), world.self, raw)) };
    },
    [`PUT ${pulls}/{id}/comments/{comment}`]: ({ params, body }) => {
      const comment = world.comments.find(({ id }) => String(id) === params['comment']);
      if (comment === undefined) return notFound;
      if (comment.author !== world.self) return refusal(403, 'You may only edit your own comments.');
      comment.text = contentSchema.parse(body['content']).raw;
      return { json: commentOf(comment) };
    },
  };
}

function pageOf(list: readonly unknown[], query: URLSearchParams, most: number): Answer {
  const values = paged(list, query, ['page', 'pagelen'], most);
  const page = Number(query.get('page') ?? 1);
  const isLast = page * most >= list.length;
  return { json: { values, page, pagelen: most, ...(!isLast && { next: 'https://elsewhere.example/' }) } };
}

function branchIn(end: unknown): string {
  return endSchema.parse(end).branch.name;
}

function accountOf(name: string) {
  return { type: 'user', uuid: `{${idOf(name)}}`, nickname: name, display_name: name.toUpperCase() };
}

function commentOf({ id, author, text }: WorldComment) {
  return { id, content: { raw: text, markup: 'markdown' }, user: accountOf(author), deleted: false };
}

function pullOf(pull: WorldPull, world: HostWorld) {
  const approving = world.reviews.filter((one) => one.pull === pull.number);
  const own = { type: 'repository', full_name: 'acme/fleet' };
  const end = (name: string, sha: string, repo: object) => {
    return { branch: { name }, commit: { type: 'commit', hash: sha.slice(0, 12) }, repository: repo };
  };
  return {
    id: pull.number,
    title: pull.title,
    description: pull.body,
    state: states[pull.state],
    links: { html: { href: `https://bitbucket.org/acme/fleet/pull-requests/${pull.number}` } },
    author: accountOf(pull.author),
    source: end(pull.branch, pull.sha, pull.isFork ? { ...own, full_name: 'mallory/fleet' } : own),
    destination: end(pull.into, pull.sha, own),
    reviewers: [accountOf('grace')],
    participants: [
      ...approving.map(({ by }) => ({ user: accountOf(by), role: 'REVIEWER', approved: true })),
      { user: accountOf('linus'), role: 'PARTICIPANT', approved: false },
    ],
  };
}
