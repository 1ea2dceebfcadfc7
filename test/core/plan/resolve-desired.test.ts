import assert from 'node:assert/strict';
import { defaultSettings } from '../../../core/model/desired.ts';
import { describe, test } from 'node:test';
import { load } from 'js-yaml';
import { kubeObjectSchema } from '../../../core/model/object.ts';
import { decidePlan, resolveDesired } from '../../../core/plan.ts';
import { at, served } from './scenario.ts';

describe('scope and address', () => {
  const resolve = (...manifests: string[]) =>
    resolveDesired(
      {
        application: 'web',
        namespace: 'web',
        objects: manifests.map((yaml) => ({ object: kubeObjectSchema.parse(load(yaml)), digest: 'v1' })),
        origins: { '/ConfigMap//a': 'apps/a.yaml:1', '/ConfigMap/web/a': 'apps/b.yaml:7' },
      },
      served,
    );

  test('the default namespace goes to namespaced objects that name none, and to no other', () => {
    const { objects } = resolve(
      `{ apiVersion: v1, kind: ConfigMap, metadata: { name: a } }`,
      `{ apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: other } }`,
      `{ apiVersion: v1, kind: Namespace, metadata: { name: other, namespace: web } }`,
    );
    assert.deepEqual(
      objects.map(({ key }) => key),
      ['/ConfigMap/web/a', '/ConfigMap/other/a', '/Namespace//other'],
    );
    assert.equal(objects[2]?.object.metadata.namespace, undefined);
    assert.equal(objects[2]?.note, 'its namespace web was left out: Namespace is cluster-scoped');
    assert.equal(objects[0]?.object.metadata.labels?.['trueup.dev/application'], 'web');
  });

  test('two objects that are one and the same once the namespace is known refuse the plan and are both named', () => {
    const { refusal } = resolve(
      `{ apiVersion: v1, kind: ConfigMap, metadata: { name: a } }`,
      `{ apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: web } }`,
    );
    assert.match(refusal ?? '', /ConfigMap web\/a \(apps\/a\.yaml:1 and apps\/b\.yaml:7\)/);
  });

  test('kinds that nobody serves block, and the text says what would help', () => {
    const { blocked } = resolve(
      `{ apiVersion: example.org/v1, kind: Widget, metadata: { name: a } }`,
      `{ apiVersion: networking.k8s.io/v1beta1, kind: Ingress, metadata: { name: a } }`,
      `{ apiVersion: extensions/v1beta1, kind: Ingress, metadata: { name: b } }`,
    );
    assert.deepEqual(
      blocked.map(({ why }) => why),
      [
        'the cluster does not serve example.org/v1 Widget; install its CustomResourceDefinition first, or add it to this application',
        'the cluster does not serve networking.k8s.io/v1beta1 Ingress; it serves Ingress as networking.k8s.io/v1: change apiVersion',
        'the cluster does not serve extensions/v1beta1 Ingress; it serves Ingress as networking.k8s.io/v1: change apiVersion',
      ],
    );
  });

  test('a definition in the same set gives scope and plural of its objects', () => {
    const crd = `
      apiVersion: apiextensions.k8s.io/v1
      kind: CustomResourceDefinition
      metadata: { name: gizmos.example.org }
      spec:
        group: example.org
        scope: Cluster
        names: { kind: Gizmo, plural: gizmos }
        versions: [{ name: v1, served: true }, { name: v0, served: false }]`;
    const { objects, blocked } = resolve(
      crd,
      `{ apiVersion: example.org/v1, kind: Gizmo, metadata: { name: a } }`,
      `{ apiVersion: example.org/v0, kind: Gizmo, metadata: { name: b } }`,
    );
    assert.deepEqual(
      objects.map(({ key, address }) => [key, address.plural]),
      [['example.org/Gizmo//a', 'gizmos']],
    );
    assert.equal(blocked.length, 2, 'the definition is not served by this test server, and v0 by nobody');
  });

  test('what a blocked object may have been called before is not pruned', () => {
    const desired = resolve(`{ apiVersion: example.org/v1, kind: Widget, metadata: { name: a } }`);
    const ref = { group: 'example.org', kind: 'Widget', namespace: 'elsewhere', name: 'a' };
    const entry = {
      ref,
      apiVersion: 'example.org/v1',
      plural: 'widgets',
      state: 'applied' as const,
      created: true,
      adopted: false,
      uid: 'one',
    };
    const decision = decidePlan({
      application: 'web',
      repository: 'config',
      desired,
      state: 'present',
      settings: defaultSettings,
      entries: { 'example.org/Widget/elsewhere/a': entry },
      observed: new Map(),
      scope: 'changed',
      drifted: new Set(),
      pruneCap: { percent: 30, objects: 5 },
      at,
    });
    assert.deepEqual([decision.prune.length, decision.forget.length], [0, 0]);
  });
});
