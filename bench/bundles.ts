import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { environment } from '../core/contract/environment.ts';
import { bundleFunctions, bundleOf, functionNames } from '../infra/bundle.ts';
import { temporaryFolder } from '../infra/temporary-folder.ts';

// Prints what each function weighs and how long a cold start takes to import it: `node bench/bundles.ts`.

const imports = 7;

/** Any value that a function accepts at cold start; it makes no request before its first event. */
const values = Object.values(environment).map((name) => [
  name,
  name.endsWith('_URL') ? 'http://127.0.0.1/1' : '1/1',
]);
const env = {
  ...process.env,
  ...Object.fromEntries(values),
  [environment.sweepSeconds]: '300',
  AWS_REGION: 'us-east-1',
};

/** Milliseconds, in a process of its own each time; the median. */
function importTime(file: string): number {
  const script = `const t=performance.now();await import(${JSON.stringify(pathToFileURL(file).href)});process.stdout.write(String(performance.now()-t));process.exit()`;
  const times = Array.from({ length: imports }, () => {
    const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      env,
      encoding: 'utf8',
    });
    if (child.status !== 0) throw new Error(`importing ${file} failed:\n${child.stderr}`);
    return Number(child.stdout);
  });
  return times.sort((a, b) => a - b)[imports >> 1] ?? NaN;
}

using folder = temporaryFolder();
const started = performance.now();
bundleFunctions(folder.path);
console.log(`bundled ${functionNames.length} functions in ${Math.round(performance.now() - started)} ms`);
for (const name of functionNames) {
  const file = path.join(bundleOf(folder.path, name), 'index.mjs');
  const bytes = readFileSync(file);
  const sizes = `${bytes.length} bytes, ${gzipSync(bytes).length} compressed`;
  console.log(
    `${name.padEnd(10)} ${sizes}, imported in ${Math.round(importTime(file))} ms (median of ${imports})`,
  );
}
