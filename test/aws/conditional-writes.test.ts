import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  CreateBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { testAws } from './test-aws.ts';

// All locking of ours stands on these: if the emulator let two writers win, every test above it would prove nothing.

let s3: S3Client;
let Bucket = '';

before(async () => {
  const { client, prefix } = await testAws();
  s3 = new S3Client(client);
  Bucket = `${prefix}-races`;
  await s3.send(new CreateBucketCommand({ Bucket }));
});

/** Statuses of 16 writers that write one key at once under the same condition. */
async function race(Key: string, condition: { IfNoneMatch: '*' } | { IfMatch: string }) {
  const writers = Array.from({ length: 16 }, async (_, writer) => {
    try {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: `writer ${writer}`, ...condition }));
      return 200;
    } catch (error) {
      assert.ok(error instanceof S3ServiceException);
      return error.$metadata.httpStatusCode ?? 0;
    }
  });
  return (await Promise.all(writers)).toSorted((a, b) => a - b);
}

test('of 16 writers that create an object at once one wins, and 412 tells the others', async () => {
  assert.deepEqual(await race('created', { IfNoneMatch: '*' }), [200, ...Array<number>(15).fill(412)]);
});

test('of 16 writers that replace the same version at once one wins, and 412 tells the others', async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'replaced', Body: 'first' }));
  const { ETag = '' } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'replaced' }));
  assert.deepEqual(await race('replaced', { IfMatch: ETag }), [200, ...Array<number>(15).fill(412)]);
});

test('a replacement of an object that is gone is a 404', async () => {
  const replaced = s3.send(new PutObjectCommand({ Bucket, Key: 'gone', Body: 'x', IfMatch: '"abc"' }));
  await assert.rejects(replaced, { name: 'NoSuchKey' });
});
