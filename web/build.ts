import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, buildSync, type BuildOptions, type Metafile } from 'esbuild';

const source = import.meta.dirname;

/** What the first view needs, and all that was made; bytes before compression. */
export interface SiteFiles {
  /** By name in the folder; the page and what it loads at once first. */
  readonly first: readonly string[];
  readonly later: readonly string[];
}

/**
 * Bundles the dashboard into a folder: the page, its script and style, and the parts that a view loads when it is opened.
 * All but the page have names that hold a digest, so that they can be cached for ever. Rejects with esbuild's messages.
 */
export async function buildSite(outdir: string): Promise<SiteFiles> {
  const { metafile } = await build(optionsFor(outdir));
  return writePage(outdir, metafile);
}

/** The same for constructors, which cannot wait. */
export function buildSiteSync(outdir: string): SiteFiles {
  const { metafile } = buildSync(optionsFor(outdir));
  return writePage(outdir, metafile);
}

function optionsFor(outdir: string) {
  return {
    entryPoints: { main: path.join(source, 'src/main.tsx') },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome120', 'firefox121', 'safari17'],
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    minify: true,
    entryNames: '[name]-[hash]',
    chunkNames: 'part-[hash]',
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
  } as const satisfies BuildOptions;
}

function writePage(outdir: string, metafile: Metafile): SiteFiles {
  const outputs = Object.entries(metafile.outputs).map(
    ([file, output]) => [path.basename(file), output] as const,
  );
  const main = outputs.find(([, { entryPoint }]) => entryPoint?.endsWith('main.tsx') === true);
  const style = outputs.find(([name]) => name.startsWith('main-') && name.endsWith('.css'))?.[0];
  if (main === undefined || style === undefined) throw new Error('esbuild made no script or no style');
  const [script, { imports }] = main;
  const page = readFileSync(path.join(source, 'index.html'), 'utf8');
  const named = page.replace('"main.js"', `"${script}"`).replace('"main.css"', `"${style}"`);
  mkdirSync(outdir, { recursive: true });
  writeFileSync(path.join(outdir, 'index.html'), named);
  copyFileSync(path.join(source, 'favicon.svg'), path.join(outdir, 'favicon.svg'));
  const atOnce = imports
    .filter(({ kind }) => kind === 'import-statement')
    .map(({ path: file }) => path.basename(file));
  const first = ['index.html', script, style, ...atOnce];
  return { first, later: outputs.map(([name]) => name).filter((name) => !first.includes(name)) };
}
