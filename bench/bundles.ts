import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { environment } from '../core/contract/environment.ts';
import { bundleFunctions, bundleOf, functionNames } from '../infra/bundle.ts';
import { temporaryFolder } from '../infra/temporary-folder.ts';
import { configEndpoint } from '../test/infra/config-endpoint.ts';

// Prints what each function weighs and how long a cold start takes to import it: `node bench/bundles.ts`.

const run = promisify(execFile);
const imports = 7;
await using endpoint = await configEndpoint();
using folder = temporaryFolder();

/** Any value that a function accepts while it starts. */
const values = Object.values(environment).map((name) => [
  name,
  name.endsWith('_URL') ? 'http://127.0.0.1/1' : '1/1',
]);
const env = {
  PATH: process.env['PATH'],
  ...Object.fromEntries(values),
  ...endpoint.env,
};

/** Milliseconds, in a process of its own each time; the median. */
async function importTime(file: string): Promise<number> {
  const script = `const t=performance.now();await import(${JSON.stringify(pathToFileURL(file).href)});process.stdout.write(String(performance.now()-t),()=>process.exit())`;
  const times: number[] = [];
  while (times.length < imports) {
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { env });
    times.push(Number(stdout));
  }
  return times.sort((a, b) => a - b)[imports >> 1] ?? NaN;
}

const started = performance.now();
await bundleFunctions(folder.path);
console.log(`bundled ${functionNames.length} functions in ${Math.round(performance.now() - started)} ms`);
for (const name of functionNames) {
  const bundle = bundleOf(folder.path, name);
  const files = readdirSync(bundle).map((file) => readFileSync(path.join(bundle, file)));
  const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
  const bytes = total(files.map(({ length }) => length));
  const sizes = `${bytes} bytes, ${total(files.map((file) => gzipSync(file).length))} compressed, ${files.length} files`;
  const milliseconds = Math.round(await importTime(path.join(bundle, 'index.mjs')));
  console.log(`${name.padEnd(10)} ${sizes}, imported in ${milliseconds} ms (median of ${imports})`);
}
