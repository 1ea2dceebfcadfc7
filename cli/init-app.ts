import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import * as z from 'zod';
import own from '../package.json' with { type: 'json' };
import type { InitAnswers } from './init-answers.ts';

/** Of the checkout, or of the npm package: what is read of it lies at the same places in both. */
const root = resolve(import.meta.dirname, '..');

/** Of what Node runs as it is; for editors, which check it. */
const compilerOptions = {
  target: 'es2024',
  module: 'nodenext',
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
};

const cdkSchema = z.object({ context: z.record(z.string(), z.unknown()) });

/** Writes a CDK app of one installation into a folder that is not there yet. */
export async function initApp(folder: string, { config }: InitAnswers): Promise<void> {
  await mkdir(folder, { recursive: true });
  // The template is tested with these feature flags and no others.
  const { context } = cdkSchema.parse(JSON.parse(await readFile(join(root, 'cdk.json'), 'utf8')));
  const files = {
    'app.ts': app,
    'stack.json': json(config),
    'cdk.json': json({ app: 'node app.ts', versionReporting: false, context }),
    'tsconfig.json': json({ compilerOptions, include: ['*.ts'] }),
    'package.json': json(await manifest(folder)),
    '.gitignore': 'node_modules/\ncdk.out/\n',
    'README.md': readme,
  };
  await Promise.all(Object.entries(files).map(async ([name, text]) => writeFile(join(folder, name), text)));
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

async function manifest(folder: string) {
  const { dependencies, devDependencies } = own;
  const layer = '@aws-cdk/lambda-layer-kubectl-v36';
  return {
    name: 'trueup-installation',
    private: true,
    type: 'module',
    // Which strips the types of app.ts.
    engines: { node: '>=22.18' },
    scripts: { synth: 'cdk synth --quiet', diff: 'cdk diff', deploy: 'cdk deploy' },
    dependencies: {
      [layer]: devDependencies[layer],
      'aws-cdk-lib': dependencies['aws-cdk-lib'],
      constructs: dependencies.constructs,
      trueup: await packageFor(folder),
    },
    devDependencies: {
      '@types/node': devDependencies['@types/node'],
      'aws-cdk': devDependencies['aws-cdk'],
      // The types of trueup ask for it.
      zod: dependencies.zod,
    },
  };
}

/**
 * Where npm gets the construct from: this very package, packed into the app. It is in no registry, where anybody could
 * give its name to something else. A checkout is linked to, as npm does with a folder.
 */
async function packageFor(folder: string): Promise<string> {
  if (!existsSync(join(root, 'infra/index.js'))) return `file:${relative(folder, root)}`;
  const file = `vendor/${own.name}-${own.version}.tgz`;
  await mkdir(join(folder, 'vendor'));
  const { create } = await import('tar');
  const names = (await readdir(root)).filter((name) => name !== 'node_modules');
  await create({ gzip: true, portable: true, cwd: root, prefix: 'package', file: join(folder, file) }, names);
  return `file:${file}`;
}

const app = `import { readFileSync } from 'node:fs';
import { App, Stack } from 'aws-cdk-lib/core';
import { TrueUp, type StackConfigInput } from 'trueup';

// Which repositories and clusters are served; \`trueup validate --config cdk/stack.json\` and \`trueup diff\` read it too.
const config: StackConfigInput = JSON.parse(readFileSync(new URL('stack.json', import.meta.url), 'utf8'));

const app = new App();
// The command line finds an installation by the name of its stack: \`trueup-default\`, or \`--stack\`.
const stack = new Stack(app, 'trueup-default');
new TrueUp(stack, 'TrueUp', { config });
`;

const readme = `# The installation

One stack that serves this repository. \`stack.json\` says which repositories and clusters; \`app.ts\` is an ordinary CDK app.

1. A private repository: put a token that may read it into a secret, and name that in \`stack.json\` beside the \`url\`:
   \`"tokenSecret": "trueup/token"\`. For an address of SSH the secret that \`stack.json\` names is JSON with \`identity\`, a key
   without passphrase, and \`known_hosts\`.
2. \`npm install\`, then \`npx cdk deploy\`, with Docker and the credentials and region of your account (\`npx cdk bootstrap\`
   once before).
3. \`trueup grant --cluster NAME --entries | kubectl apply -f -\` lets it into a cluster.
4. Add the webhook at \`<HookUrl>hooks/github\` (the outputs of the stack name \`HookUrl\`) for push events. Its secret:
   \`aws secretsmanager get-secret-value --query SecretString --output text --secret-id "<HookSecretPrefix>/github"\`.
5. \`trueup doctor\` says what is missing; \`trueup ui\` shows it.

\`vendor/\`, where it is there, holds the package trueup that \`package.json\` names. Keep it in Git, or put it into a
registry of yours and name that instead.
`;
