import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { HttpGit } from '../../../adapters/git.ts';
import { OciArtifacts } from '../../../adapters/oci-artifacts.ts';
import { S3Objects } from '../../../adapters/s3-objects.ts';
import { Sources } from '../../../adapters/sources.ts';
import { parseStackConfig, type StackConfigInput } from '../../../core/contract/config.ts';
import { keys } from '../../../core/contract/keys.ts';
import { poll } from '../../../core/poll.ts';
import { produce } from '../../../core/produce.ts';
import { understand } from '../../../core/receive/understand.ts';
import { decodeSnapshot } from '../../../core/snapshot.ts';
import { ArtifactRegistry } from '../../artifacts/artifact-registry.ts';
import { signByKey } from '../../artifacts/cosign.ts';
import { ProduceWorld, files } from './world.ts';

const none = () => assert.fail('nobody asks for it');
const secrets = { get: none };
const git = new Sources({
  git: new HttpGit({ secrets, scratch: '/nonexistent', path: '' }),
  oci: new OciArtifacts({ secrets, ecr: { basic: none, forget: none } }),
  s3: new S3Objects(),
});

/** An installation whose one repository is an artifact in a registry. */
class ArtifactWorld extends ProduceWorld {
  readonly registry: ArtifactRegistry;
  readonly #config: StackConfigInput;
  rendered: string[] = [];

  constructor(registry: ArtifactRegistry, more: object = { tag: 'main' }) {
    super();
    this.registry = registry;
    const access = { type: 'eks', name: 'x' } as const;
    this.#config = {
      repositories: [{ name: 'fleet', url: registry.url, ...more }],
      clusters: [{ name: 'prod', access }],
    };
    const get = this.store.get.bind(this.store);
    this.store.get = async (key) => {
      const [folder, name = ''] = key.split('/');
      if (folder === 'snapshots') this.rendered.push(name);
      return get(key);
    };
  }

  /** Everything that the bus brings, until it brings no more. */
  async follow(): Promise<string[]> {
    const deps = { ...this.deps(this.#config), git };
    const outcomes: string[] = [];
    for (const { type, detail } of this.bus.events.splice(0)) {
      if (type === 'PushReceived') outcomes.push(await produce(detail, 1, deps));
    }
    return outcomes;
  }

  /** What the hook of the registry leads to. */
  async pushTag(tag: string, content: Record<string, string>): Promise<string[]> {
    this.rendered = [];
    return this.heard({ tag, digest: this.registry.pushFiles(tag, content) });
  }

  async heard(pushed: { readonly tag: string; readonly digest: string }): Promise<string[]> {
    const image = { repository: this.registry.url.replace('oci://', ''), ...pushed };
    const reading = { kind: 'images', event: 'push', images: [image], stamped: true } as const;
    const understood = understand(reading, parseStackConfig(this.#config).repositories);
    assert.ok(understood.kind === 'wanted');
    const at = '2026-11-23T12:00:00.000Z';
    for (const push of understood.pushes) {
      const told = { version: 1, at, deliveryId: 'd', provider: 'ghcr', deleted: false } as const;
      this.bus.events.push({ type: 'PushReceived', detail: { ...told, ...push } });
    }
    return this.follow();
  }

  async poll(): Promise<string> {
    const { store, bus, clock } = this;
    const config = parseStackConfig(this.#config);
    return poll(['fleet'], { store, bus, clock, git, config });
  }
}

test('an artifact is followed as a commit is, and only what changed in it is rendered', async () => {
  await using registry = await ArtifactRegistry.start();
  const world = new ArtifactWorld(registry);
  const [first] = await world.pushTag('main', files('1'));
  assert.match(first ?? '', /^commit [0-9a-f]{7}: /);
  assert.deepEqual([...new Set(world.rendered)].sort(), ['api', 'web']);
  const { commit, snapshot } = await world.pointer('web');
  assert.match(commit.sha, /^[0-9a-f]{64}$/);
  assert.equal(commit.ref, 'refs/tags/main');
  const text = (await world.store.get(keys.snapshot('web', snapshot)))?.text ?? '';
  assert.equal(decodeSnapshot(snapshot, text).provenance.commit.sha, commit.sha);

  await world.pushTag('main', files('2'));
  assert.deepEqual([...new Set(world.rendered)], ['web']);
  assert.equal((await world.pointer('web')).revision, 2);
  assert.equal((await world.pointer('api')).revision, 1);
  // Packed anew with the same contents.
  await world.pushTag('main', { ...files('2'), 'README.md': 'x' });
  assert.deepEqual(world.rendered, []);
});

test('a push of another tag is no push, and the range follows the newest version', async () => {
  await using registry = await ArtifactRegistry.start();
  const world = new ArtifactWorld(registry, { semver: '^1' });
  await world.pushTag('1.0.0', files('1'));
  await world.pushTag('1.1.0', files('2'));
  assert.equal((await world.pointer('web')).commit.ref, 'refs/tags/1.1.0');
  assert.deepEqual(await world.pushTag('2.0.0', files('3')), []);
  // Late, of an older version: the head is resolved anew.
  await world.pushTag('1.0.1', files('0'));
  assert.equal((await world.pointer('web')).commit.ref, 'refs/tags/1.1.0');
});

test('the poll finds what no hook told of, once', async () => {
  await using registry = await ArtifactRegistry.start();
  const world = new ArtifactWorld(registry);
  await world.pushTag('main', files('1'));
  assert.equal(await world.poll(), 'nothing was missed');
  const digest = registry.pushFiles('main', files('2'));
  assert.match(await world.poll(), new RegExp(`^missed: fleet [0-9a-f]{7}\\.\\.${digest.slice(7, 14)}$`));
  await world.follow();
  assert.equal((await world.pointer('web')).commit.sha, digest.slice(7));
  assert.equal(await world.poll(), 'nothing was missed');
  registry.remove('main');
  assert.equal(await world.poll(), 'nothing was missed');
});

test('a registry that gives something else than OCI does not lose the poll', async () => {
  await using registry = await ArtifactRegistry.start();
  const world = new ArtifactWorld(registry);
  registry.server.serve('/v2/acme/fleet/manifests/main', 200, '<html>');
  assert.match(await world.poll(), /^refused: repository fleet: gives no sha256 digest/);
});

test('a tag that is gone changes nothing, and nothing is taken for deleted', async () => {
  await using registry = await ArtifactRegistry.start();
  const world = new ArtifactWorld(registry);
  await world.pushTag('main', files('1'));
  const { sha } = (await world.pointer('web')).commit;
  registry.remove('main');
  const detail = { deliveryId: 'd', provider: 'ghcr', repository: 'fleet', ref: 'refs/tags/main' };
  const after = { before: sha, after: sha, deleted: false };
  world.bus.events.push({
    type: 'PushReceived',
    detail: { version: 1, at: '2026-11-23T12:00:00.000Z', ...detail, ...after },
  });
  assert.match((await world.follow())[0] ?? '', /has no tag main: nothing was changed/);
  assert.equal((await world.pointer('web')).state, 'present');
});

test('an unsigned artifact under require changes nothing and is announced as failed; a signed one is followed', async () => {
  await using registry = await ArtifactRegistry.start();
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const verify = { mode: 'require', cosign: { keys: [key] } };
  const world = new ArtifactWorld(registry, { tag: 'main', verify });
  const signed = registry.pushFiles('main', files('1'));
  signByKey(registry, signed, pair.privateKey);
  await world.pushTag('main', files('1'));
  assert.equal((await world.pointer('web')).commit.signature?.verdict, 'good');

  const [outcome] = await world.pushTag('main', files('2'));
  assert.match(outcome ?? '', /is not followed, since it is not signed/);
  const { commit, failed } = await world.pointer('web');
  assert.equal(commit.sha, signed.slice(7));
  assert.match(failed?.faults[0]?.message ?? '', /nothing was changed\. Sign it with `cosign sign`/);
  assert.deepEqual(world.takeEvents(), ['SnapshotFailed']);
});

test('a signature that comes after its artifact is heard of, and found by the poll where it is not', async () => {
  await using registry = await ArtifactRegistry.start();
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const world = new ArtifactWorld(registry, {
    tag: 'main',
    verify: { mode: 'require', cosign: { keys: [key] } },
  });
  await world.pushTag('main', files('1'));
  const first = registry.pushFiles('main', files('1'));
  signByKey(registry, first, pair.privateKey);
  const tag = `${first.replace(':', '-')}.sig`;
  await world.heard({ tag, digest: `sha256:${'a'.repeat(64)}` });
  assert.equal((await world.pointer('web')).commit.sha, first.slice(7));

  await world.pushTag('main', files('2'));
  const second = registry.pushFiles('main', files('2'));
  assert.match((await world.pointer('web')).failed?.faults[0]?.message ?? '', /it is not signed/);
  signByKey(registry, second, pair.privateKey);
  assert.match(await world.poll(), /^missed: fleet/);
  await world.follow();
  assert.equal((await world.pointer('web')).commit.sha, second.slice(7));
  assert.equal(await world.poll(), 'nothing was missed');
});
