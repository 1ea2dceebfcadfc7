import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { KmsSealer } from '../../adapters/kms-sealer.ts';
import type { Secrets } from '../../core/ports.ts';
import { testAws } from '../aws/test-aws.ts';
import { sealerContract } from '../contract/sealer-contract.ts';

const { client: config } = await testAws();
const client = new KMSClient(config);
const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
const secrets: Secrets = { get: async (name) => ({ current: `text of the secret ${name}` }) };
const sealer = new KmsSealer(
  { keyId: KeyMetadata?.KeyId ?? '', digestKeySecret: 'digests', secrets },
  client,
);

sealerContract('KMS', async () => sealer);

test('the key of the digests is the text of its secret', async () => {
  assert.deepEqual(await sealer.digestKey(), new TextEncoder().encode('text of the secret digests'));
});

test('a data key opens for the purpose that it was made for, and for no other', async () => {
  const { wrapped, key } = await sealer.newDataKey('lookup');
  assert.deepEqual(Buffer.from(await sealer.unwrap(wrapped, 'lookup')), Buffer.from(key));
  await assert.rejects(sealer.unwrap(wrapped));
  await assert.rejects(sealer.unwrap((await sealer.newDataKey()).wrapped, 'lookup'));
});
