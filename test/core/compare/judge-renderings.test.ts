import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readKubernetesSchemas } from '../../../adapters/kubernetes-schemas.ts';
import type { Rendering } from '../../../core/compare/comparison.ts';
import { judgedWords, judgeRenderings, type JudgedBy } from '../../../core/compare/judge-renderings.ts';
import { manifests } from '../policies/manifests.ts';

const schemas = await readKubernetesSchemas();

const policy = (most: number, name = 'p') => `
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: ${name}}, spec: {
  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}]},
  validations: [{expression: int(object.data.a) <= ${most}, message: over ${most}}]}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: ${name}}, spec: {policyName: ${name}, validationActions: [Deny]}}
`;
const config = (name: string, value: number, more = '') =>
  `\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}, data: {a: "${value}"${more}}}\n`;

function rendered(yaml: string, prune = true): Rendering {
  return { kind: 'rendered', objects: manifests(yaml), prune, onDelete: 'orphan' };
}

interface Sides {
  readonly base: string;
  readonly head: string;
}

function judged(
  objects: Sides,
  { files = { base: '', head: '' }, isHeadTrusted = true }: { files?: Sides; isHeadTrusted?: boolean } = {},
): readonly string[] {
  const by: JudgedBy = {
    rules: [],
    schemas,
    policyFiles: { base: manifests(files.base), head: manifests(files.head) },
    isHeadTrusted,
    clusterOf: (name) => ({ cluster: { name, labels: {} } }),
  };
  const side = (yaml: string) => new Map([['prod/shop', rendered(yaml)]]);
  const findings = judgeRenderings(side(objects.base), side(objects.head), by).get('prod/shop') ?? [];
  return findings.map(({ ref, text }) => `${ref.name} ${text}`);
}

test('an object that changes is judged whole; one that does not is left alone', () => {
  const objects = {
    base: config('old', 9) + config('b', 9),
    head: config('old', 9) + config('b', 9, ', c: d'),
  };
  assert.deepEqual(judged(objects, { files: { base: policy(5), head: policy(5) } }), ['b over 5']);
});

test('a new policy finds what it is about in objects that nobody touched', () => {
  const objects = { base: config('a', 9), head: config('a', 9) };
  assert.deepEqual(judged(objects, { files: { base: '', head: policy(5) } }), ['a over 5']);
});

test('a change cannot excuse itself by changing the policy', () => {
  const objects = { base: config('a', 1), head: config('a', 9) };
  assert.deepEqual(judged(objects, { files: { base: policy(5), head: policy(20) } }), ['a over 5']);
  assert.deepEqual(judged(objects, { files: { base: policy(5), head: '' } }), ['a over 5']);
});

test('policies of a stranger do not count', () => {
  const objects = { base: config('a', 1), head: config('a', 3) + policy(0, 'rendered') };
  assert.deepEqual(
    judged(objects, { files: { base: policy(5), head: policy(2) }, isHeadTrusted: false }),
    [],
  );
  assert.deepEqual(judged(objects, { files: { base: policy(5), head: policy(2) } }), [
    'a over 2',
    'a over 0',
  ]);
});

test('policies that the cluster gets of an application count for the others', () => {
  const objects = { base: policy(5), head: policy(5) + config('a', 9) };
  assert.deepEqual(judged(objects), ['a over 5']);
});

test('a definition that becomes stricter finds the objects that stay as they are', () => {
  const definition = (most: number) => `
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.example.com}, spec: {
  group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets}, versions: [{name: v1, served: true, storage: true,
  schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer, maximum: ${most}}}}}}}}]}}
---
{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}, spec: {size: 7}}
`;
  assert.deepEqual(judged({ base: definition(9), head: definition(9) }), []);
  assert.deepEqual(judged({ base: definition(9), head: definition(5) }), [
    'w spec.size must be at most 5, and is 7 (its definition)',
  ]);
});

test('what moves to another application is neither new nor deleted', () => {
  const onDelete = policy(5)
    .replace('CREATE, UPDATE', 'CREATE, DELETE')
    .replace('object.data', 'oldObject.data');
  const by: JudgedBy = {
    rules: [],
    schemas,
    policyFiles: { base: manifests(onDelete), head: [] },
    isHeadTrusted: true,
    clusterOf: (name) => ({ cluster: { name, labels: {} } }),
  };
  const base = new Map([
    ['prod/a', rendered(config('c', 9))],
    ['prod/b', rendered('')],
  ]);
  const moved = new Map([
    ['prod/a', rendered('')],
    ['prod/b', rendered(config('c', 9))],
  ]);
  assert.deepEqual([...judgeRenderings(base, moved, by).values()].flat(), []);
  const gone = judgeRenderings(
    base,
    new Map([
      ['prod/a', rendered('')],
      ['prod/b', rendered('')],
    ]),
    by,
  );
  assert.deepEqual(
    [...gone.values()].flat().map(({ text }) => text),
    ['over 5'],
  );
  assert.match(
    judgedWords({ ...by, policyFiles: { base: [], head: manifests(policy(1).split('\n---\n')[1] ?? '') } }, [
      'prod',
    ]),
    / 1\.\d\d, the newest known, .* \(no binding: `p`\)\.$/,
  );
});
