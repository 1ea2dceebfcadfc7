import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stop } from '../../../core/errors.ts';
import { describeRef, refOf } from '../../../core/model/object.ts';
import { sourceSchema } from '../../../core/model/source.ts';
import { matchesGlob } from '../../../core/render/matches-glob.ts';
import { render } from '../../../core/render/render.ts';
import { renderContext } from '../../fakes/render-context.ts';
import { MemoryWorktree, type Files } from '../../fakes/memory-worktree.ts';

const noRenderers = {
  versions: {},
  kustomize: () => Promise.reject(new Error('a plain folder needs no kustomize')),
  helm: () => Promise.reject(new Error('a plain folder needs no helm')),
};
const source = { path: 'apps/web', renderer: 'auto' } as const;

function renderFiles(files: Files, path: string = source.path) {
  return render({ ...source, path }, renderContext(new MemoryWorktree(files), noRenderers));
}

function configMap(name: string, more = ''): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}`;
}

const renders: { why: string; files: Files; path?: string; gives: Record<string, string> }[] = [
  {
    why: 'recursive, several documents, JSON, other files left alone',
    files: {
      'apps/web/a.yaml': `${configMap('a')}---\n# nothing\n---\n${configMap('b')}`,
      'apps/web/deep/er/c.yml': configMap('c', '  namespace: other\n'),
      'apps/web/d.json': '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}}',
      'apps/web/README.md': '# Web',
      'apps/web/.sops.yaml': 'creation_rules: []',
      'apps/web/.github/x.yaml': 'on: push',
      'apps/webs/e.yaml': 'of another folder',
    },
    gives: {
      'ConfigMap a': 'apps/web/a.yaml:1',
      'ConfigMap b': 'apps/web/a.yaml:8',
      'ConfigMap d': 'apps/web/d.json:1',
      'ConfigMap other/c': 'apps/web/deep/er/c.yml:1',
    },
  },
  {
    why: "a kind of one's own that is called a list, and a list within a list",
    files: {
      'apps/web/a.yaml': 'apiVersion: example.org/v1\nkind: AllowList\nmetadata: {name: a}\nspec: {}',
      'apps/web/b.yaml': `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMapList\n  items:\n  - metadata: {name: b}`,
    },
    gives: { 'AllowList.example.org a': 'apps/web/a.yaml:1', 'ConfigMap b': 'apps/web/b.yaml:7' },
  },
  {
    why: 'lists flattened, items of typed lists with the kind of their list',
    files: {
      'apps/web/a.yaml': `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: a}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleList
  items:
  - metadata: {name: b}
  - {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: c}}
`,
    },
    gives: {
      'ConfigMap a': 'apps/web/a.yaml:4',
      'Role b': 'apps/web/a.yaml:10',
      'Role c': 'apps/web/a.yaml:11',
    },
  },
  {
    why: 'empty labels, annotations and namespace as if they were not there',
    files: { 'apps/web/a.yaml': configMap('a', '  labels:\n  annotations: ~\n  namespace: ""\n') },
    gives: { 'ConfigMap a': 'apps/web/a.yaml:1' },
  },
  {
    why: 'the whole repository',
    files: { 'a.yaml': configMap('a'), 'b/c.yaml': configMap('c') },
    path: '.',
    gives: { 'ConfigMap a': 'a.yaml:1', 'ConfigMap c': 'b/c.yaml:1' },
  },
  {
    why: 'a kind that merely is called Kustomization',
    files: {
      'apps/web/a.yaml':
        'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\n',
    },
    gives: { 'Kustomization.kustomize.toolkit.fluxcd.io a': 'apps/web/a.yaml:1' },
  },
];
for (const { why, files, path, gives } of renders) {
  test(`a folder is rendered as it is: ${why}`, async () => {
    const { objects, origins, renderer } = await renderFiles(files, path);
    const places = Object.values(origins);
    const given = Object.fromEntries(objects.map((object, at) => [describeRef(refOf(object)), places[at]]));
    assert.deepEqual(given, gives);
    assert.equal(renderer, 'plain');
  });
}

const tree = {
  'apps/web/a.yaml': configMap('a'),
  'apps/web/values.yaml': 'replicas: 3',
  'apps/web/tests/b.yaml': configMap('b'),
  'apps/web/tests/deep/c.json': '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}',
  'apps/web/tests/.hidden/d.yaml': configMap('d'),
  'apps/web/README.md': '#',
};
const chosen: { why: string; source: object; gives: string[] }[] = [
  { why: 'of this folder alone', source: { include: ['a*.yaml'] }, gives: ['a'] },
  { why: 'of any depth', source: { include: ['**/?.yaml', '**/?.json'] }, gives: ['a', 'b', 'c'] },
  { why: 'of a folder below', source: { include: ['tests/**'] }, gives: ['b', 'c'] },
  { why: 'of several patterns', source: { include: ['a.yaml', 'tests/deep/*'] }, gives: ['a', 'c'] },
  { why: 'but some', source: { exclude: ['values.yaml', 'tests/**/c.json'] }, gives: ['a', 'b'] },
  {
    why: 'and of these but some',
    source: { include: ['**/?.*'], exclude: ['tests/*'] },
    gives: ['a', 'c'],
  },
];
for (const { why, source: patterns, gives } of chosen) {
  test(`files are chosen by patterns: ${why}`, async () => {
    const chosenSource = sourceSchema.parse({ path: 'apps/web', ...patterns });
    const context = renderContext(new MemoryWorktree(tree), noRenderers);
    const { objects } = await render(chosenSource, context);
    assert.deepEqual(
      objects.map(({ metadata }) => metadata.name),
      gives,
    );
  });
}

test('what no pattern chose is no input', async () => {
  const digest = async (files: Files) => {
    const chosenSource = sourceSchema.parse({ path: 'apps/web', include: ['a.yaml'] });
    return (await render(chosenSource, renderContext(new MemoryWorktree(files), noRenderers))).inputDigest;
  };
  assert.equal(await digest(tree), await digest({ ...tree, 'apps/web/values.yaml': 'replicas: 4' }));
});

test('a pattern names paths below the folder', () => {
  const patterns = [
    '../x.yaml',
    '/etc/*',
    'a/../../b',
    '!a.yaml',
    '+(a|b).yaml',
    'a\\b',
    '[ab].yaml',
    '{a,b}.yaml',
    'x'.repeat(201),
    '',
  ];
  for (const pattern of patterns) {
    for (const field of ['include', 'exclude']) {
      const parsed = sourceSchema.safeParse({ path: '.', [field]: [pattern] });
      assert.equal(parsed.success, false, `${field}: ${pattern}`);
    }
  }
});

const fits: { glob: string; yes: string[]; no: string[] }[] = [
  { glob: '*.yaml', yes: ['a.yaml', '.yaml'], no: ['a/b.yaml', 'a.yml'] },
  { glob: '**/*.yaml', yes: ['a.yaml', 'a/b.yaml', 'a/b/c.yaml'], no: ['a.yaml/b'] },
  { glob: 'a/**', yes: ['a/b', 'a/b/c', 'a'], no: ['b/a', 'ab'] },
  { glob: 'a/**/b', yes: ['a/b', 'a/x/b', 'a/b/b'], no: ['a/b/x'] },
  { glob: '**/b/**/c/*', yes: ['b/c/x', 'a/b/b/c/c/x'], no: ['b/x/c', 'c/b/x'] },
  { glob: 'a?c', yes: ['abc', 'a😀c'], no: ['ac', 'a/c', 'abbc'] },
  { glob: 'a**c', yes: ['ac', 'abbc'], no: ['a/c'] },
  { glob: '*a*b*', yes: ['ab', 'xaxbx', 'aabb'], no: ['ba', 'a'] },
  { glob: 'a.c', yes: ['a.c'], no: ['abc'] },
  { glob: `**/${'*a'.repeat(60)}b/**/${'*a'.repeat(30)}b`, yes: [], no: [`${'a'.repeat(250)}/`.repeat(16)] },
];
for (const { glob, yes, no } of fits) {
  test(`the pattern ${glob.slice(0, 20)} is soon through`, () => {
    for (const path of yes) assert.equal(matchesGlob(glob, path), true, path);
    for (const path of no) assert.equal(matchesGlob(glob, path), false, path);
  });
}

test('an application of more objects than a run takes is refused', async () => {
  const items = (count: number) =>
    Array.from({ length: count }, (_, at) => `- metadata: {name: a${at}}`).join('\n');
  const list = (count: number) => `apiVersion: v1\nkind: ConfigMapList\nitems:\n${items(count)}\n`;
  await assert.rejects(
    renderFiles({ 'apps/web/a.yaml': list(10_001) }),
    /^Stop: folder apps\/web: gives 10001 objects, and an application has 10000 at most; split it/,
  );
});

const faults: { why: string; text: string; says: string }[] = [
  {
    why: 'YAML that breaks',
    text: `${configMap('a')}data:\n  a: b: c\n`,
    says: 'apps/web/x.yaml:6: cannot be read as YAML: bad indentation of a mapping entry',
  },
  {
    why: 'no kind',
    text: 'apiVersion: v1\nmetadata: {name: a}',
    says: 'apps/web/x.yaml:1: has no kind; every YAML and JSON file here must hold Kubernetes objects',
  },
  {
    why: 'the values of a chart',
    text: '# values\nreplicas: 3',
    says: 'apps/web/x.yaml:2: has no apiVersion and no kind; every YAML and JSON file here must hold Kubernetes objects',
  },
  {
    why: 'no name',
    text: 'apiVersion: v1\nkind: ConfigMap',
    says: 'apps/web/x.yaml:1: ConfigMap has no metadata.name',
  },
  { why: 'an empty name', text: configMap('""'), says: 'apps/web/x.yaml:1: ConfigMap has no metadata.name' },
  {
    why: 'a list without items',
    text: 'apiVersion: v1\nkind: List\nmetadata: {name: a}',
    says: 'apps/web/x.yaml:1: List is a list without items, which is no object; write each object as a document of its own',
  },
  {
    why: 'a typed list without items',
    text: 'apiVersion: v1\nkind: ConfigMapList\nmetadata: {}',
    says: 'apps/web/x.yaml:1: ConfigMapList is a list without items, which is no object; write each object as a document of its own',
  },
  {
    why: 'a list whose items are none',
    text: 'apiVersion: v1\nkind: List\nitems: {a: b}',
    says: 'apps/web/x.yaml:1: List has items that are no list; write each object as a document of its own',
  },
  {
    why: 'generateName',
    text: 'apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}',
    says: 'apps/web/x.yaml:1: Job has generateName and no name: each run would create another one; give it a name',
  },
  {
    why: 'a name with a slash',
    text: configMap('a/b'),
    says: 'apps/web/x.yaml:1: ConfigMap has the metadata.name "a/b"; "/", "%", control characters, "." and ".." name nothing',
  },
  {
    why: 'a namespace that climbs',
    text: configMap('a', '  namespace: ..\n'),
    says: 'apps/web/x.yaml:1: ConfigMap has the metadata.namespace ".."; "/", "%", control characters, "." and ".." name nothing',
  },
  {
    why: 'a NUL in a name',
    text: configMap('"a\\0b"'),
    says: 'apps/web/x.yaml:1: ConfigMap has the metadata.name "a\\u0000b"; "/", "%", control characters, "." and ".." name nothing',
  },
  {
    why: 'an apiVersion that climbs',
    text: 'apiVersion: v1/../../x\nkind: ConfigMap\nmetadata: {name: a}\n',
    says: 'apps/web/x.yaml:1: has the apiVersion "v1/../../x", which is none',
  },
  {
    why: 'a kind that is a path',
    text: 'apiVersion: v1\nkind: Config/Map\nmetadata: {name: a}\n',
    says: 'apps/web/x.yaml:1: has the kind "Config/Map", which is none',
  },
  {
    why: 'a name that only looks like a variable',
    text: configMap('${a/b}'),
    says: 'apps/web/x.yaml:1: ConfigMap has the metadata.name "${a/b}"; "/", "%", control characters, "." and ".." name nothing',
  },
  {
    why: 'a name that is a number',
    text: configMap('0777'),
    says: 'apps/web/x.yaml:4: metadata.name: Invalid input: expected string, received number',
  },
  {
    why: 'a label that reads as a boolean',
    text: configMap('a', '  labels:\n    tier: web\n    canary: yes\n'),
    says: 'apps/web/x.yaml:7: metadata.labels.canary: Invalid input: expected string, received boolean',
  },
  {
    why: 'a list in place of an object',
    text: '- a',
    says: 'apps/web/x.yaml:1: is no object; expected apiVersion, kind and metadata',
  },
  {
    why: 'an Application of ours',
    text: 'apiVersion: trueup.dev/v1\nkind: Application\nmetadata: {name: a}',
    says: 'apps/web/x.yaml:1: is read by trueup and belongs to no cluster; move it elsewhere',
  },
  {
    why: 'a kustomization of a folder below',
    text: 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization',
    says: 'apps/web/x.yaml:1: is for kustomize and belongs to no cluster; let source.path name its folder, or move it elsewhere',
  },
  {
    why: 'a Secret in the clear under data',
    text: 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  p: hunter2',
    says: 'apps/web/x.yaml:5: Secret: data.p must be base64; use stringData for plain text',
  },
  {
    why: 'a Secret of numbers',
    text: 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  p: 123456',
    says: 'apps/web/x.yaml:5: Secret: stringData.p must be text; quote it',
  },
  {
    why: 'a Secret whose keys are values',
    text: 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  hunter2 x: 1\n  hunter2/y: ""\n  ok: ""',
    says: 'apps/web/x.yaml:4: Secret a: data: 2 keys hold more than letters, digits, "-", "_" and "."; mend them, or list a file of several lines under files and not under envs',
  },
  {
    why: 'a Secret with one such key of plain text',
    text: 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  "hunter2:": b',
    says: 'apps/web/x.yaml:4: Secret a: stringData: 1 key holds more than letters, digits, "-", "_" and "."; mend them, or list a file of several lines under files and not under envs',
  },
  {
    why: 'an item of a list',
    text: 'apiVersion: v1\nkind: List\nitems:\n- kind: ConfigMap\n  metadata: {name: a}',
    says: 'apps/web/x.yaml:4: has no apiVersion; every YAML and JSON file here must hold Kubernetes objects',
  },
];
for (const { why, text, says } of faults) {
  test(`an object that cannot be applied is told with file and line: ${why}`, async () => {
    await assert.rejects(
      renderFiles({ 'apps/web/x.yaml': text, 'apps/web/y.yaml': configMap('ok') }),
      (error) => {
        assert.ok(error instanceof Stop);
        assert.deepEqual(
          error.faults.map(({ subject, message }) => `${subject}: ${message}`),
          [says],
        );
        assert.ok(!error.message.includes('hunter2'));
        return true;
      },
    );
  });
}

test('every fault of an application is told at once', async () => {
  const files = {
    'apps/web/a.yaml': 'a: b: c',
    'apps/web/b.yaml': 'kind: X',
    'apps/web/c.yaml': configMap('c'),
  };
  await assert.rejects(renderFiles(files), (error) => error instanceof Stop && error.faults.length === 2);
});

test('two objects of one identity are named with both places, whatever their version', async () => {
  const ingress = (version: string) =>
    `apiVersion: networking.k8s.io/${version}\nkind: Ingress\nmetadata: {name: a}\n`;
  await assert.rejects(
    renderFiles({
      'apps/web/a.yaml': ingress('v1'),
      'apps/web/b.yaml': `${configMap('b')}---\n${ingress('v1beta1')}`,
    }),
    /^Stop: apps\/web\/b\.yaml:6: Ingress a is defined in apps\/web\/a\.yaml:1 too; remove one of them/,
  );
});

const empty: { why: string; files: Files; says: RegExp }[] = [
  {
    why: 'no such folder',
    files: { 'apps/api/a.yaml': configMap('a') },
    says: /^Stop: folder apps\/web: holds no files in this commit/,
  },
  {
    why: 'no manifests',
    files: { 'apps/web/README.md': '#' },
    says: /^Stop: folder apps\/web: gives no objects, and an empty result never deletes anything/,
  },
  {
    why: 'only comments',
    files: { 'apps/web/a.yaml': '# later\n---\n' },
    says: /^Stop: folder apps\/web: gives no objects/,
  },
  {
    why: 'an empty list',
    files: { 'apps/web/a.yaml': 'apiVersion: v1\nkind: List\nitems: []' },
    says: /^Stop: folder apps\/web: gives no objects/,
  },
];
for (const { why, files, says } of empty) {
  test(`nothing rendered never is an answer: ${why}`, async () => {
    await assert.rejects(renderFiles(files), says);
  });
}

test('the input digest covers paths and contents of what was read, and nothing else', async () => {
  const digest = async (files: Files) => (await renderFiles(files)).inputDigest;
  const base = { 'apps/web/a.yaml': configMap('a') };
  assert.equal(await digest(base), await digest({ ...base, 'apps/web/README.md': '#', 'b.yaml': 'b' }));
  assert.notEqual(await digest(base), await digest({ 'apps/web/b.yaml': configMap('a') }));
  assert.notEqual(await digest(base), await digest({ 'apps/web/a.yaml': `${configMap('a')}# x\n` }));
});
