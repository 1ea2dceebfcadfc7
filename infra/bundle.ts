import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, buildSync } from 'esbuild';
import type { BuildOptions } from 'esbuild';

/** Lambda functions of the stack: `functions/<name>.ts`, each of which exports `handler`. */
export const functionNames = [
  'webhook',
  'snapshot',
  'reconcile',
  'sweep',
  'intake',
  'audit',
  'images',
  'preview',
  'report',
  'revert',
  'promotion',
  'notify',
  'send',
  'api',
] as const;
export type FunctionName = (typeof functionNames)[number];

const sources = path.resolve(import.meta.dirname, '../functions');

// CommonJS packages inside an ESM bundle call require() for the built-in modules of Node. The name is long because
// esbuild does not read the banner: a short one collides with those that it gives out.
const requireBanner =
  "import{createRequire as bannerCreateRequire}from'node:module';const require=bannerCreateRequire(import.meta.url);";

/**
 * Bundles the functions into `<outdir>/<name>/`: `index.mjs` and the chunks that it loads when it first needs them.
 * Everything is inside, the AWS SDK too, since importing it from disk takes a cold start 3 to 4 times as long. The same
 * sources give the same bytes. `entry` finds a source file; `names`: these alone. Rejects with esbuild's own messages, with file and line.
 */
export async function bundleFunctions(
  outdir: string,
  entry: (name: FunctionName) => string = sourceOf,
  names: readonly FunctionName[] = functionNames,
): Promise<void> {
  await Promise.all(names.map((name) => build(optionsFor(entry(name), bundleOf(outdir, name)))));
}

/**
 * The same, one after the other, for constructors, which cannot wait. Returns the folder: `outdir`, or that of the npm
 * package, which brings them bundled.
 */
export function bundleFunctionsSync(outdir: string): string {
  if (existsSync(path.join(bundleOf(sources, 'webhook'), 'index.mjs'))) return sources;
  for (const name of functionNames) buildSync(optionsFor(sourceOf(name), bundleOf(outdir, name)));
  return outdir;
}

/** Stands in for bundles where nothing is deployed, as for `cdk list` and `cdk destroy`. Returns `outdir`. */
export function emptyBundles(outdir: string): string {
  for (const name of functionNames) {
    mkdirSync(bundleOf(outdir, name), { recursive: true });
    writeFileSync(path.join(bundleOf(outdir, name), 'index.mjs'), '');
  }
  return outdir;
}

export function sourceOf(name: FunctionName): string {
  return path.join(sources, `${name}.ts`);
}

function optionsFor(source: string, outdir: string): BuildOptions {
  return {
    entryPoints: { index: source },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is imported on demand (credential providers that Lambda never asks, the reader of kubeconfigs) stays out of
    // the cold start: half its time, measured.
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // ES modules first: only these can be shaken, and most of the SDK is never used.
    mainFields: ['module', 'main'],
    banner: { js: requireBanner },
    minify: true,
    // Names of functions and classes stay readable in stack traces; no source map is shipped.
    keepNames: true,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
  };
}

/** Bundle of one function below the folder that bundleFunctions filled. */
export function bundleOf(bundles: string, name: FunctionName): string {
  return path.join(bundles, name);
}
