import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import * as z from 'zod';
import { auditFilterPattern, subscriptionLimits } from '../../core/contract/audit.ts';
import type { StackConfigInput } from '../../core/contract/config.ts';
import { compilePattern } from '../aws/filter-pattern.ts';
import { flatten, ofType, rightsIn, sample, synthesize } from './synthesized.ts';

const audited: StackConfigInput = {
  ...sample,
  clusters: [
    { name: 'staging', access: { type: 'eks', name: 'stage-1' }, audit: true },
    { name: 'test', access: { type: 'eks', name: 'test-1' }, audit: true },
    { name: 'edge', access: { type: 'kubeconfig', secret: 'acme/edge-kubeconfig' } },
  ],
};
const stack = synthesize(audited);
after(() => stack[Symbol.dispose]());

const filterSchema = z.object({
  LogGroupName: z.string(),
  FilterPattern: z.string(),
  DestinationArn: z.unknown().transform(flatten),
});

describe('audit logs', () => {
  it('are subscribed to, of each cluster that asks for it, with a pattern that the service takes', () => {
    const filters = ofType(stack.resources, 'AWS::Logs::SubscriptionFilter').map(([, { Properties }]) =>
      filterSchema.parse(Properties),
    );
    assert.deepEqual(
      filters.map(({ LogGroupName, DestinationArn }) => `${LogGroupName} ${DestinationArn}`).sort(),
      ['/aws/eks/stage-1/cluster <AuditFunction>', '/aws/eks/test-1/cluster <AuditFunction>'],
    );
    assert.ok(filters.every(({ FilterPattern }) => FilterPattern === auditFilterPattern));
    assert.ok(auditFilterPattern.length <= subscriptionLimits.characters, `${auditFilterPattern.length}`);
    assert.doesNotThrow(() => compilePattern(auditFilterPattern));
  });

  it('may call the function, each log group by its name and no other', () => {
    const callers = ofType(stack.resources, 'AWS::Lambda::Permission')
      .map(([, { Properties }]) => Properties)
      .filter(({ Principal }) => Principal === 'logs.amazonaws.com')
      .map(({ SourceArn }) => flatten(SourceArn));
    assert.deepEqual(
      callers.sort(),
      ['stage-1', 'test-1'].map(
        (name) => `arn:<Partition>:logs:<Region>:<AccountId>:log-group:/aws/eks/${name}/cluster:*`,
      ),
    );
  });

  it('give the function the right to know what is whose, to keep who wrote, and to ask for checks', () => {
    const rights = rightsIn(audited).filter((right) => right.startsWith('Audit '));
    assert.deepEqual(
      rights.map((right) => right.replace(/<[^>]*Bucket>/, 'BUCKET')).sort(),
      [
        'Audit logs:CreateLogStream,logs:PutLogEvents <AuditLog>',
        'Audit s3:GetObject BUCKET/audit/*',
        'Audit s3:GetObject BUCKET/inventory/*',
        'Audit s3:ListBucket BUCKET',
        'Audit s3:PutObject BUCKET/audit/*',
        'Audit sqs:SendMessage <AuditChecksQueue>',
        'Audit sqs:SendMessage <AuditDeadLetters>',
      ].sort(),
    );
  });

  it('have an alarm for what was given up, and keep log lines there for a day', () => {
    const names = ofType(stack.resources, 'AWS::CloudWatch::Alarm').map(
      ([, { Properties }]) => Properties['AlarmName'],
    );
    for (const queue of ['checks', 'audit'])
      assert.ok(names.includes(`trueup-acme-dead-letters-${queue}`), queue);
    const [letters] = ofType(stack.resources, 'AWS::SQS::Queue').filter(([id]) =>
      id.includes('AuditDeadLetters'),
    );
    assert.equal(letters?.[1].Properties['MessageRetentionPeriod'], 86_400);
  });

  it('cost nothing where nobody asks for them', () => {
    using plain = synthesize();
    assert.deepEqual(ofType(plain.resources, 'AWS::Logs::SubscriptionFilter'), []);
    assert.ok(Object.keys(plain.resources).every((id) => !id.includes('Audit')));
    assert.ok(rightsIn(sample).every((right) => !right.includes('/audit/')));
  });

  it('of another region are refused at synthesis, and so are those of no EKS', () => {
    const clusters = (access: NonNullable<StackConfigInput['clusters']>[number]['access']) => ({
      ...sample,
      clusters: [{ name: 'far', access, audit: true }],
    });
    assert.throws(
      () => synthesize(clusters({ type: 'kubeconfig', secret: 'x' })),
      /clusters\.0\.audit: audit logs are read from CloudWatch Logs/,
    );
    const far = clusters({ type: 'eks', name: 'prod-1', region: 'eu-west-1' });
    assert.throws(
      () => synthesize(far),
      /cluster far: CloudWatch Logs sends a function only the logs of its own/,
    );
  });
});
