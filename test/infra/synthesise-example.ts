import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import cdkJson from '../../cdk.json' with { type: 'json' };

const root = path.resolve(import.meta.dirname, '../..');
const templateSchema = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) });

/** As the CDK's command line runs an app, which says in the context for which stacks functions are bundled: types of its resources, and what lies in the cloud assembly. */
export async function synthesise(app: string, outdir: string, bundled: readonly string[]) {
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
