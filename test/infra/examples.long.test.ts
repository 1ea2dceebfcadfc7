import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../infra/temporary-folder.ts';
import { synthesise } from './synthesise-example.ts';

test('the minimal app: its functions are bundled by the construct', async () => {
  using folder = temporaryFolder();
  const { names } = await synthesise('minimal-app', folder.path, ['**']);
  const bundles = names.filter((name) => /^asset\.[0-9a-f]{64}$/.test(name));
  const sources = bundles.flatMap((name) => readdirSync(path.join(folder.path, name)));
  assert.ok(sources.includes('index.mjs'));
});
