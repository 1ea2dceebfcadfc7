import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { engineVersion } from '../../../core/sweep/engine-version.ts';

/** Version of the engine, and digest of the code that judges by it. */
const judged = { version: 4, digest: '5d6502c136c53f8a' };

const root = join(import.meta.dirname, '../../..');

/** Of all that decides whether an object is clean and how healthy it is; comments, types and names do not count. */
async function digestOfEngine(): Promise<string> {
  const entries = ['check-object', 'glance', 'generation-kinds', 'rules-digest', 'remembered-health'];
  const { outputFiles } = await build({
    stdin: {
      contents: entries.map((name) => `export * from './core/sweep/${name}.ts';`).join('\n'),
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    write: false,
    minify: true,
    packages: 'external',
    format: 'esm',
    platform: 'neutral',
  });
  return createHash('sha256')
    .update(outputFiles[0]?.contents ?? '')
    .digest('hex')
    .slice(0, 16);
}

test('whoever changes how objects are judged says whether what is remembered of them still counts', async () => {
  const digest = await digestOfEngine();
  assert.deepEqual(
    { version: engineVersion, digest },
    judged,
    'The code that judges objects has changed. If an object that was clean, or healthy, may be judged otherwise now, ' +
      'raise engineVersion in core/sweep/engine-version.ts. Then write the version and the digest here.',
  );
});
