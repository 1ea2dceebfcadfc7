import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ChartRegistry } from '../../adapters/chart-registry.ts';
import { parseStackConfig } from '../../core/contract/config.ts';
import { chartArchive } from '../charts/archive.ts';
import { TestServer, serveRepository } from '../charts/chart-server.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

function registryOf(url: string): ChartRegistry {
  const { sources } = parseStackConfig({
    repositories: [{ name: 'fleet', url: 'https://git.example/fleet.git' }],
    clusters: [{ name: 'east', access: { type: 'eks', name: 'east' } }],
    sources: { charts: [{ url }] },
  });
  return new ChartRegistry({
    sources: async () => sources.charts,
    secrets: { get: async () => ({ current: 'ada:hunter22' }) },
    ecr: { basic: async () => 'Basic ecr' },
    clock: new ManualClock(),
  });
}

const versions = ['1.0.0', '1.2.0', '1.10.0', '2.0.0', '2.1.0-rc.1'];
const packed = versions.map((version) => ({ name: 'web', version, archive: chartArchive('web', version) }));

describe('the newest version of each range', () => {
  test('takes one question to a repository for all of its charts, and no archive', async () => {
    const server = await TestServer.start();
    await using _ = server;
    const both = [...packed, { name: 'db', version: '3.1.0', archive: chartArchive('db', '3.1.0') }];
    serveRepository(server, both);
    const repository = `http://${server.host}/charts`;
    const registry = registryOf(repository);
    const found = await registry.newest([
      { repository, name: 'web', version: '1.x' },
      { repository: `${repository}/`, name: 'db', version: '*' },
      { repository, name: 'web', version: '^9' },
      { repository, name: 'gone', version: '*' },
      { repository: 'http://127.0.0.1:1/else', name: 'web', version: '*' },
    ]);
    const none = { kind: 'none' };
    const newest = ['1.10.0', '3.1.0'].map((version) => ({ kind: 'version', version }));
    assert.deepEqual(found, [...newest, none, none, none]);
    assert.deepEqual(server.requests, ['GET /charts/index.yaml']);
  });

  test('is not known where nobody answers', async () => {
    const server = await TestServer.start();
    const repository = `http://${server.host}/charts`;
    await server[Symbol.asyncDispose]();
    const found = await registryOf(repository).newest([{ repository, name: 'web', version: '*' }]);
    assert.deepEqual(found, [{ kind: 'unknown' }]);
  });

  test('of an OCI name is told by its tags alone, asked for once', async () => {
    const server = await TestServer.start();
    await using _ = server;
    const tags = JSON.stringify({ name: 'acme/web', tags: ['1.0.0', '1.2.0_build', 'latest', '2.0.0'] });
    server.serve('/v2/acme/web/tags/list?n=1000', 200, tags);
    const oci = `oci://${server.host}/acme/web`;
    const found = await registryOf(`oci://${server.host}/acme`).newest(
      ['1.0.x', '1.x', '3.x'].map((version) => ({ oci, version })),
    );
    assert.deepEqual(
      found.map((one) => (one.kind === 'version' ? one.version : one.kind)),
      ['1.0.0', '1.2.0+build', 'none'],
    );
    assert.deepEqual(server.requests, ['GET /v2/acme/web/tags/list?n=1000']);
  });
});
