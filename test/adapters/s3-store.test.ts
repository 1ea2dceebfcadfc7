import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { S3Store } from '../../adapters/s3-store.ts';
import { Blocked, Retry, Stop } from '../../core/errors.ts';
import { storeContract } from '../contract/store-contract.ts';
import { brokenAws, type Fate } from './broken-aws.ts';
import { testAws } from '../aws/test-aws.ts';

const { client: config, prefix } = await testAws();
const client = new S3Client(config);
const bucket = `${prefix}-store`;
await client.send(new CreateBucketCommand({ Bucket: bucket }));
await client.send(
  new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }),
);
const store = new S3Store(bucket, client);

storeContract('S3, versioned', async () => ({ store, prefix: 'contract/' }));

const unversioned = `${prefix}-plain`;
storeContract('S3, not versioned', async () => {
  await client.send(new CreateBucketCommand({ Bucket: unversioned }));
  return { store: new S3Store(unversioned, client), prefix: '' };
});

storeContract('S3, below a prefix of a bucket', async () => {
  await store.put('shared/deep/er', 'beside', 'any');
  return { store: new S3Store(bucket, client, 'shared/deep/'), prefix: '' };
});

test('a .gz key is compressed at rest, and what is not gzip is a Stop that names the object', async () => {
  await store.put('at-rest.json.gz', 'a'.repeat(10_000), 'any');
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'at-rest.json.gz' }));
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
  assert.ok(bytes.length < 200);
  assert.equal(gunzipSync(bytes).toString(), 'a'.repeat(10_000));

  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'plain.json.gz', Body: 'not gzip' }));
  await assert.rejects(store.get('plain.json.gz'), (error) => {
    assert.ok(error instanceof Stop);
    assert.match(error.message, new RegExp(`^s3://${bucket}/plain\\.json\\.gz: is not gzip`));
    return true;
  });
});

function xml(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>no</Message></Error>`;
}

/** A store whose endpoint behaves as told, with the limits of production but a shorter timeout. */
async function brokenStore(fateOf: (index: number, request: string) => Fate) {
  const server = await brokenAws(fateOf, config.endpoint);
  const requestHandler = { connectionTimeout: 500, requestTimeout: 500, throwOnRequestTimeout: true };
  const broken = new S3Client({ ...config, endpoint: server.endpoint, maxAttempts: 3, requestHandler });
  return { server, store: new S3Store(bucket, broken) };
}

const faults = [
  {
    what: 'SlowDown',
    fate: { kind: 'answer', status: 503, body: xml('SlowDown') },
    error: Retry,
    says: /SlowDown/,
    tries: 3,
  },
  {
    what: 'a 500',
    fate: { kind: 'answer', status: 500, body: xml('InternalError') },
    error: Retry,
    says: /InternalError/,
    tries: 3,
  },
  { what: 'silence', fate: { kind: 'silence' }, error: Retry, says: /TimeoutError/, tries: 3 },
  {
    what: 'a refusal',
    fate: { kind: 'answer', status: 403, body: xml('AccessDenied') },
    error: Blocked,
    says: /s3:GetObject with s3:ListBucket/,
    tries: 1,
  },
] as const;
for (const { what, fate, error, says, tries } of faults) {
  test(`${what} of S3 is a ${error.name} that names object and permission`, async () => {
    const { server, store: broken } = await brokenStore(() => fate);
    await using _ = server;
    await assert.rejects(broken.get('some.json'), (thrown) => {
      assert.ok(thrown instanceof error, String(thrown));
      assert.match(thrown.message, says);
      assert.equal(thrown.subject, `s3://${bucket}/some.json`);
      return true;
    });
    assert.equal(server.seen.length, tries);
  });
}

test('a refused write, delete or list names its own permission', async () => {
  const { server, store: broken } = await brokenStore(() => ({
    kind: 'answer',
    status: 403,
    body: xml('AccessDenied'),
  }));
  await using _ = server;
  await assert.rejects(broken.put('k', 't', 'absent'), /s3:PutObject/);
  await assert.rejects(broken.delete('k', { etag: '"e"' }), /s3:DeleteObject/);
  await assert.rejects(broken.list('p/')[Symbol.asyncIterator]().next(), /s3:ListBucket/);
});

for (const status of [409, 412]) {
  test(`${status} is a conflict of a conditional write, and a fault of any other`, async () => {
    const body = xml(status === 409 ? 'ConditionalRequestConflict' : 'PreconditionFailed');
    const { server, store: broken } = await brokenStore(() => ({ kind: 'answer', status, body }));
    await using _ = server;
    assert.deepEqual(await broken.put('k', 't', 'absent'), { kind: 'conflict' });
    assert.deepEqual(await broken.put('k', 't', { etag: '"e"' }), { kind: 'conflict' });
    assert.equal(await broken.delete('k', { etag: '"e"' }), 'conflict');
    await assert.rejects(broken.put('k', 't', 'any'));
  });
}

test('a bucket that is gone is a fault, not a conflict and not an absent key', async () => {
  const gone = new S3Store(`${prefix}-gone`, client);
  await assert.rejects(gone.get('k'), { name: 'NoSuchBucket' });
  await assert.rejects(gone.put('k', 't', { etag: '"e"' }), { name: 'NoSuchBucket' });
});

test('a write whose answer was lost is ours when the second try meets it', async () => {
  const { server, store: broken } = await brokenStore((index) => ({
    kind: index === 0 ? 'lose' : 'forward',
  }));
  await using _ = server;
  const outcome = await broken.put('lost.json', 'mine', 'absent');
  assert.equal(outcome.kind, 'written');
  assert.deepEqual(
    server.seen.map((line) => line.split(' ')[0]),
    ['PUT', 'PUT', 'GET'],
  );
  assert.deepEqual(await store.get('lost.json'), {
    text: 'mine',
    etag: outcome.kind === 'written' ? outcome.etag : '',
  });
});

test('a write whose answer was lost is not ours when somebody else was first', async () => {
  await store.put('theirs.json', 'theirs', 'any');
  const { server, store: broken } = await brokenStore((index) => ({
    kind: index === 0 ? 'lose' : 'forward',
  }));
  await using _ = server;
  assert.deepEqual(await broken.put('theirs.json', 'mine', 'absent'), { kind: 'conflict' });
});
