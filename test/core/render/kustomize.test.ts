import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, test } from 'node:test';
import { LocalRenderers } from '../../../adapters/renderers.ts';
import { Stop } from '../../../core/errors.ts';
import { describeRef, refOf } from '../../../core/model/object.ts';
import { findTools } from '../../cluster/tools.ts';
import { Rendering, base, deployment, overlay, type TreeFiles } from './rendering.ts';

const rendering = await Rendering.start();
after(() => rendering[Symbol.asyncDispose]());

test('overlays over a base in a folder beside, with components, generators and patches', async () => {
  const files: Record<string, string> = {
    ...base,
    'components/extra/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources: [extra.yaml]
`,
    'components/extra/extra.yaml': deployment('extra'),
    'overlays/prod/kustomization.yaml': `namespace: prod
resources: [../../base]
components: [../../components/extra]
configMapGenerator:
- {name: settings, files: [app.conf], envs: [app.env], literals: [URL=https://x.example/y]}
patches:
- {path: patch.yaml}
images: [{name: web, newName: registry.example/web}]
replacements:
- source: {kind: Deployment, name: web, fieldPath: metadata.name}
  targets: [{select: {kind: Deployment, name: extra}, fieldPaths: [metadata.annotations.of], options: {create: true}}]
openapi: {path: schema.json}
crds: [crd.json]
configurations: [names.yaml]
transformers:
- |
  apiVersion: builtin
  kind: AnnotationsTransformer
  metadata: {name: inline}
  annotations: {inline: "yes"}
  fieldSpecs: [{path: metadata/annotations, create: true}]
- labels.yaml
`,
    'overlays/prod/app.conf': 'a=1',
    'overlays/prod/app.env': 'B=2\n',
    'overlays/prod/schema.json': '{"definitions": {}}',
    'overlays/prod/crd.json': '{}',
    'overlays/prod/names.yaml': 'nameReference: []\n',
    'overlays/prod/labels.yaml':
      'apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\nlabels: {from: file}\nfieldSpecs: [{path: metadata/labels, create: true}]\n',
    'overlays/prod/patch.yaml':
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n',
  };
  const { objects, origins, renderer, inputDigest } = await rendering.render(files);
  const names = objects.map((object) => describeRef(refOf(object)).replace(/-[a-z0-9]{10}$/, '-HASH')).sort();
  assert.deepEqual(names, ['ConfigMap prod/settings-HASH', 'Deployment prod/extra', 'Deployment prod/web']);
  const extra = objects.find(({ metadata }) => metadata.name === 'extra');
  assert.deepEqual(extra?.metadata.annotations, { of: 'web', inline: 'yes' });
  assert.deepEqual(extra?.metadata.labels, { from: 'file' });
  assert.equal(renderer, 'kustomize');
  assert.deepEqual(new Set(Object.values(origins)), new Set(['overlays/prod/kustomization.yaml']));
  for (const [file, text] of Object.entries(files)) {
    // Each is an input: a line more and the digest is another.
    const more = { ...files, [file]: file.endsWith('.json') ? `${text}\n` : `${text}\n#` };
    assert.notEqual((await rendering.render(more)).inputDigest, inputDigest, file);
  }
  assert.equal((await rendering.render({ ...files, 'elsewhere/x.yaml': 'x' })).inputDigest, inputDigest);
});

test('a base by a symlink is that which it leads to, its own paths too', async () => {
  const files = {
    'far/away/base/kustomization.yaml': 'resources: [web.yaml, ../more]\n',
    'far/away/base/web.yaml': deployment('web'),
    'far/away/more/kustomization.yaml': 'resources: [more.yaml]\n',
    'far/away/more/more.yaml': deployment('more'),
    'overlays/prod/kustomization.yaml': 'resources: [../base]',
    'overlays/base': '-> ../far/away/base',
  };
  const { objects, inputDigest } = await rendering.render(files);
  assert.deepEqual(objects.map(({ metadata }) => metadata.name).sort(), ['more', 'web']);
  const changed = { ...files, 'far/away/more/more.yaml': `${deployment('more')}#` };
  assert.notEqual((await rendering.render(changed)).inputDigest, inputDigest);
  const { objects: same } = await rendering.render(
    { ...files, 'overlays/link': '-> prod' },
    {
      source: { path: 'overlays/link' },
    },
  );
  assert.deepEqual(same, objects);
});

const at = (line: number) => `^Stop: overlays/prod/kustomization\\.yaml:${line}: `;
const refused: { why: string; files: TreeFiles; says: string }[] = [
  {
    why: 'a file beside',
    files: overlay('resources: [../../base/web.yaml]'),
    says: `${at(1)}resources\\.0: .* is a file outside this folder.*make its folder a base`,
  },
  {
    why: 'what is not there',
    files: overlay('resources:\n- ../../base\n- missing.yaml\n'),
    says: `${at(3)}resources\\.1: missing\\.yaml is not in this commit`,
  },
  {
    why: 'a base without a kustomization',
    files: { ...overlay('resources: [../../plain]'), 'plain/a.yaml': deployment('a') },
    says: '^Stop: folder plain: is built from, but has no kustomization\\.yaml',
  },
  {
    why: 'a kustomization that breaks',
    files: overlay('resources:\n  - a\n - b\n'),
    says: `${at(3)}cannot be read as YAML`,
  },
  {
    why: 'a resource that breaks',
    files: { ...overlay('resources: [../../base]'), 'base/web.yaml': 'kind: X\nspec:\n  a: b: c\n' },
    says: '^Stop: base/web\\.yaml:3: cannot be read as YAML',
  },
  {
    why: 'a patch for nothing',
    files: overlay(
      'resources: [../../base]\npatches:\n- patch: "[{op: remove, path: /spec/x}]"\n  target: {kind: Deployment}\n',
    ),
    says: '^Stop: folder overlays/prod: cannot be built: ',
  },
  {
    why: 'bases in a circle',
    files: {
      ...overlay('resources: [../../a]'),
      'a/kustomization.yaml': 'resources: [../overlays/prod]',
    },
    says: '^Stop: folder overlays/prod: cannot be built: .*cycle',
  },
  {
    why: 'nothing',
    files: overlay('resources: []'),
    says: '^Stop: folder overlays/prod: (gives no objects|cannot be built: kustomization.yaml is empty)',
  },
];
for (const { why, files, says } of refused) {
  test(`kustomize is refused ${why}`, async () => {
    await assert.rejects(rendering.render(files), (error: Error) => {
      assert.ok(error instanceof Stop, `${error.name}: ${error.message}`);
      assert.match(String(error), new RegExp(says, 's'));
      assert.ok(!error.message.includes(rendering.root), error.message);
      return true;
    });
  });
}

const leaks: { why: string; files: TreeFiles; says: RegExp }[] = [
  {
    why: 'literals of which one is wrong',
    files: overlay('secretGenerator:\n- name: a\n  literals: [good=hunter2, hunter3]\n'),
    says: /cannot be built: ./,
  },
  {
    why: 'a Secret of the wrong shape',
    files: {
      ...overlay('resources: [s.yaml]\nlabels: [{pairs: {a: b}}]\n'),
      'overlays/prod/s.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: hunter2}\n',
    },
    says: /cannot be built: ./,
  },
  {
    why: 'a patch that cannot be read',
    files: overlay(
      'resources: [../../base]\npatches:\n- target: {kind: Secret}\n  patch: "[{op: add, path: /stringData/p, value: hunter2}]"\n',
    ),
    says: /trouble configuring builtin PatchTransformer: unable to parse SM or JSON patch$/,
  },
  {
    why: 'a private key among the lines of envs',
    files: {
      ...overlay('secretGenerator: [{name: a, envs: [a.env]}]'),
      'overlays/prod/a.env': '-----BEGIN hunter KEY-----\nhunter2/BgkqhkiG9w0==\n-----END hunter KEY-----\n',
    },
    says: /Secret a-\w+: data: 3 keys hold more than letters/,
  },
  {
    why: 'a key of envs given twice',
    files: {
      ...overlay('secretGenerator: [{name: a, envs: [a.env]}]'),
      'overlays/prod/a.env': 'hunter=1\nhunter=2\n',
    },
    says: /illegally repeats the key$/,
  },
  {
    why: 'bytes of envs that are no text',
    files: {
      ...overlay('secretGenerator: [{name: a, envs: [a.env]}]'),
      'overlays/prod/a.env': Buffer.from('A=hunter2\xff', 'latin1'),
    },
    says: /source files: \[a\.env\]: invalid utf8 bytes$/,
  },
];
for (const { why, files, says } of leaks) {
  test(`kustomize's words never tell a secret: ${why}`, async () => {
    await assert.rejects(rendering.render(files), (error) => {
      assert.ok(error instanceof Stop);
      assert.match(error.message, says);
      assert.ok(!/hunter|104 117 110/.test(JSON.stringify([error.message, error.faults])), error.message);
      return true;
    });
  });
}

test('kustomize without our checks reaches no other host either', async () => {
  for (const resource of ['https://git.example/acme/web.git//base', 'http://files.example/x.yaml']) {
    await using worktree = await rendering.tree({ 'kustomization.yaml': `resources: ["${resource}"]` });
    await assert.rejects(
      rendering.renderers.kustomize(worktree, '.'),
      /(executable file not found|no 'git' program|connection refused)/,
    );
  }
});

test('a build beyond its limits is stopped', async () => {
  const tools = await findTools({ progress: () => undefined });
  const find = (limits: Parameters<typeof LocalRenderers.find>[1]) =>
    LocalRenderers.find(dirname(tools.kubectl), limits);
  await using worktree = await rendering.tree({
    'kustomization.yaml': 'resources: [a.yaml]',
    'a.yaml': deployment('a'),
    'big/kustomization.yaml': 'resources: [a.yaml]',
    'big/a.yaml': Array.from({ length: 30_000 }, (_, index) => deployment(`a${index}`)).join('---\n'),
  });
  const small = await find({ bytes: 100 });
  await assert.rejects(small.kustomize(worktree, '.'), /^Stop: folder \.: gives more than 100 bytes/);
  const short = await find({ seconds: 0.001 });
  await assert.rejects(short.kustomize(worktree, '.'), /^Stop: folder \.: took longer than 0\.001 s/);
  if (process.platform !== 'linux') return;
  const narrow = await find({ megabytes: 32 });
  await assert.rejects(
    narrow.kustomize(worktree, 'big'),
    /^Stop: folder big: took more than 32 MB of memory/,
  );
});
