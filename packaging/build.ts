import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { bundleFunctions } from '../infra/bundle.ts';
import { buildSite } from '../web/build.ts';
import { licences } from './licences.ts';
import { manifest } from './manifest.ts';

/**
 * `npm run build:cli`: the npm package out of this checkout, as a folder and as a tarball in `dist/`. It depends on
 * nothing: the command line, the built dashboard, the functions' bundles, and the construct for a CDK app.
 */

const root = resolve(import.meta.dirname, '..');
const into = join(root, 'dist', 'trueup');

// CommonJS packages inside an ESM bundle call require() for the built-in modules of Node.
const requireBanner =
  "import{createRequire as bannerCreateRequire}from'node:module';const require=bannerCreateRequire(import.meta.url);";

const common = {
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  mainFields: ['module', 'main'],
  banner: { js: requireBanner },
  minify: true,
  keepNames: true,
  legalComments: 'none',
  charset: 'utf8',
  // What would be bundled with it is in the package already, bundled: see packaging/no-esbuild.ts.
  alias: { esbuild: join(import.meta.dirname, 'no-esbuild.ts') },
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** What lies beside the code is found at `../` of it, in the package as in the checkout: so all code is one folder deep. */
async function buildPackage(): Promise<void> {
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  await Promise.all([
    build({
      ...common,
      entryPoints: { trueup: join(root, 'cli/installed.ts') },
      outdir: join(into, 'bin'),
      // A verb's code is read when it runs.
      splitting: true,
      chunkNames: '[name]-[hash]',
    }),
    build({
      ...common,
      entryPoints: { index: join(root, 'infra/index.ts') },
      outdir: join(into, 'infra'),
      external: ['aws-cdk-lib', 'aws-cdk-lib/*', 'constructs'],
    }),
    bundleFunctions(join(into, 'functions')),
    buildSite(join(into, 'site')),
  ]);
  for (const file of ['LICENSE', 'examples/quickstart', 'cdk.json', 'infra/snapshot.Dockerfile']) {
    cpSync(join(root, file), join(into, file), { recursive: true });
  }
  writeFileSync(join(into, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(into, 'README.md'), readme);
  writeFileSync(join(into, 'THIRD-PARTY.txt'), licences(root));
}

const readme = `# trueup

GitOps for Amazon EKS without an agent and without a server: the command line (\`trueup --help\`), and the construct for a
CDK app (\`import { TrueUp } from 'trueup'\`). \`trueup init my-config\` begins a configuration repository and the app.
`;

await buildPackage();
// The construct's types, for editors.
execFileSync(join(root, 'node_modules/.bin/tsc'), ['--project', import.meta.dirname], { stdio: 'inherit' });
execFileSync('npm', ['pack', '--silent', '--pack-destination', join(root, 'dist')], {
  cwd: into,
  stdio: ['ignore', 'inherit', 'inherit'],
});
