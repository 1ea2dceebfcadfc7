import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { keys } from '../../../core/contract/keys.ts';
import { objectRevision } from '../../../core/model/object-revision.ts';
import { nativeEventSchema } from '../../../core/receive/native-event.ts';
import { receiveNative } from '../../../core/receive.ts';
import { understand } from '../../../core/receive/understand.ts';
import { world } from '../../fakes/hook-world.ts';
import { RecordingBus } from '../../fakes/recorders.ts';

const host = '123456789012.dkr.ecr.us-west-2.amazonaws.com';
const config = parseStackConfig({
  repositories: [
    { name: 'git', url: 'https://git.example/acme/fleet.git' },
    { name: 'tag', url: `oci://${host}/acme/fleet`, tag: 'main' },
    { name: 'range', url: `oci://${host}/acme/fleet`, semver: '^1.2' },
    { name: 'hub', url: 'oci://registry-1.docker.io/acme/fleet', tag: 'main' },
    { name: 'object', url: 's3://acme-artifacts/fleet/Main.tar.gz' },
  ],
  clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
});
const hex = '7f5b'.repeat(16);
const zeros = '0'.repeat(40);

async function take(event: unknown) {
  const { deps, bus, record } = world(new RecordingBus(), config);
  const native = nativeEventSchema.parse(event);
  await receiveNative(native, deps);
  const provider = native.source === 'aws.ecr' ? 'ecr' : 's3';
  const pushes = bus.events.flatMap(({ type, detail }) => (type === 'PushReceived' ? [detail] : []));
  const shown = pushes.map(({ repository, ref, before, after }) => ({ repository, ref, before, after }));
  const recorded = await record(keys.delivery(provider, native.id));
  return { shown, types: bus.events.map(({ type }) => type), recorded };
}

function ecr(tag: string) {
  const detail = {
    result: 'SUCCESS',
    'repository-name': 'acme/fleet',
    'image-digest': `sha256:${hex}`,
    'action-type': 'PUSH',
    'image-tag': tag,
  };
  const place = { account: '123456789012', region: 'us-west-2' };
  return { id: '13cde686-328b', source: 'aws.ecr', 'detail-type': 'ECR Image Action', ...place, detail };
}

for (const [tag, names] of [
  ['main', ['tag']],
  ['1.3.0', ['range']],
  ['2.0.0', []],
  ['dev', []],
] as const) {
  test(`a push of the tag ${tag} to ECR is one to ${names.join() || 'no repository'}`, async () => {
    const { shown, types, recorded } = await take(ecr(tag));
    const push = { ref: `refs/tags/${tag}`, before: zeros, after: hex };
    assert.deepEqual(
      shown,
      names.map((repository) => ({ repository, ...push })),
    );
    assert.ok(types.includes('ImagePushed'));
    assert.deepEqual(recorded?.pushes?.map(({ repository }) => repository) ?? [], names);
  });
}

test('an image of Docker Hub is one of the registry that serves it, digest or not', () => {
  const image = { repository: 'docker.io/acme/fleet', tag: 'main' };
  const reading = { kind: 'images', event: 'push', images: [image], stamped: true } as const;
  const understood = understand(reading, config.repositories);
  assert.ok(understood.kind === 'wanted');
  const [push, ...more] = understood.pushes;
  assert.deepEqual([push?.repository, push?.ref, more], ['hub', 'refs/tags/main', []]);
  assert.match(push?.after ?? '', /^[0-9a-f]{64}$/);
});

const object = {
  id: '17793124-05d4-b198-2fde-7ededc63b103',
  source: 'aws.s3',
  'detail-type': 'Object Created',
  account: '123456789012',
  region: 'eu-west-1',
  resources: ['arn:aws:s3:::acme-artifacts'],
  // docs.aws.amazon.com, S3: EventBridge event message structure.
  detail: {
    version: '0',
    bucket: { name: 'acme-artifacts' },
    object: {
      key: 'fleet/Main.tar.gz',
      size: 5,
      etag: 'b1946ac92492d2347c6235b4d2611184',
      'version-id': 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e',
      sequencer: '617f08299329d189',
    },
    'request-id': 'N4N7GDK58NMKJ12R',
    requester: '123456789012',
    reason: 'PutObject',
  },
};

test('a new version of an object is a push of its revision', async () => {
  const { etag, 'version-id': versionId } = object.detail.object;
  const after = objectRevision('s3://acme-artifacts/fleet/Main.tar.gz', { versionId, etag: `"${etag}"` });
  const { shown } = await take(object);
  assert.deepEqual(shown, [{ repository: 'object', ref: 'object', before: zeros, after }]);
});

test('an object that is no repository is recorded as such', async () => {
  const detail = { ...object.detail, object: { ...object.detail.object, key: 'fleet/other.tar.gz' } };
  const { types, recorded } = await take({ ...object, detail });
  assert.deepEqual(types, []);
  assert.match(
    recorded?.outcome ?? '',
    /^repository s3:\/\/acme-artifacts\/fleet\/other\.tar\.gz is not configured/,
  );
});
