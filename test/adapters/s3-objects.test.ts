import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { strToU8, zipSync } from 'fflate';
import { S3Objects } from '../../adapters/s3-objects.ts';
import { repositorySchema } from '../../core/contract/repository.ts';
import { Blocked, Retry, Stop } from '../../core/errors.ts';
import { objectRevision } from '../../core/model/object-revision.ts';
import { testAws } from '../aws/test-aws.ts';
import { archiveOf, type Member } from '../charts/archive.ts';
import { TestServer } from '../charts/chart-server.ts';

const { client: config, prefix } = await testAws();
const client = new S3Client(config);
const git = new S3Objects(client);

for (const isVersioned of [true, false]) {
  const bucket = `${prefix}-${isVersioned ? 'versioned' : 'plain'}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  if (isVersioned) {
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
  }
  const what = isVersioned ? 'with versions' : 'without versions';
  const at = (key: string) => repositorySchema.parse({ name: 'fleet', url: `s3://${bucket}/${key}` });
  const put = (key: string, members: readonly Member[]) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: archiveOf(members) }));

  test(`the newest version of an object is the head, and its archive the tree: a bucket ${what}`, async () => {
    const repository = at('fleet/main.tar.gz');
    assert.equal(await git.head(repository), undefined);
    const { VersionId, ETag = '' } = await put('fleet/main.tar.gz', [{ path: './a.yaml', content: 'a: 1' }]);
    const sha = (await git.head(repository)) ?? '';
    // The same as what an event of S3 says of it.
    assert.equal(
      sha,
      objectRevision(repository.url, { versionId: VersionId, etag: ETag.replaceAll('"', '') }),
    );
    await using worktree = await git.checkout(repository, sha);
    assert.equal(await worktree?.text('a.yaml'), 'a: 1');
    const { ref, subject, author } = worktree?.commit ?? {};
    assert.deepEqual([ref, author?.name], ['object', 'unknown']);
    const version = isVersioned ? `version ${VersionId}` : `ETag ${ETag.replaceAll('"', '')}`;
    assert.equal(subject, `${repository.url} ${version}`);
  });

  test(`what is no more the newest is not checked out as such: a bucket ${what}`, async () => {
    const repository = at('moves.tgz');
    await put('moves.tgz', [{ path: 'a.yaml', content: 'a: 1' }]);
    const old = (await git.head(repository)) ?? '';
    await put('moves.tgz', [{ path: 'a.yaml', content: 'a: 2' }]);
    assert.equal(await git.checkout(repository, old), undefined);
    const heads = await git.heads([repository, { ...repository, name: 'again' }]);
    assert.deepEqual([...heads.keys()], ['fleet', 'again']);
    assert.notEqual(heads.get('fleet')?.sha, old);
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'moves.tgz' }));
    assert.equal(await git.head(repository), undefined);
  });

  test(`a zip archive is a tree like any other: a bucket ${what}`, async () => {
    const Body = zipSync({ 'apps/a.yaml': strToU8('a: 1') });
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'fleet/main.zip', Body }));
    const repository = at('fleet/main.zip');
    await using worktree = await git.checkout(repository, (await git.head(repository)) ?? '');
    assert.deepEqual(await worktree?.files('.'), ['apps/a.yaml']);
  });

  test(`an archive that climbs is refused: a bucket ${what}`, async () => {
    await put('evil.tgz', [{ path: '../../etc/passwd' }]);
    const repository = at('evil.tgz');
    const sha = (await git.head(repository)) ?? '';
    await assert.rejects(git.checkout(repository, sha), (error: Error) => {
      assert.ok(error instanceof Stop);
      assert.match(
        error.message,
        /^object s3:\/\/.*evil\.tgz of repository fleet: holds a path that leads out/,
      );
      return true;
    });
  });
}

test('a version that is gone or overwritten between the question and the reading is moved, and no fault', async () => {
  for (const status of [404, 412]) {
    await using server = await TestServer.start();
    const endpoint = `http://${server.host}`;
    const lost = new S3Objects(new S3Client({ ...config, endpoint, forcePathStyle: true, maxAttempts: 1 }));
    server.routes.set('/acme/fleet.tgz', ({ method }) =>
      method === 'HEAD' ? [200, '', { etag: '"1"' }] : [status, ''],
    );
    const repository = repositorySchema.parse({ name: 'fleet', url: 's3://acme/fleet.tgz' });
    const sha = (await lost.head(repository)) ?? '';
    assert.equal(await lost.checkout(repository, sha), undefined);
  }
});

test('a missing right is Blocked with its name, an outage Retry, and what is too large Stop', async () => {
  await using server = await TestServer.start();
  const endpoint = `http://${server.host}`;
  const broken = new S3Objects(new S3Client({ ...config, endpoint, forcePathStyle: true, maxAttempts: 1 }));
  const repository = repositorySchema.parse({ name: 'fleet', url: 's3://acme/fleet.tgz' });
  server.serve('/acme/fleet.tgz', 403, '');
  await assert.rejects(broken.head(repository), (error) => {
    assert.ok(error instanceof Blocked);
    assert.match(error.message, /^s3:\/\/acme\/fleet\.tgz: AWS refused s3:GetObject/);
    return true;
  });
  server.serve('/acme/fleet.tgz', 503, '');
  await assert.rejects(broken.head(repository), Retry);
  const large = { etag: '"1"', 'content-length': String(65 * 1024 * 1024) };
  server.routes.set('/acme/fleet.tgz', () => [200, '', large]);
  const sha = (await broken.head(repository)) ?? '';
  await assert.rejects(broken.checkout(repository, sha), (error: Error) => {
    assert.ok(error instanceof Stop, String(error));
    assert.match(error.message, /has 68157440 bytes; up to 67108864 are read/);
    return true;
  });
});
