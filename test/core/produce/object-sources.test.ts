import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { S3Objects } from '../../../adapters/s3-objects.ts';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { poll } from '../../../core/poll.ts';
import { produce } from '../../../core/produce.ts';
import { nativeEventSchema } from '../../../core/receive/native-event.ts';
import { receiveNative } from '../../../core/receive.ts';
import { testAws } from '../../aws/test-aws.ts';
import { archiveOf } from '../../charts/archive.ts';
import { ProduceWorld, files } from './world.ts';

const { client, prefix } = await testAws();
const s3 = new S3Client(client);
const bucket = `${prefix}-artifacts`;
await s3.send(new CreateBucketCommand({ Bucket: bucket }));

const input = {
  repositories: [{ name: 'fleet', url: `s3://${bucket}/fleet/main.tar.gz` }],
  clusters: [{ name: 'prod', access: { type: 'eks' as const, name: 'x' } }],
};
const config = parseStackConfig(input);

async function upload(content: Record<string, string>): Promise<string> {
  const Body = archiveOf(Object.entries(content).map(([path, text]) => ({ path, content: text })));
  const { ETag = '' } = await s3.send(
    new PutObjectCommand({ Bucket: bucket, Key: 'fleet/main.tar.gz', Body }),
  );
  return ETag.replaceAll('"', '');
}

test('an archive in S3 is followed by its events, and by the poll where there are none', async () => {
  const world = new ProduceWorld();
  const git = new S3Objects(s3);
  const deps = { ...world.deps(input), git, config };
  const follow = async (): Promise<void> => {
    for (const { type, detail } of world.bus.events.splice(0)) {
      if (type === 'PushReceived') await produce(detail, 1, deps);
    }
  };
  const tell = async (etag: string): Promise<void> => {
    const object = { key: 'fleet/main.tar.gz', etag };
    const event = {
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: { bucket: { name: bucket }, object },
    };
    await receiveNative(nativeEventSchema.parse({ id: `event-${etag}`, ...event }), deps);
    await follow();
  };
  const old = await upload(files('1'));
  await tell(old);
  assert.equal((await world.pointer('web')).revision, 1);
  assert.equal((await world.pointer('web')).commit.ref, 'object');

  await tell(await upload(files('2')));
  assert.equal((await world.pointer('web')).revision, 2);
  assert.equal((await world.pointer('api')).revision, 1);
  // Late: the object is asked anew.
  await tell(old);
  assert.equal((await world.pointer('web')).revision, 2);

  await upload(files('3'));
  assert.match(await poll(['fleet'], deps), /^missed: fleet/);
  await follow();
  assert.equal((await world.pointer('web')).revision, 3);
  assert.equal(await poll(['fleet'], deps), 'nothing was missed');
});
