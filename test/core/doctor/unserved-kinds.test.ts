import assert from 'node:assert/strict';
import { it } from 'node:test';
import { unservedKinds } from '../../../core/doctor/unserved-kinds.ts';
import { kubeObjectSchema } from '../../../core/model/object.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';

const objects = readYaml(
  'x.yaml',
  `
apiVersion: v1
kind: ConfigMap
metadata: { name: a }
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: { name: a }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: boats.example.com }
spec: { group: example.com, names: { kind: Boat }, versions: [{ name: v1 }] }
---
apiVersion: example.com/v1
kind: Boat
metadata: { name: a }
---
apiVersion: example.com/v2
kind: Boat
metadata: { name: a }
`,
).map(({ value }) => kubeObjectSchema.parse(value));

it('tells kinds that are neither served nor defined by the same objects', () => {
  const apiVersions = ['v1', 'v1/ConfigMap', 'policy/v1', 'apiextensions.k8s.io/v1/CustomResourceDefinition'];
  assert.deepEqual(unservedKinds(objects, { apiVersions }), [
    'example.com/v2/Boat',
    'policy/v1beta1/PodDisruptionBudget',
  ]);
});
