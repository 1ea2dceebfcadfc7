import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LookupApi } from '../../adapters/lookup-api.ts';
import type { LookupQuestion } from '../../core/model/lookup.ts';

const capabilities = {
  version: 'v1.34.2',
  apiVersions: ['v1', 'v1/Secret', 'apps/v1', 'apps/v1/Deployment'],
};
const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'web' } };

test('nobody reads anything without the secret in the address, and nobody writes', async () => {
  const asked: LookupQuestion[] = [];
  await using api = await LookupApi.start(capabilities, (question) => {
    asked.push(question);
    return { kind: 'objects', objects: [secret] };
  });
  const { origin } = new URL(api.url);
  assert.equal(new URL(api.url).hostname, '127.0.0.1');
  const status = async (url: string, init: RequestInit = {}) => (await fetch(url, init)).status;
  const path = 'api/v1/namespaces/web/secret/a';
  const noSecret = '0'.repeat(48);
  for (const base of [origin, `${origin}/${noSecret}`, `${origin}/${noSecret}/..`]) {
    assert.equal(await status(`${base}/version`), 403);
    assert.equal(await status(`${base}/${path}`), 403);
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    assert.equal(await status(`${api.url}/${path}`, { method }), 403);
  }
  assert.equal(await status(`${api.url}/${path}`), 404, 'kinds are asked for first');
  assert.deepEqual(asked, []);
  assert.equal(await status(`${api.url}/api/v1`), 200);
  assert.equal(await status(`${api.url}/${path}`), 200);
  assert.deepEqual(asked, [{ apiVersion: 'v1', kind: 'Secret', namespace: 'web', name: 'a' }]);
  for (const other of [
    'api/v1/namespaces/web/pod/a',
    'apis/apps/v1/namespaces/web/secret/a',
    'metrics',
    '%',
  ]) {
    await status(`${api.url}/api/v1`);
    assert.equal(await status(`${api.url}/${other}`), 404, other);
  }
  assert.equal(asked.length, 1);
});
