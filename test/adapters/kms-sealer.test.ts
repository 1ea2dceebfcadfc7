import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { KmsSealer } from '../../adapters/kms-sealer.ts';
import { Stop } from '../../core/errors.ts';
import type { Secrets } from '../../core/ports.ts';
import { testAws } from '../aws/test-aws.ts';

const { client: config } = await testAws();
const client = new KMSClient(config);
const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
const secrets: Secrets = { get: async (name) => ({ current: `text of ${name}` }) };
const sealer = new KmsSealer(
  { keyId: KeyMetadata?.KeyId ?? '', digestKeySecret: 'digests', secrets },
  client,
);

test('a value is sealed under a data key that only KMS can unwrap', async () => {
  const { wrapped, key } = await sealer.newDataKey();
  assert.equal(key.length, 32);
  for (const plain of ['hunter2', '', 'grüße \u{1F680}', 'x'.repeat(1_000_000)]) {
    const sealed = sealer.encrypt(key, plain);
    assert.equal(sealer.decrypt(await sealer.unwrap(wrapped), sealed), plain);
  }
  assert.ok(!Buffer.from(wrapped, 'base64').includes(Buffer.from(key)));
});

test('the same value sealed twice looks different, and every data key is new', async () => {
  const { key } = await sealer.newDataKey();
  assert.notEqual(sealer.encrypt(key, 'same'), sealer.encrypt(key, 'same'));
  assert.notDeepEqual((await sealer.newDataKey()).key, key);
});

test('what was altered, cut short or sealed under another key is a Stop that holds no value', async () => {
  const { key } = await sealer.newDataKey();
  const { key: other } = await sealer.newDataKey();
  const sealed = sealer.encrypt(key, 'hunter2');
  const bytes = Buffer.from(sealed, 'base64');
  const flipped = Array.from(bytes.keys(), (at) => {
    const altered = Buffer.from(bytes);
    altered[at] = (altered[at] ?? 0) ^ 1;
    return altered.toString('base64');
  });
  const short = [0, 11, 12, 20, bytes.length - 1].map((length) =>
    bytes.subarray(0, length).toString('base64'),
  );
  for (const wrong of [...flipped, ...short, 'no base64 at all']) {
    assert.throws(
      () => sealer.decrypt(key, wrong),
      (error) => error instanceof Stop && !error.message.includes('hunter2'),
    );
  }
  assert.throws(() => sealer.decrypt(other, sealed), Stop);
});

test('a wrapped key that KMS does not know is not unwrapped', async () => {
  await assert.rejects(sealer.unwrap(Buffer.from('nonsense').toString('base64')));
});

test('the key of the digests is the text of its secret', async () => {
  assert.deepEqual(await sealer.digestKey(), new TextEncoder().encode('text of digests'));
});
