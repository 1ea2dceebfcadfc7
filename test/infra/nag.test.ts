import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { AwsSolutionsChecks } from 'cdk-nag';
import * as z from 'zod';
import type { StackConfigInput } from '../../core/contract/config.ts';
import { dashboard, sample, synthesize } from './synthesized.ts';

const packagings = ['image', 'zip'] as const;

/** With everything that asks for rights of its own. */
const everything: StackConfigInput = {
  ...sample,
  dashboard,
  clusters: [
    ...(sample.clusters ?? []),
    { name: 'audited', access: { type: 'eks', name: 'audited-1' }, audit: true },
    // So many that no role can name them all.
    ...Array.from({ length: 30 }, (_, at) => ({
      name: `one-of-many-${at}`,
      access: { type: 'eks' as const, name: `many-${at}`, region: 'us-east-1' },
    })),
  ],
  discovery: [{ tags: { trueup: 'yes' } }, { tags: { trueup: 'yes' }, region: 'us-west-2' }],
  notifications: {
    channels: [
      { name: 'chat', type: 'slack', secret: 'acme/slack' },
      { name: 'mail', type: 'email', to: ['ops@example.com'] },
    ],
    routes: [{ channels: ['chat', 'mail'] }],
  },
  secretReferences: {
    secrets: ['acme/*', 'acme/db', 'arn:aws:secretsmanager:eu-west-1:210987654321:secret:shared/*'],
    parameters: ['/acme/*/db', '/acme/flag'],
    kmsKeys: ['arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555'],
  },
};

/** Findings are accepted by the words of the template, which has names of its own where account and region are known. */
const places = {
  image: undefined,
  zip: { account: '123456789012', region: 'eu-west-1' },
} as const;

for (const snapshotPackaging of packagings) {
  test(`cdk-nag has no finding without a reason (${snapshotPackaging})`, () => {
    const env = places[snapshotPackaging];
    using stack = synthesize(everything, { snapshotPackaging, hookConcurrency: 10 }, { ...(env && { env }) });
    const { violations } = new AwsSolutionsChecks(stack.app).validateScope(stack.app);
    const findings = violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath ?? ''}`),
    );
    assert.deepEqual(findings, []);
  });
}

test('nor where repositories and charts are in ECR and in S3', () => {
  const registry = 'oci://123456789012.dkr.ecr.eu-west-1.amazonaws.com';
  const config = {
    ...sample,
    repositories: [
      ...sample.repositories,
      { name: 'artifact', url: `${registry}/acme/fleet`, tag: 'main' },
      { name: 'object', url: 's3://acme-artifacts/fleet/main.tar.gz' },
    ],
    sources: { charts: [{ url: registry }, { url: `${registry}/charts` }] },
  };
  using stack = synthesize(config);
  const { violations } = new AwsSolutionsChecks(stack.app).validateScope(stack.app);
  assert.deepEqual(violations, []);
});

test('the CDK itself has nothing to say about the template', () => {
  using stack = synthesize(sample, {}, { validate: true });
  const report: unknown = JSON.parse(readFileSync(path.join(stack.outdir, 'validation-report.json'), 'utf8'));
  const { pluginReports } = z.object({ pluginReports: z.array(z.unknown()) }).parse(report);
  assert.deepEqual(pluginReports, []);
});
