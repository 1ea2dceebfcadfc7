import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { bundleFunctions, bundleOf, functionNames } from '../../infra/bundle.ts';
import { temporaryFolder } from '../../infra/temporary-folder.ts';

const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());

// What is hard about bundling for us: a CommonJS package that requires built-in modules of Node.
const files = {
  'package.cjs': "const { sep } = require('path');\nexports.separator = sep;\n",
  'function.ts': [
    "import { separator } from './package.cjs';",
    'export class Fault extends Error {}',
    'export const handler = (): string => separator;',
  ].join('\n'),
};
for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder.path, name), text);
const entry = (): string => path.join(folder.path, 'function.ts');

test('one ES module per function, which Node imports as it is', async () => {
  const outdir = path.join(folder.path, 'once');
  bundleFunctions(outdir, entry);
  for (const name of functionNames) {
    const module: unknown = await import(pathToFileURL(path.join(bundleOf(outdir, name), 'index.mjs')).href);
    assert.ok(typeof module === 'object' && module !== null && 'handler' in module && 'Fault' in module);
    assert.ok(typeof module.handler === 'function' && typeof module.Fault === 'function');
    assert.equal(module.handler(), path.sep);
    assert.equal(module.Fault.name, 'Fault', 'names survive, for stack traces');
  }
});

test('the same sources give the same bytes, so that an unchanged function is not deployed again', () => {
  const [first = '', second = ''] = ['a', 'b'].map((each) => path.join(folder.path, each));
  bundleFunctions(first, entry);
  bundleFunctions(second, entry);
  for (const name of functionNames) {
    const [one, other] = [first, second].map((outdir) =>
      readFileSync(path.join(bundleOf(outdir, name), 'index.mjs')),
    );
    assert.deepEqual(one, other, name);
  }
});
