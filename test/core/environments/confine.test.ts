import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { confine } from '../../../core/environments/confine.ts';
import { Stop } from '../../../core/errors.ts';
import { kubeObjectSchema, refKey, refOf } from '../../../core/model/object.ts';

function objectsIn(text: string) {
  return parseAllDocuments(text).map((document) => kubeObjectSchema.parse(document.toJS()));
}

const confines = {
  from: 'shop',
  namespace: 'shop-pr-7',
  clusterKinds: ['rbac.authorization.k8s.io/ClusterRole'],
};

test('everything goes to the namespace of the environment, which comes first, and nothing of it stays behind', () => {
  const objects = objectsIn(`
apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels: {pod-security.kubernetes.io/enforce: restricted}
  annotations: {trueup.dev/prune: disabled, trueup.dev/adopt: allowed, trueup.dev/wave: "5", team: shop}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: unnamed}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: named
  namespace: shop
  annotations: {trueup.dev/adopt: allowed, trueup.dev/prune: confirm, trueup.dev/wave: "1"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: shop}
subjects: [{kind: ServiceAccount, name: a, namespace: shop}, {kind: ServiceAccount, name: c, namespace: infra}]
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: allowed}}
`);
  const origins = Object.fromEntries(
    objects.map((object, index) => [refKey(refOf(object)), `a.yaml:${index}`]),
  );
  const file = { file: 'secret.yaml', text: '' };
  const sops = { '/ConfigMap/shop/named': file };
  const confined = confine({ objects, origins, sops }, confines);
  assert.deepEqual(
    confined.objects,
    objectsIn(`
apiVersion: v1
kind: Namespace
metadata:
  name: shop-pr-7
  labels: {pod-security.kubernetes.io/enforce: restricted}
  annotations: {team: shop}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: unnamed}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: named, namespace: shop-pr-7, annotations: {trueup.dev/wave: "1"}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: shop-pr-7}
subjects: [{kind: ServiceAccount, name: a, namespace: shop-pr-7}, {kind: ServiceAccount, name: c, namespace: infra}]
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: allowed}}
`),
  );
  assert.equal(confined.origins['/ConfigMap/shop-pr-7/named'], 'a.yaml:2');
  assert.deepEqual(confined.sops, { '/ConfigMap/shop-pr-7/named': file });
});

describe('the whole is refused for', () => {
  const cases = {
    'an object in another namespace': [
      '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: kube-system}}',
      /ConfigMap kube-system\/a: .*in its own namespace shop-pr-7, and this is in kube-system/,
    ],
    'another Namespace': [
      '{apiVersion: v1, kind: Namespace, metadata: {name: other}}',
      /a preview environment has one namespace, shop-pr-7, and no other/,
    ],
    'a cluster-scoped kind': [
      '{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: a, namespace: shop}}',
      /ClusterRoleBinding is cluster-scoped, and previewEnvironments.clusterKinds does not have it/,
    ],
    'a definition': [
      '{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}}',
      /CustomResourceDefinition is cluster-scoped/,
    ],
  } as const;
  for (const [what, [text, says]] of Object.entries(cases)) {
    test(what, () => {
      const objects = [
        ...objectsIn('{apiVersion: v1, kind: ConfigMap, metadata: {name: fine}}'),
        ...objectsIn(text),
      ];
      const origins = { '/ConfigMap/kube-system/a': 'apps/shop/a.yaml:3' };
      assert.throws(
        () => confine({ objects, origins }, confines),
        (error) => error instanceof Stop && says.test(error.faults.map(({ message }) => message).join()),
      );
    });
  }
});
