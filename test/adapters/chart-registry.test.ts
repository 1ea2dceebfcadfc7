import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { hostname } from 'node:os';
import { describe, test } from 'node:test';
import { ChartRegistry } from '../../adapters/chart-registry.ts';
import { parseStackConfig } from '../../core/contract/config.ts';
import { Blocked, Retry, Stop } from '../../core/errors.ts';
import type { ChartReference } from '../../core/model/helm.ts';
import { chartArchive, sha256 } from '../charts/archive.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { TestServer, serveOciChart, serveRepository } from '../charts/chart-server.ts';

interface Declared {
  readonly url: string;
  readonly secret?: string;
  readonly hosts?: string[];
  readonly internal?: boolean;
}

function registryOf(charts: readonly Declared[], secret = 'ada:hunter22'): ChartRegistry {
  const { sources } = parseStackConfig({
    repositories: [{ name: 'fleet', url: 'https://git.example/fleet.git' }],
    clusters: [{ name: 'east', access: { type: 'eks', name: 'east' } }],
    sources: { charts: [...charts] },
  });
  return new ChartRegistry({
    sources: async () => sources.charts,
    secrets: { get: async () => ({ current: secret }) },
    ecr: { basic: async () => 'Basic ecr' },
    clock: new ManualClock(),
  });
}

const versions = ['1.0.0', '1.2.0', '1.10.0', '2.0.0', '2.1.0-rc.1'];
const packed = versions.map((version) => ({ name: 'web', version, archive: chartArchive('web', version) }));
const fault = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

describe('a Helm repository', () => {
  const open = async (more: Omit<Declared, 'url'> = {}) => {
    const server = await TestServer.start();
    serveRepository(server, packed);
    const repository = `http://${server.host}/charts`;
    const registry = registryOf([{ url: repository, ...more }]);
    const fetch = (version: string, name = 'web') => registry.fetch({ repository, name, version });
    return { server, repository, registry, fetch };
  };

  test('gives exact versions and the newest of a range, with the digest of the archive', async () => {
    const { server, fetch } = await open();
    await using _ = server;
    const chart = await fetch('1.2.0');
    assert.equal(chart.digest, `sha256:${sha256(chartArchive('web', '1.2.0'))}`);
    assert.deepEqual([...chart.files.keys()], ['Chart.yaml', 'templates/a.yaml']);
    const came: string[] = [];
    for (const range of ['1.x', '^1.0.0', '>=1.0.0, <2', '*', '~1.2', '>=2.1.0-0', 'v2.0.0']) {
      came.push((await fetch(range)).version);
    }
    assert.deepEqual(came, ['1.10.0', '1.10.0', '1.10.0', '2.0.0', '1.2.0', '2.1.0-rc.1', '2.0.0']);
  });

  test('is asked for its index again and not for an archive that is known', async () => {
    const { server, fetch } = await open();
    await using _ = server;
    server.routes.set('/charts/index.yaml', (request) =>
      request.headers['if-none-match'] === '"1"' ? [304, ''] : [200, indexOf(server), { etag: '"1"' }],
    );
    await fetch('1.x');
    await fetch('1.10.0');
    assert.deepEqual(server.requests, [
      'GET /charts/index.yaml',
      'GET /charts/web-1.10.0.tgz',
      'GET /charts/index.yaml',
    ]);
  });

  test('is asked again where it does not answer, three times in all', async () => {
    const { server, fetch } = await open();
    await using _ = server;
    const index = server.routes.get('/charts/index.yaml');
    let troubles = 2;
    server.routes.set('/charts/index.yaml', (request) => {
      troubles -= 1;
      return troubles >= 0 ? [503, ''] : (index?.(request) ?? [404, '']);
    });
    assert.equal((await fetch('1.0.0')).version, '1.0.0');
    troubles = 3;
    await assert.rejects(fetch('1.0.0'), Retry);
    assert.equal(troubles, 0);
  });

  test('refuses an archive of another digest, or of none', async () => {
    const { server, fetch, repository } = await open();
    await using _ = server;
    server.serve('/charts/web-1.2.0.tgz', 200, chartArchive('web', '1.2.0', { 'templates/b.yaml': 'x' }));
    const error = await fault(fetch('1.2.0'));
    assert.ok(error instanceof Stop);
    assert.match(
      error.message,
      /gave web-1\.2\.0\.tgz of version 1\.2\.0 with the digest .* nothing of it is used/,
    );
    server.serve('/charts/index.yaml', 200, 'entries: {web: [{version: 1.0.0, urls: [web-1.0.0.tgz]}]}');
    await assert.rejects(
      fetch('1.0.0'),
      new RegExp(`^Stop: chart web of ${repository}: has no digest for 1\\.0\\.0`),
    );
  });

  test('sends credentials to itself alone, also where archives lie elsewhere', async () => {
    const other = await TestServer.start();
    const { server, fetch } = await open({ secret: 'charts', hosts: [other.host] });
    await using servers = new AsyncDisposableStack();
    servers.use(server);
    servers.use(other);
    const archive = packed[0]?.archive ?? Buffer.alloc(0);
    const index = {
      entries: { web: [{ version: '1.0.0', digest: sha256(archive), urls: [`http://${other.host}/a.tgz`] }] },
    };
    server.serve('/charts/index.yaml', 200, JSON.stringify(index));
    other.serve('/a.tgz', 302, '', { location: '/b.tgz' });
    other.serve('/b.tgz', 200, archive);
    assert.equal((await fetch('1.0.0')).version, '1.0.0');
    const basic = `Basic ${Buffer.from('ada:hunter22').toString('base64')}`;
    assert.deepEqual(server.requests, [`GET /charts/index.yaml (${basic})`]);
    assert.deepEqual(other.requests, ['GET /a.tgz', 'GET /b.tgz']);
  });

  const failures: {
    why: string;
    answer: (server: TestServer) => void;
    ask?: string;
    is: typeof Stop | typeof Retry | typeof Blocked;
    says: RegExp;
  }[] = [
    {
      why: 'no such version',
      answer: () => undefined,
      ask: '9.x',
      is: Stop,
      says: /has no version that 9\.x allows; it has 1\.0\.0, 1\.2\.0/,
    },
    {
      why: 'no range',
      answer: () => undefined,
      ask: 'newest',
      is: Stop,
      says: /"newest" is neither a version nor a range/,
    },
    { why: 'not there', answer: (server) => server.routes.clear(), is: Stop, says: /has no index\.yaml/ },
    {
      why: 'refused',
      answer: (server) => server.serve('/charts/index.yaml', 401, ''),
      is: Blocked,
      says: /refuses index\.yaml \(401\); name a secret/,
    },
    {
      why: 'throttled',
      answer: (server) => server.serve('/charts/index.yaml', 429, '', { 'retry-after': '7' }),
      is: Retry,
      says: /answered 429/,
    },
    {
      why: 'broken',
      answer: (server) => server.serve('/charts/index.yaml', 503, ''),
      is: Retry,
      says: /answered 503/,
    },
    {
      why: 'no index',
      answer: (server) => server.serve('/charts/index.yaml', 200, '<html>'),
      is: Stop,
      says: /cannot be read; is this a Helm repository/,
    },
    {
      why: 'redirected to a host that is not declared',
      answer: (server) => server.serve('/charts/index.yaml', 302, '', { location: 'https://evil.example/' }),
      is: Stop,
      says: /leads to evil\.example, which is not declared/,
    },
    {
      why: 'redirected to the metadata of an instance',
      answer: (server) =>
        server.serve('/charts/index.yaml', 302, '', { location: 'http://169.254.169.254/latest/' }),
      is: Stop,
      says: /leads to 169\.254\.169\.254, which is not declared/,
    },
    {
      why: 'redirected for ever',
      answer: (server) => server.serve('/charts/index.yaml', 302, '', { location: '/charts/index.yaml' }),
      is: Stop,
      says: /redirects more than 5 times/,
    },
  ];
  for (const { why, answer, ask = '1.x', is, says } of failures) {
    test(`${why}: ${is.name}`, async () => {
      const { server, fetch } = await open();
      await using _ = server;
      answer(server);
      const error = await fault(fetch(ask));
      assert.ok(error instanceof is, String(error));
      assert.match(error.message, says);
    });
  }

  function indexOf(server: TestServer): string {
    return `entries:\n  web:\n${packed.map(({ version, archive }) => `  - {version: ${version}, digest: ${sha256(archive)}, urls: ["http://${server.host}/charts/web-${version}.tgz"]}\n`).join('')}`;
  }
});

test('what is not declared is never asked', async () => {
  const server = await TestServer.start();
  await using _ = server;
  const registry = registryOf([{ url: 'https://charts.example' }, { url: 'oci://registry.example/charts' }]);
  const undeclared: ChartReference[] = [
    { repository: `http://${server.host}/charts`, name: 'web', version: '1.x' },
    { repository: 'https://charts.example/other', name: 'web', version: '1.x' },
    { oci: `oci://${server.host}/charts/web`, version: '1.x' },
    { oci: 'oci://registry.example/charts-of-others/web', version: '1.x' },
  ];
  for (const reference of undeclared) {
    await assert.rejects(
      registry.fetch(reference),
      /^Stop: charts .*: is not declared; add it to sources\.charts/,
    );
  }
  assert.deepEqual(server.requests, []);
});

describe('an address of an OCI registry', () => {
  const open = async () => {
    const server = await TestServer.start();
    const registry = registryOf([{ url: `oci://${server.host}/acme`, secret: 'charts' }]);
    const fetch = (path: string) => registry.fetch({ oci: `oci://${server.host}${path}`, version: '1.0.0' });
    return { server, fetch };
  };
  for (const path of [
    '/acme/../victim/web',
    '/acme/./web',
    '/acme/%2e%2e/victim/web',
    '/acme/.%2E/victim/web',
    '/acme/..\\victim/web',
    '/acme/\t../victim/web',
    '/acme//web',
    '/acme/web?x=/acme/web',
    '/acme/web#x',
    '/acme/web:1.0.0',
    '/acme/web@sha256',
  ]) {
    test(`that could be read as another is refused, and credentials stay here: ${JSON.stringify(path)}`, async () => {
      const { server, fetch } = await open();
      await using _ = server;
      await assert.rejects(fetch(path), /^Stop: charts oci:.*: is no oci:\/\/HOST\/PATH\/CHART/);
      assert.deepEqual(server.requests, []);
    });
  }

  test('is refused where its host begins with text of another', async () => {
    const registry = registryOf([{ url: 'oci://registry.example/acme' }]);
    for (const host of ['registry.example?/acme', 'registry.example#/acme', 'me@registry.example/acme']) {
      await assert.rejects(registry.fetch({ oci: `oci://${host}/web`, version: '1.0.0' }), /is no oci:/);
    }
  });

  test('is compared as it is asked for: in any case of the host, and with the port that goes without saying', async () => {
    const registry = registryOf([{ url: 'oci://localhost:443/acme' }]);
    await assert.rejects(registry.fetch({ oci: 'oci://LOCALHOST/acme/web', version: '1.0.0' }), Retry);
    await assert.rejects(
      registry.fetch({ oci: 'oci://localhost/acme', version: '1.0.0' }),
      /is not declared/,
    );
  });
});

test('a declared host at an internal address is refused unless that is declared as well', async () => {
  for (const address of ['10.0.0.1', '169.254.169.254', '[fd00::1]', '[::ffff:127.0.0.1]', '100.64.0.1']) {
    const repository = `https://${address}/charts`;
    const registry = registryOf([{ url: repository }]);
    await assert.rejects(
      registry.fetch({ repository, name: 'web', version: '1.x' }),
      /is at an internal address/,
      address,
    );
  }
  const repository = 'https://localhost:65533/charts';
  const named = registryOf([{ url: repository }]);
  // Loopback on purpose, so it is tried; nobody listens.
  await assert.rejects(named.fetch({ repository, name: 'web', version: '1.x' }), Retry);
});

test('a name is judged by what it resolves to', async (context) => {
  const name = hostname();
  const found = await lookup(name).catch(() => undefined);
  if (found === undefined) return context.skip('the name of this machine resolves to nothing');
  const repository = `https://${name}:65533/charts`;
  const reference = { repository, name: 'web', version: '1.x' };
  await assert.rejects(registryOf([{ url: repository }]).fetch(reference), /is at an internal address/);
  await assert.rejects(registryOf([{ url: repository, internal: true }]).fetch(reference), Retry);
});

describe('an OCI registry', () => {
  const name = 'acme/charts/web';
  const open = async (more: Omit<Declared, 'url'> = {}) => {
    const server = await TestServer.start();
    const digests = packed.map(({ version, archive }) => serveOciChart(server, name, version, archive));
    const tags = (list: readonly string[]) => JSON.stringify({ name, tags: list });
    server.serve(`/v2/${name}/tags/list?n=1000`, 200, tags(['1.0.0', '1.2.0', 'latest']), {
      link: `</v2/${name}/tags/list?n=1000&last=latest>; rel="next"`,
    });
    server.serve(`/v2/${name}/tags/list?n=1000&last=latest`, 200, tags(['1.10.0', '2.0.0', '2.1.0-rc.1']));
    const oci = `oci://${server.host}/${name}`;
    const registry = registryOf([{ url: `oci://${server.host}/acme`, ...more }]);
    return { server, digests, fetch: (version: string) => registry.fetch({ oci, version }) };
  };

  test('gives exact versions and the newest of a range over pages of tags', async () => {
    const { server, digests, fetch } = await open();
    await using _ = server;
    const exact = await fetch('1.2.0');
    assert.deepEqual([exact.name, exact.version, exact.digest], ['web', '1.2.0', digests[1]]);
    assert.equal(server.requests.filter((each) => each.includes('tags')).length, 0);
    assert.equal((await fetch('1.x')).version, '1.10.0');
  });

  test('a plus sign in a version is an underscore in its tag', async () => {
    const { server, fetch } = await open();
    await using _ = server;
    serveOciChart(server, name, '3.0.0+build.1', chartArchive('web', '3.0.0+build.1'));
    assert.equal((await fetch('3.0.0+build.1')).version, '3.0.0+build.1');
  });

  test('gets a token where the registry says, with the password of the secret', async () => {
    const { server, fetch } = await open({ secret: 'charts' });
    await using _ = server;
    const realm = `Bearer realm="http://${server.host}/token",service="registry.example",scope="repository:${name}:pull"`;
    for (const [path, route] of server.routes) {
      server.routes.set(path, (request) =>
        request.headers.authorization === 'Bearer let-me-in'
          ? route(request)
          : [401, '', { 'www-authenticate': realm }],
      );
    }
    server.serve('/token', 200, '{"token": "let-me-in"}');
    assert.equal((await fetch('1.x')).version, '1.10.0');
    const asked = server.requests.filter((each) => each.includes('/token'));
    const basic = Buffer.from('ada:hunter22').toString('base64');
    assert.deepEqual(asked, [
      `GET /token?service=registry.example&scope=repository%3Aacme%2Fcharts%2Fweb%3Apull (Basic ${basic})`,
    ]);
  });

  test('a token of a host that is not declared is never fetched', async () => {
    const { server, fetch } = await open({ secret: 'charts' });
    await using _ = server;
    server.serve(`/v2/${name}/manifests/1.0.0`, 401, '', {
      'www-authenticate': 'Bearer realm="https://evil.example/token"',
    });
    await assert.rejects(fetch('1.0.0'), /leads to evil\.example, which is not declared/);
  });

  test('layers elsewhere get no token, and digests are checked of all', async () => {
    const other = await TestServer.start();
    const { server, fetch } = await open({ hosts: [other.host] });
    await using servers = new AsyncDisposableStack();
    servers.use(server);
    servers.use(other);
    const archive = packed[0]?.archive ?? Buffer.alloc(0);
    const blob = `/v2/${name}/blobs/sha256:${sha256(archive)}`;
    server.serve(blob, 307, '', { location: `http://${other.host}/layer` });
    other.serve('/layer', 200, archive);
    assert.equal((await fetch('1.0.0')).version, '1.0.0');
    const second = packed[1]?.archive ?? Buffer.alloc(0);
    server.serve(`/v2/${name}/blobs/sha256:${sha256(second)}`, 200, archive);
    await assert.rejects(fetch('1.2.0'), /gave a layer with the digest/);
    server.serve(`/v2/${name}/manifests/2.0.0`, 200, '{}', {
      'docker-content-digest': `sha256:${'0'.repeat(64)}`,
    });
    await assert.rejects(fetch('2.0.0'), /gave the manifest of 2\.0\.0 with the digest/);
  });

  test('an image is no chart', async () => {
    const { server, fetch } = await open();
    await using _ = server;
    const layer = {
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: `sha256:${'1'.repeat(64)}`,
      size: 1,
    };
    const manifest = Buffer.from(JSON.stringify({ config: layer, layers: [layer] }));
    const headers = { 'docker-content-digest': `sha256:${sha256(manifest)}` };
    server.serve(`/v2/${name}/manifests/1.0.0`, 200, manifest, headers);
    await assert.rejects(fetch('1.0.0'), /is no Helm chart at 1\.0\.0/);
  });
});
