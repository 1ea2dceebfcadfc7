import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SecretsManagerSecrets } from '../../adapters/secrets-manager.ts';
import { Blocked, Retry } from '../../core/errors.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { brokenAws } from './broken-aws.ts';
import { testAws } from '../aws/test-aws.ts';

const { client: config, prefix } = await testAws();
const client = new SecretsManagerClient(config);

async function secret(value: string): Promise<string> {
  const Name = `${prefix}-hooks`;
  await client.send(new CreateSecretCommand({ Name, SecretString: value }));
  return Name;
}
const put = (SecretId: string, SecretString: string) =>
  client.send(new PutSecretValueCommand({ SecretId, SecretString }));

test('a rotation is seen within a minute, at once by whoever asks for it, and the previous value stays', async () => {
  const clock = new ManualClock();
  const secrets = new SecretsManagerSecrets(clock, client);
  const name = await secret('one');
  assert.deepEqual(await secrets.get(name), { current: 'one' });
  await put(name, 'two');
  assert.deepEqual(await secrets.get(name), { current: 'one' });
  clock.advance(5_000);
  assert.deepEqual(await secrets.get(name, { maxAgeSeconds: 6 }), { current: 'one' });
  assert.deepEqual(await secrets.get(name, { maxAgeSeconds: 5 }), { current: 'two', previous: 'one' });
  await put(name, 'three');
  clock.advance(60_000);
  assert.deepEqual(await secrets.get(name), { current: 'three', previous: 'two' });
});

test('a secret that does not exist is Blocked by name, and found once it is there', async () => {
  const secrets = new SecretsManagerSecrets(new ManualClock(), client);
  const name = `${prefix}-later`;
  await assert.rejects(secrets.get(name), (error) => {
    assert.ok(error instanceof Blocked);
    assert.match(error.message, new RegExp(`secret ${name}: does not exist`));
    return true;
  });
  await client.send(new CreateSecretCommand({ Name: name, SecretString: 'now' }));
  assert.deepEqual(await secrets.get(name), { current: 'now' });
});

test('many askers at once cost one look', async () => {
  const value = { kind: 'answer', status: 200, body: '{"SecretString":"s"}' } as const;
  await using server = await brokenAws(() => value);
  const counted = new SecretsManagerClient({ ...config, endpoint: server.endpoint });
  const secrets = new SecretsManagerSecrets(new ManualClock(), counted);
  await Promise.all(Array.from({ length: 20 }, () => secrets.get('s')));
  assert.equal(server.seen.length, 2, 'one for each stage');
});

for (const { name, status, error, says } of [
  { name: 'ThrottlingException', status: 400, error: Retry, says: /ThrottlingException/ },
  { name: 'AccessDeniedException', status: 400, error: Blocked, says: /secretsmanager:GetSecretValue/ },
] as const) {
  test(`${name} is a ${error.name}`, async () => {
    const body = JSON.stringify({ __type: name, message: 'no' });
    await using server = await brokenAws(() => ({ kind: 'answer', status, body }));
    const broken = new SecretsManagerClient({ ...config, endpoint: server.endpoint });
    await assert.rejects(new SecretsManagerSecrets(new ManualClock(), broken).get('s'), (thrown) => {
      assert.ok(thrown instanceof error, String(thrown));
      assert.match(thrown.message, says);
      return true;
    });
  });
}
