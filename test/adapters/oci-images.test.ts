import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OciImages } from '../../adapters/oci-images.ts';
import { parseStackConfig } from '../../core/contract/config.ts';
import { Blocked, Retry } from '../../core/errors.ts';
import { containerImage, imageIndex, type Build, type ContainerImage } from '../artifacts/container-image.ts';
import { TestServer } from '../charts/chart-server.ts';

const noEcr = { basic: () => assert.fail('this is not ECR') };
const labels = {
  'org.opencontainers.image.source': 'https://github.com/acme/shop.git',
  'org.opencontainers.image.revision': '3f2a9c1d',
};
const created = '2026-11-23T10:00:00Z';

function serve(server: TestServer, { manifest, blobs }: ContainerImage, tag?: string): void {
  const { digest, mediaType, content } = manifest;
  const headers = { 'content-type': mediaType, 'docker-content-digest': digest };
  for (const reference of [digest, ...(tag === undefined ? [] : [tag])])
    server.serve(`/v2/acme/shop/manifests/${reference}`, 200, content, headers);
  for (const each of blobs) server.serve(`/v2/acme/shop/blobs/${each.digest}`, 200, each.content);
}

function registriesOf(
  server: TestServer,
  source: { readonly path?: string; readonly secret?: string } = {},
  waits: number[] = [],
): OciImages {
  const { path = '/acme', ...more } = source;
  const { sources } = parseStackConfig({
    repositories: [{ name: 'config', url: 'https://git.example/config.git' }],
    clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
    sources: { images: [{ url: `oci://${server.host}${path}`, ...more }] },
  });
  return new OciImages({
    secrets: { get: async () => ({ current: 'ada:lovelace' }) },
    ecr: noEcr,
    sources: async () => sources.images,
    clock: { now: () => 0, sleep: async (ms) => void waits.push(ms) },
  });
}

describe('what an image says of its build', () => {
  const told = async (build: Build) => {
    await using server = await TestServer.start();
    const image = containerImage(build);
    serve(server, image, '1.0.0');
    const facts = await registriesOf(server).facts(`${server.host}/acme/shop`, '1.0.0');
    assert.equal(facts?.digest, image.manifest.digest);
    return { ...facts, digest: undefined };
  };
  const nothing = { created: undefined, source: undefined, revision: undefined, digest: undefined };

  test('is in its config: when it was built, and the labels', async () => {
    assert.deepEqual(await told({ created, labels }), {
      digest: undefined,
      created: '2026-11-23T10:00:00.000Z',
      source: 'https://github.com/acme/shop',
      revision: '3f2a9c1d',
    });
  });

  test('is nothing where it says nothing, or what no label of that kind says', async () => {
    assert.deepEqual({ ...nothing, ...(await told({})) }, nothing);
    const hostile = {
      'org.opencontainers.image.source': 'https://x.example/](javascript:alert(1)) @everyone',
      'org.opencontainers.image.revision': 'abc\nFixes #1',
    };
    const found = await told({ created: '1970-01-01T00:00:00Z', labels: hostile });
    assert.deepEqual({ ...nothing, ...found }, nothing);
  });

  test('is that of a platform of it where it is for several', async () => {
    await using server = await TestServer.start();
    const [attestation, arm, amd] = [containerImage(), containerImage(), containerImage({ created, labels })];
    const index = imageIndex([attestation, arm, amd]);
    serve(server, { manifest: index, blobs: [] }, '1.0.0');
    serve(server, amd);
    const registries = registriesOf(server);
    const facts = await registries.facts(`${server.host}/acme/shop`, '1.0.0');
    assert.deepEqual([facts?.digest, facts?.revision], [index.digest, '3f2a9c1d']);
    const asked = server.requests.length;
    assert.deepEqual(await registries.facts(`${server.host}/acme/shop`, index.digest), facts);
    assert.equal(server.requests.length, asked, 'a digest never tells anything else');
  });
});

describe('which registries are asked', () => {
  test('those that are declared, with their secret, and not all at once', async () => {
    await using server = await TestServer.start();
    server.routes.set('/v2/acme/shop/tags/list', ({ headers }) =>
      headers.authorization === undefined
        ? [401, '', { 'www-authenticate': 'Basic realm="x"' }]
        : [200, JSON.stringify({ tags: ['1.0.0', '1.1.0'] })],
    );
    const waits: number[] = [];
    const registries = registriesOf(server, { secret: 'registry/user' }, waits);
    for (let index = 0; index < 3; index += 1)
      assert.deepEqual(await registries.tags(`${server.host}/acme/shop`), ['1.0.0', '1.1.0']);
    assert.deepEqual(waits, [100, 200]);
    const asked = server.requests.length;
    for (const other of [`${server.host}/other/shop`, 'ghcr.io/acme/shop', 'nginx'])
      assert.equal(await registries.tags(other), undefined);
    assert.equal(server.requests.length, asked);
  });

  test('a whole registry, or one image of it', async () => {
    await using server = await TestServer.start();
    for (const path of ['', '/acme/shop'])
      assert.deepEqual(await registriesOf(server, { path }).tags(`${server.host}/acme/shop`), []);
    assert.equal(
      await registriesOf(server, { path: '/acme/shop' }).tags(`${server.host}/acme/shop2`),
      undefined,
    );
  });

  test('one that refuses or is busy is told of as that', async () => {
    await using server = await TestServer.start();
    server.serve('/v2/acme/shop/tags/list', 403, '');
    const registries = registriesOf(server);
    await assert.rejects(registries.tags(`${server.host}/acme/shop`), Blocked);
    server.serve('/v2/acme/shop/tags/list', 429, '', { 'retry-after': '30' });
    const busy = await registries.tags(`${server.host}/acme/shop`).catch((error: unknown) => error);
    assert.ok(busy instanceof Retry && busy.afterSeconds === 30);
  });
});
