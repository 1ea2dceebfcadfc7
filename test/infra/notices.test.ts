import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import type { StackConfigInput } from '../../core/contract/config.ts';
import { noticeMessageSchema, noticedEvents } from '../../core/contract/notice-messages.ts';
import { rolesIn } from './role-rights.ts';
import { flatten, ofType, sample, synthesize } from './synthesized.ts';

const topicArn = 'arn:aws:sns:eu-west-1:123456789012:people';
const kmsKeyArn = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';
const told: StackConfigInput = {
  ...sample,
  notifications: {
    channels: [
      { name: 'chat', type: 'slack', secret: 'acme/slack' },
      { name: 'pager', type: 'pagerduty', secret: 'acme/pager' },
      { name: 'people', type: 'sns', topicArn, kmsKeyArn },
      { name: 'mail', type: 'email', to: ['ops@example.com', 'dev@example.com'] },
    ],
    routes: [{ channels: ['chat', 'pager', 'people', 'mail'] }],
  },
};
const stack = synthesize(told);
after(() => stack[Symbol.dispose]());
const rights = (name: string) =>
  (rolesIn(stack).get(`<Notices${name}Role>`) ?? []).map(
    ({ action, resource }) =>
      `${action} ${resource.replace(/arn:<Partition>:\w+:<Region>:<AccountId>:/, '')}`,
  );

test('who decides reads records and holds no secret; who sends holds the secrets and reads no record', () => {
  const notify = rights('Notify');
  assert.deepEqual(
    notify.filter((right) => right.startsWith('s3:PutObject') || right.startsWith('sns:')),
    ['s3:PutObject <StorageBucket>/notices/*'],
  );
  assert.ok(!notify.some((right) => /secretsmanager|kms|eks|sts/.test(right)));
  const send = rights('Send');
  assert.deepEqual(
    send.filter((right) => /^(s3:GetObject|s3:Put|secretsmanager|sns|kms)/.test(right)),
    [
      `kms:Decrypt ${kmsKeyArn}`,
      `kms:GenerateDataKey ${kmsKeyArn}`,
      's3:GetObject <StorageBucket>/notices/*',
      's3:GetObject the stack configuration',
      'secretsmanager:GetSecretValue secret:acme/pager-??????',
      'secretsmanager:GetSecretValue secret:acme/slack-??????',
      'sns:Publish <NoticesMailmail>',
      `sns:Publish ${topicArn}`,
    ],
  );
  assert.ok(send.includes('sqs:ChangeMessageVisibility <NoticesSendsQueue>'));
  assert.ok(!send.some((right) => /sqs:SendMessage|eks|sts/.test(right)));
});

test('it is there only where somebody is told, with its queues, their dead letters and alarms', () => {
  using without = synthesize(sample);
  const count = (type: string) =>
    ofType(stack.resources, type).length - ofType(without.resources, type).length;
  assert.deepEqual(
    ['AWS::Lambda::Function', 'AWS::SQS::Queue', 'AWS::Events::Rule', 'AWS::Scheduler::Schedule'].map(count),
    [2, 4, 1, 1],
  );
  const names = (resources: typeof stack.resources) =>
    ofType(resources, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => String(Properties['AlarmName']));
  const before = names(without.resources);
  assert.deepEqual(
    names(stack.resources)
      .filter((name) => !before.includes(name))
      .toSorted(),
    ['backlog-notices', 'backlog-sends', 'dead-letters-notices', 'dead-letters-sends'].map(
      (name) => `trueup-acme-${name}`,
    ),
  );
});

test('a channel has a message group of its own and a worker: none waits for another', () => {
  stack.template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
    EventSourceArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('NoticesSendsQueue'), 'Arn'] },
    BatchSize: 1,
    ScalingConfig: { MaximumConcurrency: 4 },
    FunctionResponseTypes: ['ReportBatchItemFailures'],
  });
});

test('events, alarms and the hourly look reach the queue, in a form that the function reads', () => {
  const [, rule] =
    ofType(stack.resources, 'AWS::Events::Rule').find(([id]) => id.includes('NoticesHeard')) ?? [];
  const pattern = z.object({ 'detail-type': z.array(z.string()) }).parse(rule?.Properties['EventPattern']);
  assert.deepEqual(pattern['detail-type'].toSorted(), [...noticedEvents].toSorted());
  stack.template.hasResourceProperties('AWS::SNS::Subscription', {
    Protocol: 'sqs',
    TopicArn: { Ref: Match.stringLikeRegexp('AlarmsTopic') },
  });
  const [, schedule] =
    ofType(stack.resources, 'AWS::Scheduler::Schedule').find(([id]) => id.includes('NoticesAgain')) ?? [];
  const { Input } = z.object({ Input: z.string() }).parse(schedule?.Properties['Target']);
  assert.deepEqual(noticeMessageSchema.parse(JSON.parse(Input)), { heard: 'look', look: 'all' });
});

test('mail goes through a topic of its own, which each address has to confirm', () => {
  const addresses = ofType(stack.resources, 'AWS::SNS::Subscription')
    .filter(([, { Properties }]) => Properties['Protocol'] === 'email')
    .map(([, { Properties }]) => String(Properties['Endpoint']));
  assert.deepEqual(addresses.toSorted(), ['dev@example.com', 'ops@example.com']);
  const [, send] =
    ofType(stack.resources, 'AWS::Lambda::Function').find(([id]) => id.includes('NoticesSend')) ?? [];
  const { Variables } = z
    .object({ Variables: z.record(z.string(), z.unknown()) })
    .parse(send?.Properties['Environment']);
  const prefix = flatten(Variables['TRUEUP_EMAIL_TOPIC_PREFIX']);
  const topics = ofType(stack.resources, 'AWS::SNS::Topic').map(
    ([, { Properties }]) => Properties['TopicName'],
  );
  assert.ok(topics.includes('trueup-acme-mail-mail'));
  assert.equal(`${prefix}mail`, 'arn:<Partition>:sns:<Region>:<AccountId>:trueup-acme-mail-mail');
});
