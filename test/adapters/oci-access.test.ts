import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ECRClient } from '@aws-sdk/client-ecr';
import { EcrCredentials } from '../../adapters/ecr-credentials.ts';
import { basicOf, reachOf } from '../../adapters/oci-access.ts';
import { OciRepository } from '../../adapters/oci-registry.ts';
import { Blocked } from '../../core/errors.ts';
import { ArtifactRegistry } from '../artifacts/artifact-registry.ts';
import { testAws } from '../aws/test-aws.ts';

const { client } = await testAws();
const host = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const ecr = new EcrCredentials({ now: () => 0 }, (region) => new ECRClient({ ...client, region }));
const secrets = { get: async (name: string) => ({ current: name === 'good' ? 'ada:lovelace\n' : 'token' }) };

test('a token that AWS gave to our role opens a registry that asks for Basic', async () => {
  await using registry = await ArtifactRegistry.start();
  const digest = registry.pushFiles('main', { 'a.yaml': 'a: 1' });
  const { routes } = registry.server;
  const basic = await basicOf({}, host, { secrets, ecr }, 'repository fleet');
  assert.match(basic ?? '', /^Basic [\w+/]+=*$/);
  for (const [path, route] of routes) {
    routes.set(path, (request) =>
      request.headers.authorization === basic
        ? route(request)
        : [401, '', { 'www-authenticate': 'Basic realm="https://ecr",service="ecr.amazonaws.com"' }],
    );
  }
  const { host: loopback } = registry.server;
  const declared = { url: registry.url, hosts: [], internal: false };
  const access = { origin: `http://${loopback}`, name: registry.name, secret: undefined };
  const reach = reachOf(declared, 'repository fleet');
  const found = await new OciRepository({ ...access, reach, basic }).find('main');
  assert.equal(found?.digest, digest);
  await assert.rejects(new OciRepository({ ...access, reach, basic: undefined }).find('main'), Blocked);
});

test('a secret is a user and a password; another one is Blocked, and not shown', async () => {
  const basic = await basicOf({ secret: 'good' }, host, { secrets, ecr }, 'repository fleet');
  assert.equal(basic, `Basic ${Buffer.from('ada:lovelace').toString('base64')}`);
  await assert.rejects(
    basicOf({ secret: 'bad' }, 'ghcr.io', { secrets, ecr }, 'repository fleet'),
    /^Blocked: repository fleet: want USER:PASSWORD in the secret bad, and it has no colon$/,
  );
  assert.equal(await basicOf({}, 'ghcr.io', { secrets, ecr }, 'repository fleet'), undefined);
});

test('requests lead to the registry, its own companions and what is declared; private addresses are opted into', () => {
  const declared = { hosts: ['tokens.example'], internal: false };
  const reach = reachOf({ ...declared, url: `oci://${host}/acme/fleet` }, 'repository fleet');
  assert.deepEqual(reach.hosts, [
    host,
    'tokens.example',
    'prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com',
  ]);
  assert.equal(reach.internal, false);
  assert.ok(
    reachOf({ ...declared, url: 'oci://ghcr.io/acme' }, 'x').hosts.includes(
      'pkg-containers.githubusercontent.com',
    ),
  );
  assert.equal(reachOf({ ...declared, url: 'oci://127.0.0.1:5000/acme' }, 'x').internal, true);
});
