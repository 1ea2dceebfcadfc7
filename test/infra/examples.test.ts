import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as z from 'zod';
import { temporaryFolder } from '../../infra/temporary-folder.ts';
import cdkJson from '../../cdk.json' with { type: 'json' };

const root = path.resolve(import.meta.dirname, '../..');
const templateSchema = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) });

/** As the CDK's command line runs an app, which says in the context for which stacks functions are bundled: types of its resources, and what lies in the cloud assembly. */
async function synthesise(app: string, outdir: string, bundled: readonly string[]) {
  const context = { ...cdkJson.context, 'aws:cdk:bundling-stacks': bundled };
  const env = {
    ...process.env,
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify(context),
    CDK_VALIDATION: 'false',
  };
  await promisify(execFile)('node', [path.join(root, 'examples', app, 'app.ts')], { cwd: root, env });
  const names = readdirSync(outdir);
  const file = names.find((name) => name.endsWith('.template.json')) ?? '';
  const { Resources } = templateSchema.parse(JSON.parse(readFileSync(path.join(outdir, file), 'utf8')));
  return { names, types: Object.values(Resources).map(({ Type }) => Type) };
}

test('the minimal app: one installation, its functions bundled by the construct', async () => {
  using folder = temporaryFolder();
  const { names, types } = await synthesise('minimal-app', folder.path, ['**']);
  assert.ok(types.includes('AWS::Lambda::Function'));
  const bundles = names.filter((name) => /^asset\.[0-9a-f]{64}$/.test(name));
  const sources = bundles.flatMap((name) => readdirSync(path.join(folder.path, name)));
  assert.ok(sources.includes('index.mjs'));
});

test('the full app: functions inside a VPC with endpoints, and access entries for both networks', async () => {
  using folder = temporaryFolder();
  const { types } = await synthesise('full-app', folder.path, []);
  const count = (type: string) => types.filter((each) => each === type).length;
  assert.equal(count('AWS::EKS::AccessEntry'), 4);
  assert.ok(count('AWS::EC2::VPCEndpoint') >= 8);
  assert.ok(count('AWS::SNS::Subscription') === 1);
});
