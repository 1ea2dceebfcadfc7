import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '../../adapters/scratch-folder.ts';

test('a scratch folder is wiped, and so is what a killed function left', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = parent;
  try {
    const longAgo = new Date(Date.now() - 3600_000);
    for (const name of ['trueup-helm-old', 'trueup-kustomize-old', 'trueup-helm-new', 'of-somebody-else']) {
      await mkdir(join(parent, name));
      await writeFile(join(parent, name, 'x'), 'x');
      if (!name.endsWith('new')) await utimes(join(parent, name), longAgo, longAgo);
    }
    {
      await using folder = await scratchFolder('trueup-kustomize-');
      await writeFile(join(folder.path, 'y'), 'y');
      assert.equal((await readdir(parent)).length, 3);
    }
    assert.deepEqual((await readdir(parent)).sort(), ['of-somebody-else', 'trueup-helm-new']);
  } finally {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
    await rm(parent, { recursive: true });
  }
});
