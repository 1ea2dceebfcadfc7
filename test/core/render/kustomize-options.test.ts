import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as z from 'zod';
import { Stop } from '../../../core/errors.ts';
import type { FetchedChart } from '../../../core/ports.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { sourceSchema } from '../../../core/model/source.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';
import type { ChartReference } from '../../../core/model/helm.ts';
import { noCharts, noFacts } from '../../../core/render/context.ts';
import { Rendering, base, deployment, overlay, type TreeFiles } from './rendering.ts';

const rendering = await Rendering.start();
after(() => rendering[Symbol.asyncDispose]());

const tree = overlay('resources: [../../base]\nimages: [{name: web, newTag: "1"}]\n');

/** `yaml`: below `source.kustomize`. */
async function renderWith(yaml: string, more: TreeFiles = {}): Promise<readonly KubeObject[]> {
  const [document] = readYaml('application.yaml', yaml);
  const source = { path: 'overlays/prod', kustomize: document?.value ?? {} };
  return (await rendering.render({ ...tree, ...more }, { source })).objects;
}

const deploymentSchema = z.object({
  spec: z.object({
    replicas: z.number(),
    template: z.object({
      metadata: z.record(z.string(), z.unknown()),
      spec: z.object({ containers: z.array(z.object({ image: z.string() })) }),
    }),
  }),
});

/** What a Deployment looks like in the parts that options change. */
function shown(object: KubeObject) {
  const { name, namespace = '', labels = {}, annotations = {} } = object.metadata;
  const { replicas, template } = deploymentSchema.parse(object).spec;
  const images = template.spec.containers.map(({ image }) => image);
  return { name, namespace, labels, annotations, replicas, images, pods: template.metadata };
}

const plain = {
  name: 'web',
  namespace: '',
  labels: {},
  annotations: {},
  replicas: 1,
  images: ['web:1'],
  pods: { labels: { app: 'web' } },
};
const options: { why: string; yaml: string; gives: object }[] = [
  { why: 'nothing', yaml: '{}', gives: plain },
  {
    why: 'a prefix and a suffix',
    yaml: 'namePrefix: a-\nnameSuffix: -z',
    gives: { ...plain, name: 'a-web-z' },
  },
  { why: 'a namespace', yaml: 'namespace: blue', gives: { ...plain, namespace: 'blue' } },
  {
    why: 'a tag of an image',
    yaml: 'images: [{name: web, newTag: "2.0"}]',
    gives: { ...plain, images: ['web:2.0'] },
  },
  {
    why: 'another image by its digest',
    yaml: `images: [{name: web, newName: registry.example/web, digest: "sha256:${'a'.repeat(64)}"}]`,
    gives: { ...plain, images: [`registry.example/web@sha256:${'a'.repeat(64)}`] },
  },
  { why: 'replicas', yaml: 'replicas: [{name: web, count: 0}]', gives: { ...plain, replicas: 0 } },
  {
    why: 'replicas under the name that stands in Git, with a prefix',
    yaml: 'replicas: [{name: web, count: 4}]\nnamePrefix: a-',
    gives: { ...plain, name: 'a-web', replicas: 4 },
  },
  {
    why: 'labels and annotations that leave pods and selectors alone',
    yaml: 'commonMetadata: {labels: {team: "yes"}, annotations: {note: "a: b\\n- c"}}',
    gives: { ...plain, labels: { team: 'yes' }, annotations: { note: 'a: b\n- c' } },
  },
  {
    why: 'patches of both kinds',
    yaml: `patches:
- patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, annotations: {a: b}}}'
- patch: '[{"op": "replace", "path": "/spec/replicas", "value": 7}]'
  target: {kind: Deployment, name: w.*}
`,
    gives: { ...plain, annotations: { a: 'b' }, replicas: 7 },
  },
];
for (const { why, yaml, gives } of options) {
  test(`an Application adds to its kustomization: ${why}`, async () => {
    assert.deepEqual((await renderWith(yaml)).map(shown), [gives]);
  });
}

const component = (kind: string) => ({
  'components/more/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: ${kind}
resources: [more.yaml]
patches:
- target: {kind: Deployment, name: web}
  patch: |
    - {op: replace, path: /spec/replicas, value: 5}
`,
  'components/more/more.yaml': deployment('more'),
});

test('an Application adds components, which are inputs of its render', async () => {
  const source = {
    path: 'overlays/prod',
    kustomize: { components: ['../../components/more'], namespace: 'x' },
  };
  const composed = { ...tree, ...component('Component') };
  const { objects, inputDigest, origins } = await rendering.render(composed, { source });
  const told = objects.map(shown).map(({ name, namespace, replicas }) => `${namespace}/${name} ${replicas}`);
  assert.deepEqual(told.sort(), ['x/more 1', 'x/web 5']);
  assert.deepEqual(new Set(Object.values(origins)), new Set(['overlays/prod/kustomization.yaml']));
  const changed = { ...composed, 'components/more/more.yaml': `${deployment('more')}#` };
  assert.notEqual((await rendering.render(changed, { source })).inputDigest, inputDigest);
});

test('the whole repository may be a kustomization with options', async () => {
  const whole = { 'kustomization.yaml': 'resources: [base]', ...base };
  const source = { path: '.', kustomize: { namePrefix: 'a-' } };
  const { objects } = await rendering.render(whole, { source });
  assert.deepEqual(
    objects.map(({ metadata }) => metadata.name),
    ['a-web'],
  );
});

const refused: { why: string; yaml: string; says: RegExp; files?: TreeFiles }[] = [
  {
    why: 'a component that is not there',
    yaml: 'components: [../gone]',
    says: /^Stop: source\.kustomize\.components\.0: components\.0: \.\.\/gone is not in this commit/,
  },
  {
    why: 'a component out of the repository',
    yaml: 'components: [../../../outside]',
    says: /components\.0: \.\.\/\.\.\/\.\.\/outside leads out of the repository/,
  },
  {
    why: 'a component from elsewhere',
    yaml: 'components: ["https://git.example/acme/x//a?ref=v1"]',
    says: /components\.0: https:\/\/git\.example\/.* is remote/,
  },
  {
    why: 'a component that is a kustomization',
    yaml: 'components: [../../components/more]',
    files: component('Kustomization'),
    says: /^Stop: folder overlays\/prod: cannot be built: .*apiVersion for Kustomization should be/s,
  },
  {
    why: 'a patch for nothing',
    yaml: 'patches: [{patch: "{apiVersion: v1, kind: ConfigMap, metadata: {name: gone}}"}]',
    says: /^Stop: folder overlays\/prod: cannot be built: no resource matches/,
  },
];
for (const { why, yaml, says, files: more } of refused) {
  test(`what an Application adds is refused: ${why}`, async () => {
    await assert.rejects(renderWith(yaml, more), (error: Error) => {
      assert.ok(error instanceof Stop, String(error));
      assert.match(String(error), says);
      assert.ok(!error.message.includes(rendering.root), error.message);
      return true;
    });
  });
}

test('options are for kustomize, patterns for plain files', async () => {
  const named = { path: 'base', renderer: 'plain', kustomize: { namePrefix: 'a-' } };
  await assert.rejects(rendering.render(base, { source: named }), /^Stop: .*source\.kustomize/);
  const patterns = { path: 'overlays/prod', include: ['*.yaml'] };
  await assert.rejects(rendering.render(tree, { source: patterns }), /^Stop: .*source\.include/);
});

test('options are spelled as the schema says', () => {
  const spelled = [
    { images: [{ name: 'web', digest: 'sha256:1' }] },
    { images: ['web:1'] },
    { patches: [{ path: 'patch.yaml' }] },
    { replicas: [{ name: 'web', count: -1 }] },
    { commonLabels: { a: 'b' } },
  ];
  for (const kustomize of spelled) {
    assert.equal(sourceSchema.safeParse({ path: '.', kustomize }).success, false, JSON.stringify(kustomize));
  }
});

const chart = {
  'overlays/prod/charts/shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'overlays/prod/charts/shop/values.yaml': 'color: red\n',
  'overlays/prod/charts/shop/templates/a.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}"}\ndata:\n  color: {{ .Values.color }}\n  server: {{ .Capabilities.KubeVersion.Version }}\n  has: {{ .Capabilities.APIVersions.Has "a.example/v1/Thing" | quote }}\n',
};
const charted = overlay('helmCharts: [{name: shop, releaseName: s, valuesInline: {color: blue}}]');

test('a chart in the tree is rendered where the Application allows it, for the cluster that it is for', async () => {
  const source = { path: 'overlays/prod', kustomize: { helm: true } };
  const capabilities = { version: 'v1.33.1-eks-1', apiVersions: ['a.example/v1/Thing'] };
  const context = { facts: { ...noFacts, capabilities: async () => capabilities } };
  const { objects, inputDigest } = await rendering.render({ ...charted, ...chart }, { source, context });
  assert.deepEqual(
    objects.map((object) => object['data']),
    [{ color: 'blue', server: 'v1.33.1-eks-1', has: 'true' }],
  );
  const more = { ...charted, ...chart, 'overlays/prod/charts/shop/values.yaml': 'color: green\n' };
  assert.notEqual((await rendering.render(more, { source, context })).inputDigest, inputDigest);
  const prefixed = { path: 'overlays/prod', kustomize: { helm: true, namePrefix: 'a-' } };
  const { objects: named } = await rendering.render({ ...charted, ...chart }, { source: prefixed });
  assert.deepEqual(
    named.map(({ metadata }) => metadata.name),
    ['a-s'],
  );
});

test('a chart in the folder that kustomize would have pulled it to', async () => {
  const source = { path: 'overlays/prod', kustomize: { helm: true } };
  const named = '{name: shop, version: 1.0.0, repo: "https://charts.example", releaseName: s}';
  const moved = Object.entries(chart).map(([path, text]) => [
    path.replace('/shop/', '/shop-1.0.0/shop/'),
    text,
  ]);
  const files = { ...overlay(`helmCharts: [${named}]`), ...Object.fromEntries(moved) };
  assert.equal((await rendering.render(files, { source })).objects.length, 1);
});

/** The chart, its values checked by a file of the machine. */
function withSchema(fetched: FetchedChart): FetchedChart {
  const schema = Buffer.from('{"$ref": "file:///etc/passwd"}');
  return { ...fetched, files: new Map([...fetched.files, ['values.schema.json', schema]]) };
}

test('a chart from elsewhere is fetched as declared, and an input with its digest', async () => {
  const source = { path: 'overlays/prod', kustomize: { helm: true } };
  const asked: unknown[] = [];
  const charts = {
    ...noCharts,
    fetch: async (reference: ChartReference) => {
      asked.push(reference);
      const files = Object.entries(chart).map(([path, text]): [string, Uint8Array] => [
        path.replace('overlays/prod/charts/shop/', ''),
        Buffer.from(text),
      ]);
      return { name: 'shop', version: '1.0.0', digest: 'sha256:1', files: new Map(files) };
    },
  };
  const listed = (repo: string) =>
    overlay(
      `namePrefix: a-\nresources: [../../base]\nhelmCharts: [{name: shop, version: 1.0.0, repo: "${repo}", releaseName: s}]`,
    );
  const context = { charts };
  const rendered = await rendering.render(listed('https://charts.example'), { source, context });
  assert.deepEqual(rendered.objects.map(({ metadata }) => metadata.name).sort(), ['a-s', 'a-web']);
  assert.deepEqual(rendered.charts, [
    { from: 'https://charts.example', name: 'shop', version: '1.0.0', digest: 'sha256:1' },
  ]);
  await rendering.render(listed('oci://registry.example/charts'), { source, context });
  assert.deepEqual(asked, [
    { repository: 'https://charts.example', name: 'shop', version: '1.0.0' },
    { oci: 'oci://registry.example/charts/shop', version: '1.0.0' },
  ]);
  const led = {
    ...charts,
    fetch: async (reference: ChartReference) => withSchema(await charts.fetch(reference)),
  };
  await assert.rejects(
    rendering.render(listed('https://charts.example'), { source, context: { charts: led } }),
    /helmCharts\.0: shop-1\.0\.0\/values\.schema\.json: \$ref: file:\/\/\/etc\/passwd leads out of the schema/,
  );
});
