import assert from 'node:assert/strict';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import type { Renderers } from '../../../core/ports.ts';
import { produce } from '../../../core/produce.ts';
import { git } from '../../git/git-command.ts';
import { GitHost, GitWorld } from './git-world.ts';
import { application, configMap } from './world.ts';

const host = await GitHost.start();
after(() => host.stop());
let count = 0;

/** `web` is built from a base of a base and a component elsewhere, `api` is plain, `files` reads beside its folder. */
const start = {
  'applications/web.yaml': application('web', { source: '{path: web/prod}' }),
  'applications/api.yaml': application('api', { source: '{path: api}' }),
  'applications/files.yaml': application('files', { source: '{path: files}' }),
  'web/prod/kustomization.yaml':
    'namespace: prod\nresources: [../../bases/web]\ncomponents: [../../shared/labels]\n',
  'bases/web/kustomization.yaml': 'resources: [web.yaml, ../common]\n',
  'bases/web/web.yaml': configMap('web', '1'),
  'bases/common/kustomization.yml': 'resources: [common.yaml]\n',
  'bases/common/common.yaml': configMap('common', '1'),
  'shared/labels/kustomization.yaml':
    'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: [{pairs: {team: a}}]\n',
  'api/api.yaml': configMap('api', '1'),
  'api/notes.txt': 'none',
  'files/kustomization.yaml': 'resources: [../generated]\n',
  'generated/kustomization.yaml': 'configMapGenerator: [{name: generated, files: [config/a.txt]}]\n',
  'generated/config/a.txt': 'one',
  'README.md': 'Fleet',
};

async function begin(more: Record<string, string> = {}): Promise<GitWorld> {
  count += 1;
  const world = await GitWorld.start(host, `changes-${count}`);
  assert.deepEqual(await world.push({ ...start, ...more }), ['api', 'files', 'web']);
  return world;
}

const changes: { why: string; files: Record<string, string | null>; rendered: string[] }[] = [
  { why: 'nothing that anybody reads', files: { 'README.md': 'Two', 'docs/a.yaml': 'a: 1' }, rendered: [] },
  { why: 'a file of one application', files: { 'api/api.yaml': configMap('api', '2') }, rendered: ['api'] },
  { why: 'a file beside that is no manifest', files: { 'api/notes.txt': 'some' }, rendered: [] },
  {
    why: 'a file that is added to a folder',
    files: { 'api/more.yaml': configMap('more', '1') },
    rendered: ['api'],
  },
  { why: 'a file that is removed', files: { 'api/more.yaml': null }, rendered: ['api'] },
  {
    why: 'a file that is renamed',
    files: { 'api/api.yaml': null, 'api/renamed.yaml': configMap('api', '2') },
    rendered: ['api'],
  },
  {
    why: 'a base outside of the folder',
    files: { 'bases/web/web.yaml': configMap('web', '2') },
    rendered: ['web'],
  },
  {
    why: 'a base of a base',
    files: { 'bases/common/common.yaml': configMap('common', '2') },
    rendered: ['web'],
  },
  {
    why: 'a component',
    files: {
      'shared/labels/kustomization.yaml': start['shared/labels/kustomization.yaml'].replace(
        'team: a',
        'team: b',
      ),
    },
    rendered: ['web'],
  },
  {
    why: 'a file that a generator elsewhere takes',
    files: { 'generated/config/a.txt': 'two' },
    rendered: ['files'],
  },
  {
    why: 'the source of an Application',
    files: { 'applications/api.yaml': application('api', { source: '{path: api, renderer: plain}' }) },
    rendered: ['api'],
  },
  {
    why: 'the namespace of an Application',
    files: { 'applications/api.yaml': application('api', { source: '{path: api}', namespace: 'other' }) },
    rendered: ['api'],
  },
  {
    why: 'a switch of an Application alone',
    files: {
      'applications/api.yaml': application('api', {
        source: '{path: api}',
        namespace: 'other',
        sync: 'manual',
      }),
    },
    rendered: [],
  },
  {
    why: 'an Application that is added',
    files: { 'applications/new.yaml': application('new', { source: '{path: api}' }) },
    rendered: ['new'],
  },
];
test('each change renders exactly what reads it', async (context) => {
  const world = await begin();
  for (const { why, files, rendered } of changes) {
    await context.test(`${why}: ${rendered.join(', ') || 'nothing'}`, async () => {
      assert.deepEqual(await world.push(files), rendered);
    });
  }
  assert.deepEqual(await world.push({ 'other.txt': 'x' }), []);
});

test('what was not rendered keeps its pointer, settings follow without a render', async () => {
  const world = await begin();
  const before = await world.world.pointer('web');
  await world.push({
    'applications/web.yaml': application('web', { source: '{path: web/prod}', prune: 'false' }),
  });
  const { settings, snapshot, revision } = await world.world.pointer('web');
  assert.deepEqual([settings.prune, snapshot, revision], [false, before.snapshot, 2]);
});

test('an Application file that goes is a tombstone, a base that goes never', async () => {
  const world = await begin();
  await world.push({ 'bases/common': null, 'applications/api.yaml': null });
  assert.equal((await world.world.pointer('api')).state, 'gone');
  const web = await world.world.pointer('web');
  assert.equal(web.state, 'present');
  assert.match(web.failed?.faults[0]?.message ?? '', /common/);
});

test('the folder of Applications that goes takes nothing with it', async () => {
  const world = await begin();
  await world.push({ applications: null });
  for (const name of ['api', 'files', 'web'])
    assert.equal((await world.world.pointer(name)).state, 'present');
});

test('what failed is tried again with every commit, and mended by one that changes another folder', async () => {
  const world = await begin();
  assert.deepEqual(await world.push({ 'bases/common': null }), []);
  const { common, file } = { common: start['bases/common/common.yaml'], file: 'bases/common/common.yaml' };
  const back = { [file]: common, 'bases/common/kustomization.yml': start['bases/common/kustomization.yml'] };
  assert.deepEqual(
    await world.push(back),
    [],
    'the very inputs of the last good render are worth its snapshot',
  );
  assert.equal((await world.world.pointer('web')).failed, undefined);
});

test('a force-push back to an older commit is followed by its contents', async () => {
  const world = await begin();
  const before = await world.world.pointer('api');
  assert.deepEqual(await world.push({ 'api/api.yaml': configMap('api', '2') }), ['api']);
  await git(world.clone, ['reset', '--quiet', '--hard', 'HEAD~1']);
  assert.deepEqual(await world.push({}), ['api']);
  const { snapshot, revision } = await world.world.pointer('api');
  assert.deepEqual([snapshot, revision], [before.snapshot, 3]);
});

test('what is read through symlinks counts, and where they lead', async () => {
  const world = await begin({
    'linked/deep/a.yaml': configMap('linked', '1'),
    'other/b.yaml': configMap('b', '1'),
    'third/c.yaml': configMap('c', '1'),
  });
  await symlink('../linked', join(world.clone, 'api/more'));
  assert.deepEqual(await world.push({}), ['api']);
  assert.equal((await world.world.pointer('api')).objects, 2);
  assert.deepEqual(await world.push({ 'linked/deep/a.yaml': configMap('linked', '2') }), ['api']);
  assert.deepEqual(await world.push({ 'linked/c.yaml': configMap('linked-c', '1') }), ['api']);
  assert.deepEqual(await world.push({ 'README.md': 'Links' }), []);
  await symlink('../../other', join(world.clone, 'linked/deep/more'));
  assert.deepEqual(await world.push({}), ['api']);
  assert.equal((await world.world.pointer('api')).objects, 4);
  assert.deepEqual(await world.push({ 'other/b.yaml': configMap('b', '2') }), ['api']);
  await rm(join(world.clone, 'linked/deep/more'));
  await symlink('../../third', join(world.clone, 'linked/deep/more'));
  assert.deepEqual(await world.push({}), ['api'], 'it leads elsewhere now');
  assert.deepEqual(await world.push({ 'other/b.yaml': configMap('b', '3') }), []);
});

test('another version of a renderer renders everything anew', async () => {
  const world = await begin();
  const { renderers } = world.deps;
  const newer: Renderers = {
    versions: { ...renderers.versions, kustomize: 'v99' },
    kustomize: (...build) => renderers.kustomize(...build),
    helm: (request) => renderers.helm(request),
  };
  const head = await world.commit({ 'README.md': 'Three' });
  await produce(await world.world.pushed(head), 1, { ...world.deps, renderers: newer });
  assert.deepEqual(world.takeRendered(), ['api', 'files', 'web']);
});

test('without the record, or with one that nobody can read, everything is rendered once', async () => {
  const world = await begin();
  const key = keys.renders('fleet', 'refs/heads/main');
  await world.world.store.put(key, '{"version": 7}', 'any');
  assert.deepEqual(await world.push({ 'README.md': 'Three' }), ['api', 'files', 'web']);
  await world.world.store.delete(key, 'any');
  assert.deepEqual(await world.push({ 'README.md': 'Four' }), ['api', 'files', 'web']);
  assert.deepEqual(await world.push({ 'README.md': 'Five' }), []);
});

test('a cycle of dependencies is found though no file of it is read again', async () => {
  const world = await begin();
  const needing = (name: string, needed: string) =>
    application(name, { source: `{path: ${name}}`, dependsOn: `[{application: ${needed}}]` });
  await world.push({ 'applications/api.yaml': needing('api', 'files') });
  assert.equal((await world.world.pointer('api')).failed, undefined);
  await world.push({ 'applications/files.yaml': needing('files', 'api') });
  assert.match(
    (await world.world.pointer('api')).failed?.faults[0]?.subject ?? '',
    /^applications\/api\.yaml:\d+$/,
  );
});
