import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { OciArtifacts } from '../../adapters/oci-artifacts.ts';
import { repositorySchema, type RepositoryConfig } from '../../core/contract/repository.ts';
import { Blocked, Stop } from '../../core/errors.ts';
import { ArtifactRegistry } from '../artifacts/artifact-registry.ts';
import { archiveOf, type Member } from '../charts/archive.ts';

const noEcr = { basic: () => assert.fail('this is not ECR'), forget: () => assert.fail('this is not ECR') };
const secrets = { get: async () => ({ current: 'ada:lovelace' }) };
const git = new OciArtifacts({ secrets, ecr: noEcr });

function repository(registry: ArtifactRegistry, more: object = { tag: 'main' }): RepositoryConfig {
  return repositorySchema.parse({ name: 'fleet', url: registry.url, ...more });
}

const files = {
  'applications/web.yaml': 'kind: Application\n',
  'apps/web/a.yaml': 'a: 1\n',
  'apps/api/a.yaml': 'a: 1\n',
};

async function opened(registry: ArtifactRegistry, more?: object) {
  const config = repository(registry, more);
  const sha = await git.head(config);
  assert.ok(sha !== undefined);
  const worktree = await git.checkout(config, sha);
  assert.ok(worktree !== undefined);
  return worktree;
}

async function refusal(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => assert.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Stop || error instanceof Blocked, String(error));
  return error;
}

describe('what is followed', () => {
  test('a tag: the digest of its manifest is the revision', async () => {
    await using registry = await ArtifactRegistry.start();
    const digest = registry.pushFiles('main', files);
    const heads = await git.heads([repository(registry), repository(registry, { tag: 'other' })]);
    assert.deepEqual([...heads], [['fleet', { sha: digest.slice(7), ref: 'refs/tags/main' }]]);
  });

  test('the highest version of a range, among all tags', async () => {
    await using registry = await ArtifactRegistry.start();
    registry.pushFiles('latest', files);
    registry.pushFiles('2.0.0', { 'a.yaml': 'a: 3' });
    const digest = registry.pushFiles('v1.10.0', { 'a.yaml': 'a: 2' });
    registry.pushFiles('1.9.0', { 'a.yaml': 'a: 1' });
    const heads = await git.heads([repository(registry, { semver: '^1.2' })]);
    assert.deepEqual(heads.get('fleet'), { sha: digest.slice(7), ref: 'refs/tags/v1.10.0' });
    assert.equal((await opened(registry, { semver: '^1.2' })).commit.ref, 'refs/tags/v1.10.0');
    assert.equal(await git.head(repository(registry, { semver: '^3' })), undefined);
  });

  test('a digest, which nothing moves; and one that is not there is absent', async () => {
    await using registry = await ArtifactRegistry.start();
    const digest = registry.pushFiles('main', files);
    registry.pushFiles('main', { 'a.yaml': 'a: 2' });
    assert.equal(await git.head(repository(registry, { digest })), digest.slice(7));
    const absent = `sha256:${'0'.repeat(64)}`;
    assert.equal(await git.head(repository(registry, { digest: absent })), undefined);
    assert.equal(await git.checkout(repository(registry), 'f'.repeat(64)), undefined);
  });

  test('a repository that is not there has no head; one that refuses is Blocked, with its secret', async () => {
    await using registry = await ArtifactRegistry.start();
    registry.remove('main');
    registry.server.routes.clear();
    assert.equal(await git.head(repository(registry)), undefined);
    assert.equal(await git.head(repository(registry, { semver: '*' })), undefined);
    registry.server.serve('/v2/acme/fleet/manifests/main', 403, 'no');
    const more = { tag: 'main', registry: { secret: 'acme/registry' } };
    const error = await refusal(git.head(repository(registry, more)));
    assert.match(
      error.message,
      /^repository fleet: refuses acme\/fleet main \(403\); put a user.*acme\/registry$/,
    );
  });
});

describe('a checkout', () => {
  test('has the files, with equal ids for equal contents', async () => {
    await using registry = await ArtifactRegistry.start();
    registry.pushFiles('main', { ...files, '.git/config': 'x' });
    await using first = await opened(registry);
    assert.deepEqual(await first.files('apps'), ['apps/api/a.yaml', 'apps/web/a.yaml']);
    assert.equal(await first.text('apps/web/a.yaml'), 'a: 1\n');
    assert.equal(first.ids.get('apps/web'), first.ids.get('apps/api'));
    assert.equal(
      [...first.ids.keys()].some((path) => path.includes('.git')),
      false,
    );

    registry.pushFiles('main', { ...files, 'apps/api/a.yaml': 'a: 2\n' });
    await using second = await opened(registry);
    const changed = [...second.ids].flatMap(([path, id]) => (first.ids.get(path) === id ? [] : [path]));
    assert.deepEqual(changed.sort(), ['.', 'apps', 'apps/api', 'apps/api/a.yaml']);
  });

  test('tells what the annotations say of where it is from', async () => {
    await using registry = await ArtifactRegistry.start();
    const annotations = {
      'org.opencontainers.image.created': '2026-11-20T08:00:00Z',
      'org.opencontainers.image.revision': 'main@sha1:0123abc',
      'org.opencontainers.image.source': 'https://git.example/acme/fleet',
    };
    const digest = registry.pushFiles('main', files, { annotations });
    await using worktree = await opened(registry);
    const person = { name: 'unknown', email: '', at: '2026-11-20T08:00:00.000Z' };
    assert.deepEqual(worktree.commit, {
      repository: 'fleet',
      ref: 'refs/tags/main',
      sha: digest.slice(7),
      author: person,
      committer: person,
      subject: 'main@sha1:0123abc of https://git.example/acme/fleet',
    });
  });

  test('is of the digest that was the head, although the tag has moved since', async () => {
    await using registry = await ArtifactRegistry.start();
    registry.pushFiles('main', { 'a.yaml': 'a: 1' });
    const sha = (await git.head(repository(registry))) ?? '';
    registry.pushFiles('main', { 'a.yaml': 'a: 2' });
    await using worktree = await git.checkout(repository(registry), sha);
    assert.equal(await worktree?.text('a.yaml'), 'a: 1');
  });

  test('leaves nothing in scratch space', async () => {
    await using registry = await ArtifactRegistry.start();
    registry.pushFiles('main', files);
    const worktree = await opened(registry);
    assert.ok(existsSync(worktree.directory));
    await worktree[Symbol.asyncDispose]();
    assert.equal(existsSync(dirname(worktree.directory)), false);
  });

  const packers = {
    'tar -czf': 'tar -czf ../out.tgz .',
    'git archive': 'git init -q && git add . && git archive -o ../out.tgz --format=tar.gz $(git write-tree)',
  };
  for (const [name, command] of Object.entries(packers)) {
    test(`is made of what ${name} packs, long names too`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'trueup-test-'));
      try {
        const long = `${'long-'.repeat(30)}name.yaml`;
        await mkdir(join(folder, 'in', 'apps', 'größe'), { recursive: true });
        await writeFile(join(folder, 'in', 'apps', 'größe', long), 'a: 1\n');
        execFileSync('sh', ['-c', command], { cwd: join(folder, 'in') });
        await using registry = await ArtifactRegistry.start();
        registry.push('main', { archive: await readFile(join(folder, 'out.tgz')) });
        await using worktree = await opened(registry);
        assert.deepEqual(await worktree.files('.'), [`apps/größe/${long}`]);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }

  const types = ['application/vnd.oci.image.layer.v1.tar+gzip', 'application/vnd.acme.config.v1.tar+gzip'];
  for (const layerType of types) {
    test(`is made of a layer of the type ${layerType}`, async () => {
      await using registry = await ArtifactRegistry.start();
      registry.pushFiles('main', { './deploy/a.yaml': 'a: 1' }, { layerType });
      await using worktree = await opened(registry);
      assert.deepEqual(await worktree.files('.'), ['deploy/a.yaml']);
    });
  }
});

describe('credentials', () => {
  test('of ECR are forgotten when they are refused, so that the next try has new ones', async () => {
    const forgotten: string[] = [];
    const error = new Blocked({ subject: 'ecr', message: 'no' });
    const ecr = { basic: () => Promise.reject(error), forget: (region: string) => forgotten.push(region) };
    const url = 'oci://123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/fleet';
    const config = repositorySchema.parse({ name: 'fleet', url, tag: 'main' });
    await assert.rejects(new OciArtifacts({ secrets, ecr }).head(config), error);
    assert.deepEqual(forgotten, ['eu-west-1']);
  });

  test('a token is asked for where the registry says, and anew when it has run out', async () => {
    await using registry = await ArtifactRegistry.start();
    const { server, name } = registry;
    registry.pushFiles('main', files);
    let issued = 0;
    let spent = false;
    server.routes.set('/token', () => [200, JSON.stringify({ token: `t${(issued += 1)}` })]);
    for (const [path, route] of [...server.routes].filter(([one]) => one.startsWith('/v2/'))) {
      server.routes.set(path, (request) => {
        // The token that the manifest was read with is good for nothing once the layer is asked for.
        if (path.includes('/blobs/') && issued === 2) spent = true;
        const isGood = request.headers.authorization === `Bearer t${issued}` && !(spent && issued === 2);
        const challenge = `Bearer realm="http://${server.host}/token",service="registry"`;
        return isGood ? route(request) : [401, '', { 'www-authenticate': challenge }];
      });
    }
    await using worktree = await opened(registry, { tag: 'main', registry: { secret: 'acme/registry' } });
    assert.deepEqual(await worktree.files('applications'), ['applications/web.yaml']);
    assert.equal(issued, 3);
    const basic = Buffer.from('ada:lovelace').toString('base64');
    const asked = server.requests.filter((request) => request.startsWith('GET /token'));
    const scope = `scope=repository%3A${name.replace('/', '%2F')}%3Apull`;
    assert.deepEqual(new Set(asked), new Set([`GET /token?service=registry&${scope} (Basic ${basic})`]));
  });
});

describe('refused', () => {
  const one = (member: Member): readonly Member[] => [{ path: 'a.yaml', content: 'a: 1' }, member];
  const archives: { why: string; members: readonly Member[]; says: RegExp }[] = [
    { why: 'a path that climbs', members: one({ path: 'x/../../y' }), says: /a path that leads out of it/ },
    { why: 'an absolute path', members: one({ path: '/etc/passwd' }), says: /a path that leads out of it/ },
    {
      why: 'a symlink',
      members: one({ path: 'x', type: '2', link: '/etc/passwd' }),
      says: /the link x.*without links/,
    },
    { why: 'a hard link', members: one({ path: 'x', type: '1', link: 'a.yaml' }), says: /the link x/ },
    { why: 'a device', members: one({ path: 'x', type: '3' }), says: /which is no file/ },
    { why: 'a file of no name', members: one({ path: '.' }), says: /holds a file without a name, "\."/ },
    { why: 'a file in place of the root', members: [{ path: '././.' }], says: /a file without a name/ },
    {
      why: 'a file below a file',
      members: one({ path: 'a.yaml/b' }),
      says: /a\.yaml\/b below what is a file/,
    },
    {
      why: 'a file that is a folder too',
      members: [{ path: 'a/b' }, { path: 'a' }],
      says: /holds a as a file and as a folder/,
    },
    {
      why: 'a bomb',
      members: Array.from({ length: 26 }, (_, index) => ({
        path: `${index}`,
        content: Buffer.alloc(4 * 1024 * 1024),
      })),
      says: /unpacks to more than 104857600 bytes/,
    },
    {
      why: 'more files than are read',
      members: Array.from({ length: 10_001 }, (_, index) => ({ path: `${index}` })),
      says: /holds more than 10000 files/,
    },
    {
      why: 'more folders than are made',
      members: Array.from({ length: 1_100 }, (_, index) => ({
        path: `${index}/${'a/'.repeat(45)}b`.slice(0, 99),
      })),
      says: /holds more than 50000 files and folders/,
    },
  ];
  for (const { why, members, says } of archives) {
    test(`an archive with ${why}`, async () => {
      await using registry = await ArtifactRegistry.start();
      registry.push('main', { archive: archiveOf(members) });
      const error = await refusal(opened(registry));
      assert.match(error.message, /^artifact [0-9a-f]{7} of repository fleet: /);
      assert.match(error.message, says);
    });
  }

  const layer = (mediaType: string) => ({ mediaType, content: Buffer.from('x') });
  const shapes = [
    { why: 'a container image', layers: [layer('a.tar+gzip'), layer('b.tar+gzip')], says: /has 2 layers/ },
    {
      why: 'a chart',
      layers: [layer('application/vnd.cncf.helm.chart.content.v1.tar+gzip')],
      says: /is a Helm chart; name it under `source\.chart`/,
    },
    {
      why: 'plain files',
      layers: [layer('application/vnd.oci.image.layer.v1.tar')],
      says: /and not of a \.tar\+gzip/,
    },
    { why: 'nothing', layers: [], says: /has 0 layers/ },
  ];
  for (const { why, layers, says } of shapes) {
    test(`an artifact that is ${why}`, async () => {
      await using registry = await ArtifactRegistry.start();
      registry.push('main', { archive: Buffer.alloc(0), layers });
      assert.match((await refusal(opened(registry))).message, says);
    });
  }

  test('a manifest and a layer that are not what their digest says', async () => {
    await using registry = await ArtifactRegistry.start();
    const { server, name } = registry;
    const config = repository(registry);
    const digest = registry.pushFiles('main', files);
    const [blob = ''] = [...server.routes.keys()].filter((path) => path.includes('/blobs/')).slice(-1);
    server.serve(blob, 200, archiveOf([{ path: 'evil.yaml', content: 'a: 1' }]));
    const lied = await refusal(git.checkout(config, digest.slice(7)));
    assert.match(
      lied.message,
      /gave a layer with the digest [0-9a-f]{12}…, where [0-9a-f]{12}… was promised/,
    );
    for (const reference of ['main', digest]) {
      const headers = { 'docker-content-digest': digest };
      server.serve(`/v2/${name}/manifests/${reference}`, 200, '{"layers":[]}', headers);
    }
    assert.match((await refusal(git.head(config))).message, /nothing of it is used/);
    assert.match((await refusal(git.checkout(config, digest.slice(7)))).message, /nothing of it is used/);
  });
});
