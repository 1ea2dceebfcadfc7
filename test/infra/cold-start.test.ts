import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { environment } from '../../core/contract/environment.ts';
import { bundleFunctions, bundleOf, functionNames } from '../../infra/bundle.ts';
import { temporaryFolder } from '../../infra/temporary-folder.ts';
import { configEndpoint } from './config-endpoint.ts';
import { dashboard, flatten, ofType, sample, synthesize } from './synthesized.ts';

const run = promisify(execFile);
// With what is only there where it is asked for.
const [repository, ...repositories] = sample.repositories;
assert.ok(repository);
const stack = synthesize({
  ...sample,
  dashboard,
  repositories: [
    { ...repository, images: {}, status: {}, preview: {}, reverts: {} },
    { name: 'promoted', url: repository.url, promotion: { by: 'pointer', from: repository.name } },
    ...repositories,
  ],
  notifications: {
    channels: [{ name: 'mail', type: 'email', to: ['ops@example.com'] }],
    routes: [{ channels: ['mail'] }],
  },
  clusters: [{ name: 'audited', audit: true, access: { type: 'eks', name: 'audited' } }],
});
const bundles = temporaryFolder();
const endpoint = await configEndpoint();
after(async () => {
  await endpoint[Symbol.asyncDispose]();
  stack[Symbol.dispose]();
  bundles[Symbol.dispose]();
});
await bundleFunctions(bundles.path);

const environmentSchema = z.object({
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
});

function variablesOf(name: string): readonly string[] {
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  const [, fn] =
    ofType(stack.resources, 'AWS::Lambda::Function').find(([id]) =>
      new RegExp(`^<(Functions|Notices|DashboardSite)?${title}Function>$`).test(flatten({ Ref: id })),
    ) ?? [];
  return Object.keys(environmentSchema.parse(fn?.Properties).Environment.Variables).filter((each) =>
    each.startsWith('TRUEUP_'),
  );
}

function valueOf(variable: string): string {
  if (variable.endsWith('_URL')) return 'http://127.0.0.1/queue';
  if (variable === environment.networks) return '{}';
  return variable.endsWith('_SECONDS') ? '300' : 'some/value';
}

// Notes which of our variables are read while the module is imported.
const script = (file: string) => `
  const read = new Set();
  process.env = new Proxy(process.env, {
    get: (env, name) => { if (String(name).startsWith('TRUEUP_')) read.add(name); return env[name]; },
  });
  const handler = await import(${JSON.stringify(pathToFileURL(file).href)}).then(
    (module) => typeof module.handler, (error) => error.message);
  process.stdout.write(JSON.stringify({ handler, read: [...read] }), () => process.exit());`;
const answerSchema = z.object({ handler: z.string(), read: z.array(z.string()) });

for (const name of functionNames) {
  test(`${name} starts with the variables that the stack gives it, and reads every one of them`, async () => {
    const variables = variablesOf(name);
    const file = path.join(bundleOf(bundles.path, name), 'index.mjs');
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script(file)], {
      env: {
        PATH: process.env['PATH'],
        ...endpoint.env,
        ...Object.fromEntries(variables.map((each) => [each, valueOf(each)])),
      },
    });
    const { handler, read } = answerSchema.parse(JSON.parse(stdout));
    assert.equal(handler, 'function');
    assert.deepEqual(read.sort(), [...variables].sort());
  });
}
