import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { testAws } from '../aws/test-aws.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { LocalWorld } from './local-world.ts';

/** A Secret that refers to AWS, on a real API server: applied, rotated, changed by hand, healed. */

const { client: config, aws, prefix } = await testAws();
const secrets = new SecretsManagerClient(config);
const name = `${prefix}/db`;
const place = `ref+awssecrets://${name}`;
const anyValue = /hunter2|aHVudGVyMi|stolen|c3RvbGVu/;

let cluster: TestCluster;
let world: LocalWorld;
before(async () => {
  cluster = await testCluster('cli-references');
  world = await LocalWorld.open(cluster.kubeconfigPath);
});
after(async () => {
  await world.close();
  await cluster.stop();
});

async function run(args: readonly string[]) {
  const ended = await world.run(args, aws.env);
  assert.doesNotMatch(ended.out + ended.err, anyValue);
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

const path = () => `/api/v1/namespaces/${cluster.namespace}/secrets/db`;

async function live(): Promise<{ readonly [key: string]: unknown } | undefined> {
  const { body, status } = await cluster.admin.ask('GET', path());
  if (status === 404) return undefined;
  assert.ok(typeof body === 'object' && body !== null && 'data' in body);
  return { ...Object(body.data) };
}

const encoded = (text: string) => Buffer.from(text).toString('base64');
const value = (password: string) => JSON.stringify({ user: 'web', password });

test('is applied, rotated, checked and healed, and its values are nowhere but in the cluster', async () => {
  const token = `/${prefix}/token`;
  const data = `  password: ${place}#/password\n  token: ref+awsssm:/${token}\n  plain: as it is\n`;
  await world.write(
    'shop/secret.yaml',
    `apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n${data}`,
  );
  const target = ['--app', 'vault', '--namespace', cluster.namespace];
  assert.equal((await run(['render', 'shop', '-o', 'yaml'])).code, 0, 'no AWS is asked');

  const early = await run(['apply', 'shop', ...target]);
  assert.match(
    early.out + early.err,
    /Secret .*db \(.*secret\.yaml:1\): data\.password: ref\+aws\S+: does not exist/,
  );
  assert.equal(await live(), undefined);

  const created = await secrets.send(
    new CreateSecretCommand({ Name: name, SecretString: value('hunter2-one') }),
  );
  const first = created.VersionId ?? '';
  const parameters = new SSMClient(config);
  await parameters.send(
    new PutParameterCommand({ Name: token, Value: 'hunter2-token', Type: 'SecureString' }),
  );
  const planned = await run(['plan', 'shop', ...target]);
  assert.match(planned.out, /create Secret .*db: is new/, planned.err);
  const applied = await run(['apply', 'shop', ...target, '--wait']);
  assert.equal(applied.code, 0, applied.out + applied.err);
  const rest = { token: encoded('hunter2-token'), plain: encoded('as it is') };
  assert.deepEqual(await live(), { password: encoded('hunter2-one'), ...rest });
  const clean = await run(['drift', '--app', 'vault', '--full']);
  assert.match(clean.out, /: Synced; Healthy/, clean.err);

  const { VersionId: second = '' } = await secrets.send(
    new PutSecretValueCommand({ SecretId: name, SecretString: value('hunter2-two') }),
  );
  const waiting = new RegExp(
    `vault: Pending; Healthy; ref\\+awssecrets://${name} has version ${second}, applied is ${first}`,
  );
  assert.match((await run(['drift', '--app', 'vault', '--full'])).out, waiting);
  // Nothing has changed since, and no object but this one is looked at.
  assert.match((await run(['drift', '--app', 'vault'])).out, waiting);
  assert.match((await run(['status'])).out, new RegExp(`db has version ${second}`));

  const thief = await cluster.as('rival-controller');
  await thief.ask('PATCH', `${path()}?fieldManager=rival`, {
    body: { stringData: { token: 'stolen' } },
    contentType: 'application/merge-patch+json',
  });
  const both = await run(['drift', '--app', 'vault', '--full']);
  assert.match(both.out, /Pending, 1 objects with drift/);
  assert.match(both.out, /data\.token.*hmac:/s);
  assert.doesNotMatch(both.out, /data\.password/, 'a rotation is no drift');

  const shown = await run(['plan', 'shop', ...target]);
  assert.match(shown.out, new RegExp(`update Secret .*db: ref.* has version ${second}, applied is ${first}`));
  const again = await run(['apply', 'shop', ...target, '--wait']);
  assert.match(again.out, /0 created, 1 updated/, again.err);
  assert.deepEqual(await live(), { password: encoded('hunter2-two'), ...rest });
  assert.match((await run(['status'])).out, /Synced/);
  assert.match((await run(['drift', '--app', 'vault', '--full'])).out, /: Synced; Healthy/);

  const history = await run(['history', '--app', 'vault']);
  for (const version of [first, second]) {
    assert.match(
      history.out,
      new RegExp(`: ref\\+awssecrets://${name} with version ${version}`),
      history.err,
    );
  }
  const status = await run(['status', '-o', 'json']);
  assert.match(status.out, new RegExp(`"${place.replace('+', '\\+')}": "${second}"`));
  assert.doesNotMatch(await records(), anyValue);
});
