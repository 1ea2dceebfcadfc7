import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RemovalPolicy } from 'aws-cdk-lib/core';
import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { prefixes } from '../../core/contract/keys.ts';
import { ofType, sample, synthesize } from './synthesized.ts';

const stack = synthesize();
after(() => stack[Symbol.dispose]());

test('one bucket: versioned, encrypted, closed to the public', () => {
  stack.template.resourceCountIs('AWS::S3::Bucket', 1);
  stack.template.hasResourceProperties('AWS::S3::Bucket', {
    VersioningConfiguration: { Status: 'Enabled' },
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    },
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
  });
});

test('the bucket refuses requests without TLS, and TLS older than 1.2', () => {
  for (const Condition of [
    { Bool: { 'aws:SecureTransport': 'false' } },
    { NumericLessThan: { 's3:TlsVersion': 1.2 } },
  ]) {
    stack.template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([Match.objectLike({ Effect: 'Deny', Action: 's3:*', Condition })]),
      },
    });
  }
});

test('bucket and sealing key outlive the stack unless told otherwise; the key rotates', () => {
  const kept = ['AWS::S3::Bucket', 'AWS::KMS::Key'];
  using destroyed = synthesize(sample, { removalPolicy: RemovalPolicy.DESTROY });
  for (const type of kept) {
    assert.deepEqual(
      ofType(stack.resources, type).map(([, { DeletionPolicy }]) => DeletionPolicy),
      // What a first deployment made that failed is empty, and goes.
      ['RetainExceptOnCreate'],
    );
    assert.deepEqual(
      ofType(destroyed.resources, type).map(([, { DeletionPolicy }]) => DeletionPolicy),
      ['Delete'],
    );
  }
  stack.template.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
});

const ruleSchema = z.object({
  Id: z.string(),
  Prefix: z.string().optional(),
  ExpirationInDays: z.number().optional(),
  NoncurrentVersionExpiration: z.object({ NoncurrentDays: z.number() }).optional(),
});

test('lifecycle: state and snapshots never go by age, history goes after 400 days, deliveries after 30', () => {
  const [bucket] = ofType(stack.resources, 'AWS::S3::Bucket');
  const { LifecycleConfiguration } = z
    .object({ LifecycleConfiguration: z.object({ Rules: z.array(ruleSchema) }) })
    .parse(bucket?.[1].Properties);
  const lines = LifecycleConfiguration.Rules.map(
    ({ Id, Prefix, ExpirationInDays, NoncurrentVersionExpiration }) =>
      `${Prefix ?? Id} ${ExpirationInDays ?? 'kept'} ${NoncurrentVersionExpiration?.NoncurrentDays ?? '-'}`,
  );
  assert.deepEqual(lines, [
    'deliveries/ 30 7',
    'bodies/ 3 1',
    'repositories/ kept 90',
    'snapshots/ kept 30',
    'desired/ kept 90',
    'inventory/ kept 90',
    'leases/ kept 1',
    'runs/ 400 30',
    'drift/ 400 30',
    'open-drift/ kept 30',
    'heals/ 30 7',
    'checks/ kept 1',
    'memory/ kept 1',
    'renders/ kept 1',
    'facts/ kept 1',
    'asked/ kept 1',
    'clusters/ kept 90',
    'audit/ 2 1',
    'holds/ kept 400',
    'images/ kept 7',
    'reports/ kept 1',
    'previews/ 30 1',
    'notices/ kept 1',
    'promoted/ kept 400',
    'leftovers kept -',
  ]);
  for (const prefix of Object.values(prefixes)) {
    assert.ok(
      lines.some((line) => line.startsWith(`${prefix} `)),
      `${prefix} has a rule`,
    );
  }
});
