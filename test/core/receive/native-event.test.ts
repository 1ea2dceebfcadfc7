import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { nativeEventSchema } from '../../../core/receive/native-event.ts';
import { receiveNative } from '../../../core/receive.ts';
import { everyHook, world } from '../../fakes/hook-world.ts';
import { RecordingBus } from '../../fakes/recorders.ts';

const digest = `sha256:${'7f5b'.repeat(16)}`;
// docs.aws.amazon.com, AmazonECR: events and EventBridge.
const ecr = {
  version: '0',
  id: '13cde686-328b-6117-af20-0e5566167482',
  'detail-type': 'ECR Image Action',
  source: 'aws.ecr',
  account: '123456789012',
  time: '2026-11-16T01:54:34Z',
  region: 'us-west-2',
  resources: [],
  detail: {
    result: 'SUCCESS',
    'repository-name': 'team/app',
    'image-digest': digest,
    'action-type': 'PUSH',
    'image-tag': 'latest',
  },
};
// docs.aws.amazon.com, CodeCommit: monitoring events.
const codecommit = {
  version: '0',
  id: '01234567-0123-0123-0123-012345678901',
  'detail-type': 'CodeCommit Repository State Change',
  source: 'aws.codecommit',
  account: '123456789012',
  time: '2026-06-12T10:23:43Z',
  region: 'eu-west-1',
  resources: ['arn:aws:codecommit:eu-west-1:123456789012:shop'],
  detail: {
    event: 'referenceUpdated',
    repositoryName: 'shop',
    repositoryId: '12345678-1234-5678-abcd-12345678abcd',
    referenceType: 'branch',
    referenceName: 'main',
    referenceFullName: 'refs/heads/main',
    commitId: '3e5983EXAMPLE'.replace('EXAMPLE', 'a'.repeat(34)),
    oldCommitId: 'b'.repeat(40),
    baseCommitId: 'c'.repeat(40),
  },
};
const zeros = '0'.repeat(40);
const { commitId } = codecommit.detail;

async function take(event: unknown) {
  const { deps, bus, record, clock } = world(new RecordingBus(), everyHook);
  const native = nativeEventSchema.parse(event);
  await receiveNative(native, deps);
  clock.advance(1_000);
  await receiveNative(native, deps);
  const provider = native.source === 'aws.ecr' ? 'ecr' : 'codecommit';
  // Each is traced, whichever way it came.
  const events = bus.events.map((published) => {
    assert.ok('trace' in published.detail);
    const { trace: _trace, ...detail } = published.detail;
    return { ...published, detail };
  });
  return { events, recorded: await record(keys.delivery(provider, native.id)) };
}

test('an image of ECR is published once, with its registry', async () => {
  const { events, recorded } = await take(ecr);
  assert.deepEqual(events, [
    {
      type: 'ImagePushed',
      detail: {
        version: 1,
        at: '2026-11-23T12:00:00.000Z',
        deliveryId: ecr.id,
        provider: 'ecr',
        repository: '123456789012.dkr.ecr.us-west-2.amazonaws.com/team/app',
        tag: 'latest',
        digest,
      },
    },
  ]);
  assert.equal(recorded?.state, 'published');
});

for (const [what, change, says] of [
  ['a deletion', { 'action-type': 'DELETE' }, 'DELETE SUCCESS of team/app'],
  ['a push that failed', { result: 'FAILURE' }, 'PUSH FAILURE of team/app'],
  ['one platform of several', { 'image-tag': undefined }, 'an image without a tag in team/app'],
] as const) {
  test(`${what} of ECR is recorded with the reason`, async () => {
    const { events, recorded } = await take({ ...ecr, detail: { ...ecr.detail, ...change } });
    assert.deepEqual(events, []);
    assert.deepEqual([recorded?.state, recorded?.outcome], ['ignored', says]);
  });
}

for (const [event, change, before, after] of [
  ['referenceUpdated', {}, 'b'.repeat(40), commitId],
  ['referenceCreated', { oldCommitId: undefined }, zeros, commitId],
  ['referenceDeleted', { oldCommitId: undefined }, commitId, zeros],
] as const) {
  test(`${event} of CodeCommit is a push like any other`, async () => {
    const { events } = await take({ ...codecommit, detail: { ...codecommit.detail, ...change, event } });
    assert.equal(events.length, 1);
    const [{ type, detail } = { type: 'none', detail: {} }] = events;
    assert.equal(type, 'PushReceived');
    assert.deepEqual(detail, {
      version: 1,
      at: '2026-11-23T12:00:00.000Z',
      deliveryId: codecommit.id,
      provider: 'codecommit',
      repository: 'commit',
      ref: 'refs/heads/main',
      before,
      after,
      deleted: event === 'referenceDeleted',
    });
  });
}

test('a repository of CodeCommit in another region is not ours', async () => {
  const { events, recorded } = await take({ ...codecommit, region: 'us-east-1' });
  assert.deepEqual(events, []);
  assert.match(
    recorded?.outcome ?? '',
    /^repository git-codecommit\.us-east-1\.amazonaws\.com\/v1\/repos\/shop is not configured/,
  );
});

// docs.aws.amazon.com, CodeCommit: monitoring events.
const pull = {
  ...codecommit,
  'detail-type': 'CodeCommit Pull Request State Change',
  detail: {
    event: 'pullRequestSourceBranchUpdated',
    pullRequestId: '5',
    pullRequestStatus: 'Open',
    repositoryNames: ['shop'],
    sourceReference: 'refs/heads/topic',
    destinationReference: 'refs/heads/main',
    sourceCommit: 'b'.repeat(40),
    destinationCommit: 'c'.repeat(40),
    isMerged: 'False',
    title: 'A change',
  },
};

for (const [event, pullRequestStatus, action] of [
  ['pullRequestCreated', 'Open', 'opened'],
  ['pullRequestSourceBranchUpdated', 'Open', 'updated'],
  ['pullRequestStatusChanged', 'Closed', 'closed'],
  ['pullRequestMergeStatusUpdated', 'Closed', 'closed'],
  ['pullRequestApprovalStateChanged', 'Open', 'reviewed'],
] as const) {
  test(`${event} of CodeCommit is a pull request like any other`, async () => {
    const { events } = await take({ ...pull, detail: { ...pull.detail, event, pullRequestStatus } });
    assert.deepEqual(events, [
      {
        type: 'PullRequestChanged',
        detail: {
          version: 1,
          at: '2026-11-23T12:00:00.000Z',
          deliveryId: pull.id,
          provider: 'codecommit',
          repository: 'commit',
          id: '5',
          action,
          head: { branch: 'topic', sha: 'b'.repeat(40) },
          base: { branch: 'main' },
        },
      },
    ]);
  });
}

test('a rule of approvals is nothing that a pull request changes by', async () => {
  const detail = { ...pull.detail, event: 'pullRequestApprovalRuleCreated', sourceReference: undefined };
  assert.match((await take({ ...pull, detail })).recorded?.outcome ?? '', /ApprovalRuleCreated of pull/);
});

test('a comment on a commit moves nothing', async () => {
  const detail = { ...codecommit.detail, event: 'commentOnCommitCreated', referenceFullName: undefined };
  assert.match((await take({ ...codecommit, detail })).recorded?.outcome ?? '', /moved no ref/);
});
