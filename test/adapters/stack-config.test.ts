import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { stackConfigAt } from '../../adapters/stack-config.ts';
import { Stop } from '../../core/errors.ts';
import { testAws } from '../aws/test-aws.ts';

const { client: config, prefix } = await testAws();
const client = new S3Client(config);
const bucket = `${prefix}-assets`;
await client.send(new CreateBucketCommand({ Bucket: bucket }));
const put = (Key: string, value: unknown) =>
  client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: JSON.stringify(value) }));

const written = {
  repositories: [{ name: 'shop', url: 'https://github.com/acme/shop.git' }],
  clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
};

test('loads the configuration once, with its defaults', async () => {
  await put('path/config.json', written);
  const load = stackConfigAt(`${bucket}/path/config.json`, client);
  const [first, second] = await Promise.all([load(), load()]);
  assert.equal(first, second);
  assert.equal(first.repositories[0]?.applications, 'applications');
  await put('path/config.json', {});
  assert.equal(await load(), first);
});

test('names every fault, and tries again after a failure', async () => {
  await put('wrong.json', { ...written, clusters: [], sweepMinutes: 0 });
  const load = stackConfigAt(`${bucket}/wrong.json`, client);
  await assert.rejects(load(), (error) => {
    assert.ok(error instanceof Stop);
    assert.match(error.message, /stack configuration s3:.*wrong\.json/);
    assert.match(error.message, /clusters: /);
    assert.match(error.message, /sweepMinutes: /);
    return true;
  });
  await put('wrong.json', written);
  assert.equal((await load()).clusters[0]?.name, 'prod');
});
