import * as z from 'zod';
import { textIn, type Answer, type Routes } from './host-server.ts';
import type { HostWorld, WorldComment, WorldPull } from './host-world.ts';

const repository = '/projects/{key}/repos/{slug}';
const pulls = `${repository}/pull-requests`;
const states = { open: 'OPEN', merged: 'MERGED', closed: 'DECLINED' } as const;
const refSchema = z.object({
  id: z.templateLiteral(['refs/heads/', z.string()]),
  repository: z.object({ slug: z.string(), project: z.object({ key: z.string() }) }),
});
/** As few as to need several pages. */
const mostActivities = 40;

function refusal(status: number, message: string, exception: string): Answer {
  const errors = [{ context: null, message, exceptionName: `com.atlassian.bitbucket.${exception}` }];
  return { status, json: { errors } };
}
const noPull = refusal(404, 'Pull request does not exist', 'pull.NoSuchPullRequestException');
const noRepository = refusal(404, 'Repository does not exist.', 'repository.NoSuchRepositoryException');
const outOfDate = refusal(
  409,
  'You are attempting to modify an old version',
  'pull.PullRequestOutOfDateException',
);

/** The REST API of Bitbucket Data Center over a world, as its documentation has it. */
export function bitbucketDataCenterRoutes(world: HostWorld): Routes {
  const shown = (pull: WorldPull) => pullOf(pull, world);
  return {
    [`GET ${repository}`]: () => (world.isHidden ? noRepository : { json: { id: 7, slug: 'fleet' } }),
    [`GET ${pulls}`]: ({ query }) => {
      if (world.isHidden) return noRepository;
      const branch = query.get('at')?.replace('refs/heads/', '');
      if (branch !== undefined && query.get('direction') !== 'OUTGOING') return { json: { values: [] } };
      const state = query.get('state') === 'OPEN' ? 'open' : 'all';
      const found = world.list({ state, branch }).filter(({ isFork }) => branch === undefined || !isFork);
      const values = found.slice(0, Number(query.get('limit'))).map(shown);
      return { json: { values, isLastPage: values.length === found.length } };
    },
    [`POST ${pulls}`]: ({ body }) => {
      const [from, to] = [refSchema.parse(body['fromRef']), refSchema.parse(body['toRef'])];
      const [branch, into] = [from.id.slice(11), to.id.slice(11)];
      if (world.twin(branch, into) !== undefined) {
        const message = 'Only one pull request may be open for a given source and target branch';
        return refusal(409, message, 'pull.DuplicatePullRequestException');
      }
      const text = { title: textIn(body, 'title'), body: textIn(body, 'description'), author: world.self };
      return { status: 201, json: shown(world.open({ branch, into, ...text })) };
    },
    [`GET ${pulls}/{id}`]: ({ params }) => {
      const pull = world.isHidden ? undefined : world.find(params['id']);
      return pull === undefined ? noPull : { json: shown(pull) };
    },
    [`PUT ${pulls}/{id}`]: ({ params, body }) => {
      const pull = world.find(params['id']);
      if (pull === undefined) return noPull;
      if (body['version'] !== pull.version) return outOfDate;
      const text = { title: textIn(body, 'title'), body: textIn(body, 'description') };
      return { json: shown(Object.assign(pull, text, { version: pull.version + 1 })) };
    },
    [`POST ${pulls}/{id}/decline`]: ({ params, query }) => {
      const pull = world.find(params['id']);
      if (pull === undefined) return noPull;
      if (query.get('version') !== String(pull.version)) return outOfDate;
      return { json: shown(Object.assign(pull, { state: 'closed' as const, version: pull.version + 1 })) };
    },
    ...commenting(world),
    [`POST ${repository}/commits/{commit}/builds`]: ({ params, body }) => {
      const [key = '', state = '', description = '', url = ''] = ['key', 'state', 'description', 'url'].map(
        (one) => textIn(body, one),
      );
      if (!URL.canParse(url))
        return refusal(400, 'url is required', 'validation.ArgumentValidationException');
      world.statuses.push({ sha: params['commit'] ?? '', context: key, state, description, url });
      return { status: 204 };
    },
  };
}

function commenting(world: HostWorld): Routes {
  return {
    [`GET ${pulls}/{id}/activities`]: ({ params, query }) => {
      const comments = world.commentsOf(params['id']).toReversed();
      const all = [
        ...comments.map((one) => ({ action: 'COMMENTED', comment: commentOf(one) })),
        { action: 'OPENED' },
      ];
      const start = Number(query.get('start'));
      const values = all.slice(start, start + mostActivities);
      const isLastPage = start + mostActivities >= all.length;
      const nextPageStart = isLastPage ? null : start + mostActivities;
      return { json: { values, isLastPage, nextPageStart }, headers: { 'x-ausername': world.self } };
    },
    [`POST ${pulls}/{id}/comments`]: ({ params, body }) => {
      const text = textIn(body, 'text');
      if (text.length > 32_768) return refusal(400, 'too long', 'validation.ArgumentValidationException');
      return { status: 201, json: commentOf(world.comment(Number(params['id']), world.self, text)) };
    },
    [`PUT ${pulls}/{id}/comments/{comment}`]: ({ params, body }) => {
      const comment = world.comments.find(({ id }) => String(id) === params['comment']);
      if (comment === undefined) return noPull;
      if (body['version'] !== comment.version) return outOfDate;
      Object.assign(comment, { text: textIn(body, 'text'), version: comment.version + 1 });
      return { json: commentOf(comment) };
    },
  };
}

function commentOf({ id, author, text, version }: WorldComment) {
  return { id, version, text, author: { name: author, displayName: author.toUpperCase() } };
}

function pullOf(pull: WorldPull, world: HostWorld) {
  const approving = world.reviews.filter((one) => one.pull === pull.number);
  const own = { id: 7, slug: 'fleet', project: { key: 'ACME' } };
  const ref = (displayId: string, repo: typeof own) => {
    return { id: `refs/heads/${displayId}`, displayId, latestCommit: pull.sha, repository: repo };
  };
  return {
    id: pull.number,
    version: pull.version,
    title: pull.title,
    ...(pull.body !== '' && { description: pull.body }),
    state: states[pull.state],
    fromRef: ref(pull.branch, pull.isFork ? { ...own, id: 8, project: { key: '~mallory' } } : own),
    toRef: ref(pull.into, own),
    author: { user: { name: pull.author }, role: 'AUTHOR', approved: false },
    reviewers: approving.map(({ by, sha }) => {
      return {
        user: { name: by },
        role: 'REVIEWER',
        approved: true,
        status: 'APPROVED',
        lastReviewedCommit: sha,
      };
    }),
    participants: [],
    links: {
      self: [{ href: `https://bitbucket.example/projects/ACME/repos/fleet/pull-requests/${pull.number}` }],
    },
  };
}
