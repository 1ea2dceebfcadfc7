import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import { textIn, type Answer, type Routes } from './host-server.ts';
import { shaOf, type HostWorld, type WorldPull } from './host-world.ts';

const targetsSchema = z.tuple([
  z.object({
    repositoryName: z.literal('fleet'),
    sourceReference: z.string(),
    destinationReference: z.string(),
  }),
]);
const heads = 'refs/heads/';

function refusal(type: string, status = 400): Answer {
  return { status, json: { __type: type, message: `${type} of a test` } };
}
const none = refusal('PullRequestDoesNotExistException');

/** The action of a request: CodeCommit has one path for all. */
export function codeCommitAction(request: IncomingMessage): string {
  const target = request.headers['x-amz-target'];
  return typeof target === 'string' ? target.replace('CodeCommit_20150413.', '') : '';
}

/** CodeCommit's pull requests over a world; only authors change their comments there. */
export function codeCommitRoutes(world: HostWorld): Routes {
  return {
    ListPullRequests: ({ body }) => {
      if (world.isHidden) return refusal('RepositoryDoesNotExistException');
      const isOpen = body['pullRequestStatus'] === 'OPEN';
      const found = world.list({ state: 'all' }).filter(({ state }) => (state === 'open') === isOpen);
      const from = Number(textIn(body, 'nextToken') === '' ? 0 : textIn(body, 'nextToken'));
      const pullRequestIds = found.slice(from, from + 60).map(({ number }) => String(number));
      const isLast = from + 60 >= found.length;
      return { json: { pullRequestIds, ...(!isLast && { nextToken: String(from + 60) }) } };
    },
    GetPullRequest: ({ body }) => pullAnswer(world, body),
    CreatePullRequest: ({ body }) => {
      const [target] = targetsSchema.parse(body['targets']);
      const branch = target.sourceReference.slice(heads.length);
      const into = target.destinationReference.slice(heads.length);
      const text = { title: textIn(body, 'title'), body: textIn(body, 'description') };
      return { json: { pullRequest: pullOf(world.open({ branch, into, author: world.self, ...text })) } };
    },
    UpdatePullRequestTitle: ({ body }) => pullAnswer(world, body, { title: textIn(body, 'title') }),
    UpdatePullRequestDescription: ({ body }) =>
      pullAnswer(world, body, { body: textIn(body, 'description') }),
    UpdatePullRequestStatus: ({ body }) => pullAnswer(world, body, { state: 'closed' }),
    GetCommentsForPullRequest: ({ body }) => {
      const all = world.commentsOf(body['pullRequestId']).map(({ id, author, text }) => ({
        repositoryName: 'fleet',
        comments: [{ commentId: String(id), content: text, authorArn: author, deleted: false }],
      }));
      const from = Number(textIn(body, 'nextToken') === '' ? 0 : textIn(body, 'nextToken'));
      const isLast = from + 50 >= all.length;
      const commentsForPullRequestData = all.slice(from, from + 50);
      return { json: { commentsForPullRequestData, ...(!isLast && { nextToken: String(from + 50) }) } };
    },
    PostCommentForPullRequest: ({ body }) => {
      const content = textIn(body, 'content');
      if (content.length > 10_240) return refusal('CommentContentSizeLimitExceededException');
      if (textIn(body, 'beforeCommitId') === '' || textIn(body, 'afterCommitId') === '')
        return refusal('CommitIdRequiredException');
      const { id } = world.comment(Number(body['pullRequestId']), world.self, content);
      return { json: { comment: { commentId: String(id), content } } };
    },
    UpdateComment: ({ body }) => {
      const comment = world.comments.find(({ id }) => String(id) === body['commentId']);
      if (comment === undefined) return refusal('CommentDoesNotExistException');
      if (comment.author !== world.self) return refusal('CommentNotCreatedByCallerException');
      comment.text = textIn(body, 'content');
      return { json: { comment: { commentId: String(comment.id), content: comment.text } } };
    },
    GetPullRequestApprovalStates: ({ body }) => {
      if (textIn(body, 'revisionId') === '') return refusal('RevisionIdRequiredException');
      const found = world.reviews.filter(({ pull }) => String(pull) === body['pullRequestId']);
      const approvals = found.map(({ by, verdict }) => ({
        userArn: by,
        approvalState: verdict === 'approved' ? 'APPROVE' : 'REVOKE',
      }));
      return { json: { approvals } };
    },
  };
}

function pullAnswer(
  world: HostWorld,
  body: Readonly<Record<string, unknown>>,
  change: Partial<WorldPull> = {},
): Answer {
  const pull = world.find(body['pullRequestId']);
  if (pull === undefined) return none;
  return { json: { pullRequest: pullOf(Object.assign(pull, change)) } };
}

function pullOf(pull: WorldPull) {
  return {
    pullRequestId: String(pull.number),
    title: pull.title,
    description: pull.body,
    pullRequestStatus: pull.state === 'open' ? 'OPEN' : 'CLOSED',
    authorArn: pull.author,
    revisionId: `revision-${pull.sha}`,
    pullRequestTargets: [
      {
        repositoryName: 'fleet',
        sourceReference: `${heads}${pull.branch}`,
        sourceCommit: pull.sha,
        destinationReference: `${heads}${pull.into}`,
        destinationCommit: shaOf(pull.into),
        mergeMetadata: { isMerged: pull.state === 'merged' },
      },
    ],
  };
}
