import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AwsReferencedValues } from '../../adapters/referenced-values.ts';
import { parseStackConfig } from '../../core/contract/config.ts';
import { whyNotRead } from '../../core/contract/reserved-secrets.ts';
import { Blocked, Retry } from '../../core/errors.ts';
import type { SecretPlace } from '../../core/model/secret-reference.ts';
import { testAws } from '../aws/test-aws.ts';
import { valuesContract } from '../contract/values-contract.ts';
import { sample } from '../infra/synthesized.ts';
import { brokenAws, type Fate } from './broken-aws.ts';

const { client: config, prefix } = await testAws();
const secrets = new SecretsManagerClient(config);
const parameters = new SSMClient(config);
const clients = { secrets: () => secrets, parameters: () => parameters };

async function putSecret(name: string, value: string | Uint8Array): Promise<string> {
  const content = typeof value === 'string' ? { SecretString: value } : { SecretBinary: value };
  try {
    const { VersionId = '' } = await secrets.send(new CreateSecretCommand({ Name: name, ...content }));
    return VersionId;
  } catch (error) {
    if (!(error instanceof ResourceExistsException)) throw error;
    const { VersionId = '' } = await secrets.send(new PutSecretValueCommand({ SecretId: name, ...content }));
    return VersionId;
  }
}

async function put(key: string, value: string | Uint8Array): Promise<string> {
  const [, store, name = ''] = /^(\w+):(.*)$/.exec(key) ?? [];
  if (store === 'awssecrets') return putSecret(name, value);
  const Value = Buffer.from(value).toString();
  const command = new PutParameterCommand({ Name: name, Value, Type: 'SecureString', Overwrite: true });
  const { Version } = await parameters.send(command);
  return String(Version);
}

valuesContract(async () => ({
  values: new AwsReferencedValues({ refusal: () => undefined, ...clients }),
  prefix: `${prefix}/${randomUUID()}`,
  put,
}));

const db: SecretPlace = { store: 'awssecrets', name: 'acme/db' };
const flag: SecretPlace = { store: 'awsssm', name: '/acme/flag' };

test('what the stack configuration does not allow is not even asked for', async () => {
  await using server = await brokenAws(() => ({ kind: 'answer', status: 200, body: '{}' }));
  const stack = parseStackConfig({ ...sample, secretReferences: { secrets: ['other/*'] } });
  const values = new AwsReferencedValues({
    refusal: (place) => whyNotRead(place, stack),
    secrets: () => new SecretsManagerClient({ ...config, endpoint: server.endpoint }),
  });
  await assert.rejects(values.read(db), (error: unknown) => {
    assert.ok(error instanceof Blocked);
    assert.match(
      error.message,
      /^ref\+awssecrets:\/\/acme\/db: is not allowed; add acme\/db, .*secretReferences\.secrets/,
    );
    return true;
  });
  await assert.rejects(values.read(flag), /add \/acme\/flag, .*secretReferences\.parameters/);
  assert.equal(server.seen.length, 0);
});

test('an ARN is asked for in its own region', async () => {
  const body = JSON.stringify({ SecretString: 'far', VersionId: '1' });
  await using server = await brokenAws(() => ({ kind: 'answer', status: 200, body }));
  const regions: (string | undefined)[] = [];
  const values = new AwsReferencedValues({
    refusal: () => undefined,
    secrets: (region) => {
      regions.push(region);
      return new SecretsManagerClient({ ...config, endpoint: server.endpoint, ...(region && { region }) });
    },
  });
  const name = 'arn:aws:secretsmanager:ap-south-1:210987654321:secret:far-Ab1Cd2';
  assert.deepEqual(await values.read({ store: 'awssecrets', name }), { value: 'far', version: '1' });
  await values.read({ store: 'awssecrets', name });
  await values.read(db);
  assert.deepEqual(regions, ['ap-south-1', undefined]);
});

const fails: readonly {
  readonly place: SecretPlace;
  readonly type: string;
  readonly error: typeof Retry | typeof Blocked;
  readonly says: RegExp;
}[] = [
  { place: db, type: 'ThrottlingException', error: Retry, says: /ThrottlingException/ },
  { place: flag, type: 'ThrottlingException', error: Retry, says: /ThrottlingException/ },
  {
    place: db,
    type: 'AccessDeniedException',
    error: Blocked,
    says: /secretsmanager:GetSecretValue, or kms:Decrypt/,
  },
  { place: flag, type: 'AccessDeniedException', error: Blocked, says: /ssm:GetParameter, or kms:Decrypt/ },
  { place: db, type: 'DecryptionFailure', error: Blocked, says: /grant kms:Decrypt/ },
  { place: flag, type: 'InvalidKeyId', error: Blocked, says: /grant kms:Decrypt/ },
  { place: db, type: 'InvalidRequestException', error: Blocked, says: /about to be deleted/ },
  { place: db, type: 'ResourceNotFoundException', error: Blocked, says: /does not exist/ },
  { place: db, type: 'ValidationException', error: Blocked, says: /AWS does not take it \(ValidationExc/ },
  { place: flag, type: 'ParameterVersionNotFound', error: Blocked, says: /no such version any more/ },
];

const failing = (answer: Fate) => async (place: SecretPlace, says: (error: unknown) => boolean) => {
  await using server = await brokenAws(() => answer);
  const client = { ...config, endpoint: server.endpoint, maxAttempts: 1 };
  const values = new AwsReferencedValues({
    refusal: () => undefined,
    secrets: () => new SecretsManagerClient(client),
    parameters: () => new SSMClient(client),
  });
  await assert.rejects(values.read(place), says);
};

for (const { place, type, error, says } of fails) {
  test(`${type} of ${place.store} is a ${error.name}`, async () => {
    const body = JSON.stringify({ __type: type, message: 'no' });
    await failing({ kind: 'answer', status: 400, body })(place, (thrown) => {
      assert.ok(thrown instanceof error, String(thrown));
      assert.match(thrown.message, says);
      return true;
    });
  });
}

test('a service that is away is asked again later, and one that gives no value is blocked', async () => {
  await failing({ kind: 'answer', status: 503, body: '{}' })(db, (error) => error instanceof Retry);
  await failing({ kind: 'answer', status: 200, body: '{}' })(flag, (error) => {
    return error instanceof Blocked && error.message.includes('has no value');
  });
});
