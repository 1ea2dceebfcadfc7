import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { bundleFunctions, bundleOf, functionNames } from '../../infra/bundle.ts';
import { temporaryFolder } from '../../infra/temporary-folder.ts';
import { contentsOf } from './synthesized.ts';

const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());

// What is hard about bundling for us: a CommonJS package that requires built-in modules of Node, and what is heavy and
// seldom needed.
const files = {
  'package.cjs': "const { sep } = require('path');\nexports.separator = sep;\n",
  'function.ts': [
    "import { separator } from './package.cjs';",
    'export class Fault extends Error {}',
    "export const handler = async (): Promise<string> => separator + (await import('./heavy.ts')).heavy;",
  ].join('\n'),
  'heavy.ts': "export const heavy = 'loaded on demand';\n",
};
for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder.path, name), text);
const entry = (): string => path.join(folder.path, 'function.ts');

test('an ES module per function that Node imports as it is, the rest of it on demand', async () => {
  const outdir = path.join(folder.path, 'once');
  await bundleFunctions(outdir, entry);
  for (const name of functionNames) {
    const index = path.join(bundleOf(outdir, name), 'index.mjs');
    assert.doesNotMatch(readFileSync(index, 'utf8'), /loaded on demand/);
    const module: unknown = await import(pathToFileURL(index).href);
    assert.ok(typeof module === 'object' && module !== null && 'handler' in module && 'Fault' in module);
    assert.ok(typeof module.handler === 'function' && typeof module.Fault === 'function');
    assert.equal(await module.handler(), `${path.sep}loaded on demand`);
    assert.equal(module.Fault.name, 'Fault', 'names survive, for stack traces');
  }
});

test('the same sources give the same bytes, so that an unchanged function is not deployed again', async () => {
  const [first = '', second = ''] = ['a', 'b'].map((each) => path.join(folder.path, each));
  await bundleFunctions(first, entry);
  await bundleFunctions(second, entry);
  for (const name of functionNames) {
    assert.deepEqual(contentsOf(bundleOf(first, name)), contentsOf(bundleOf(second, name)), name);
  }
});
