import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { AwsSolutionsChecks } from 'cdk-nag';
import * as z from 'zod';
import { sample, synthesize } from './synthesized.ts';

const packagings = ['image', 'zip'] as const;

for (const snapshotPackaging of packagings) {
  test(`cdk-nag has no finding without a reason (${snapshotPackaging})`, () => {
    using stack = synthesize(sample, { snapshotPackaging, hookConcurrency: 10 });
    const { violations } = new AwsSolutionsChecks(stack.app).validateScope(stack.app);
    const findings = violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath ?? ''}`),
    );
    assert.deepEqual(findings, []);
  });
}

test('the CDK itself has nothing to say about the template', () => {
  using stack = synthesize(sample, {}, { validate: true });
  const report: unknown = JSON.parse(readFileSync(path.join(stack.outdir, 'validation-report.json'), 'utf8'));
  const { pluginReports } = z.object({ pluginReports: z.array(z.unknown()) }).parse(report);
  assert.deepEqual(pluginReports, []);
});
