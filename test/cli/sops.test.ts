import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { LocalWorld } from './local-world.ts';

/** A Secret that sops encrypted, on a real API server, with the key that a person who uses sops has. */

const folder = join(import.meta.dirname, '../fixtures/sops');
const key = { SOPS_AGE_KEY_FILE: join(folder, 'first.txt') };
const anySecret = /hunter2|aHVudGVyMi|stolen|c3RvbGVu/;

let cluster: TestCluster;
let world: LocalWorld;
before(async () => {
  cluster = await testCluster('cli-sops');
  world = await LocalWorld.open(cluster.kubeconfigPath);
});
after(async () => {
  await world.close();
  await cluster.stop();
});

async function run(args: readonly string[], env: Readonly<Record<string, string>> = key) {
  const ended = await world.run(args, env);
  assert.doesNotMatch(ended.out + ended.err, anySecret);
  return ended;
}

async function records(): Promise<string> {
  const state = join(world.folder, 'state');
  const entries = await readdir(state, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return (
    await Promise.all(files.map(async (entry) => readFile(join(entry.parentPath, entry.name), 'latin1')))
  ).join();
}

async function live(): Promise<{ readonly [key: string]: unknown }> {
  const { body } = await cluster.admin.ask('GET', `/api/v1/namespaces/${cluster.namespace}/secrets/web`);
  assert.ok(typeof body === 'object' && body !== null && 'data' in body);
  return { ...Object(body.data) };
}

test('is applied, checked and healed, and its values are nowhere but in the cluster', async () => {
  await world.write('shop/secret.yaml', await readFile(join(folder, 'secret.yaml'), 'utf8'));
  const target = ['--app', 'shop', '--namespace', cluster.namespace];

  const shown = await run(['render', 'shop', '-o', 'yaml'], {});
  assert.match(shown.out, /password: >?-?\s*ENC\[AES256_GCM/);

  const blind = await run(['apply', 'shop', ...target], { SOPS_AGE_KEY_FILE: join(folder, 'none.txt') });
  assert.notEqual(blind.code, 0);
  assert.match(
    blind.out + blind.err,
    /Secret web \(.*secret\.yaml\): no key that trueup may use opens it .*none\.txt/,
  );
  const missing = await cluster.admin.ask('GET', `/api/v1/namespaces/${cluster.namespace}/secrets/web`);
  assert.equal(missing.status, 404);

  const planned = await run(['plan', 'shop', ...target]);
  assert.match(planned.out, /create Secret .*web: is new/, planned.err);
  const applied = await run(['apply', 'shop', ...target, '--wait']);
  assert.equal(applied.code, 0, applied.out + applied.err);
  const password = Buffer.from('hunter2-password').toString('base64');
  assert.equal((await live())['password'], password);

  const again = await run(['apply', 'shop', ...target, '--wait']);
  assert.match(again.out, /0 created, 0 updated, 1 unchanged/);
  const thief = await cluster.as('rival-controller');
  await thief.ask('PATCH', `/api/v1/namespaces/${cluster.namespace}/secrets/web?fieldManager=rival`, {
    body: { stringData: { password: 'stolen' } },
    contentType: 'application/merge-patch+json',
  });
  const drift = await run(['drift', '--app', 'shop', '--full']);
  assert.match(drift.out, /data\.password.*hmac:/s);
  const healed = await run(['drift', '--app', 'shop', '--full', '--heal']);
  assert.match(healed.err, /healed/);
  assert.equal((await live())['password'], password);
  assert.doesNotMatch(await records(), anySecret);
});
