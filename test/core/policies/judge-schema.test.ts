import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readKubernetesSchemas } from '../../../adapters/kubernetes-schemas.ts';
import { schemaJudge } from '../../../core/policies/judge-schema.ts';
import { manifests } from './manifests.ts';

const schemas = await readKubernetesSchemas();

const deployment = (spec: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {selector: {matchLabels: {a: b}}, template: {spec: {containers: [{name: web}]}}, ${spec}}
`;
const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            spec:
              type: object
              required: [size]
              properties:
                size: {type: integer, minimum: 1, maximum: 9}
                colour: {type: string, enum: [red, blue]}
                code: {type: string, pattern: '^(a+)+$', maxLength: 40}
                port: {x-kubernetes-int-or-string: true}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true}
                parts: {type: array, minItems: 1, items: {type: object, properties: {name: {type: string}}}}
                source:
                  type: object
                  properties: {git: {type: string}, oci: {type: string}}
                  oneOf: [{required: [git]}, {required: [oci]}]
---
`;
const widget = (spec: string) =>
  `${definition}{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}, spec: {${spec}}}`;

interface Case {
  readonly yaml: string;
  readonly version?: string;
  readonly served?: readonly string[];
  readonly says: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  'what is right': { yaml: deployment('replicas: 2'), says: [] },
  'a field that is misspelt': {
    yaml: deployment('replica: 2'),
    says: ['error schema: spec.replica is not a field; did you mean replicas? (Kubernetes 1.34)'],
  },
  'a field like no other': {
    yaml: deployment('"a b": 2'),
    says: ['error schema: spec["a b"] is not a field (Kubernetes 1.34)'],
  },
  'a text for a number': {
    yaml: deployment('replicas: "2"'),
    says: ['error schema: spec.replicas must be an integer, and is the string "2" (Kubernetes 1.34)'],
  },
  'a number for a text, in a list of names': {
    yaml: deployment('template: {spec: {containers: [{name: web, env: [{name: A, value: 1}]}]}}').replace(
      'template: {spec: {containers: [{name: web}]}}, ',
      '',
    ),
    says: [
      'error schema: spec.template.spec.containers[name=web].env[name=A].value must be a string, and is 1 (Kubernetes 1.34)',
    ],
  },
  'what is required': {
    yaml: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {}}}',
    says: ['error schema: spec.selector is required (Kubernetes 1.34)'],
  },
  'amounts and ports, either way': {
    yaml: `{apiVersion: v1, kind: Pod, metadata: {name: p, creationTimestamp: null}, spec: {containers: [
      {name: a, resources: {limits: {cpu: 1, memory: 1Gi}}, livenessProbe: {httpGet: {port: http}}, readinessProbe: {httpGet: {port: 80}}}]}}`,
    says: [],
  },
  'a field that is newer than the cluster': {
    yaml: '{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a}], hostnameOverride: b}}',
    version: 'v1.33.4-eks-1234567',
    says: ['error schema: spec.hostnameOverride is not a field (Kubernetes 1.33)'],
  },
  'the same where it is known': {
    yaml: '{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a}], hostnameOverride: b}}',
    version: '1.34',
    says: [],
  },
  'a cluster that is newer than all that is known': {
    yaml: deployment('replica: 2'),
    version: '1.99',
    says: ['warn schema: spec.replica is not a field; did you mean replicas? (Kubernetes 1.99)'],
  },
  'an API that is gone': {
    yaml: '{apiVersion: policy/v1beta1, kind: PodDisruptionBudget, metadata: {name: p}}',
    says: [
      'error removed-api: is of policy/v1beta1, which Kubernetes 1.25 removed; use policy/v1 PodDisruptionBudget',
    ],
  },
  'an API that will go': {
    yaml: '{apiVersion: flowcontrol.apiserver.k8s.io/v1beta3, kind: FlowSchema, metadata: {name: f}}',
    version: '1.31',
    says: [
      'warn deprecated-api: is of flowcontrol.apiserver.k8s.io/v1beta3, which is deprecated since Kubernetes 1.29 and goes with 1.32; use flowcontrol.apiserver.k8s.io/v1 FlowSchema',
    ],
  },
  'the same before': {
    yaml: '{apiVersion: flowcontrol.apiserver.k8s.io/v1beta3, kind: FlowSchema, metadata: {name: f}}',
    version: '1.28',
    says: [],
  },
  'a custom resource that is right': {
    yaml: widget('size: 1, port: http, free: {a: [1]}, source: {git: a}'),
    says: [],
  },
  'a custom resource': {
    yaml: widget(
      'size: 10, colour: green, code: b, port: [], parts: [], source: {git: a, oci: b}, shape: round',
    ),
    says: [
      'error schema: spec.size must be at most 9, and is 10 (its definition)',
      'error schema: spec.colour must be one of "red", "blue", and is the string "green" (its definition)',
      'error schema: spec.code must fit ^(a+)+$, and is the string "b" (its definition)',
      'error schema: spec.port must be an integer or a string, and is a list (its definition)',
      'error schema: spec.parts must have at least 1 items (its definition)',
      'error schema: spec.source fits several of what the definition allows one of here (its definition)',
      'error schema: spec.shape is not a field (its definition)',
    ],
  },
  'a custom resource without': {
    yaml: widget('source: {}'),
    says: [
      'error schema: spec.size is required (its definition)',
      'error schema: spec.source fits none of what the definition allows here (its definition)',
    ],
  },
  'metadata of a custom resource': {
    yaml: widget('size: 1').replace('{name: w}', '{name: w, lables: {a: b}}'),
    says: ['error schema: metadata.lables is not a field; did you mean labels? (its definition)'],
  },
  'a pattern that would never end': {
    yaml: widget(`size: 1, code: ${'a'.repeat(39)}b`),
    says: [
      `error schema: spec.code must fit ^(a+)+$, and is the string "${'a'.repeat(39)}b" (its definition)`,
    ],
  },
  'a kind that nobody knows': {
    yaml: '{apiVersion: other.example/v1, kind: Thing, metadata: {name: t}, spec: 1}',
    says: [],
  },
  'a kind that the cluster does not serve': {
    yaml: '{apiVersion: other.example/v1, kind: Thing, metadata: {name: t}}',
    served: ['v1', 'v1/Pod'],
    says: [
      'warn unknown-kind: is of other.example/v1 Thing, which the cluster does not serve (1.34) and no definition of this commit adds',
    ],
  },
  'a kind that this commit adds': {
    yaml: widget('size: 1'),
    served: ['apiextensions.k8s.io/v1/CustomResourceDefinition'],
    says: [],
  },
};

for (const [name, { yaml, version = '1.34', served, says }] of Object.entries(cases)) {
  test(name, () => {
    const among = manifests(yaml);
    const judge = schemaJudge({ schemas, kubernetesVersion: version, served, among });
    const found = among.flatMap(judge).map(({ severity, kind, text }) => `${severity} ${kind}: ${text}`);
    assert.deepEqual(found, says);
  });
}

test('a definition that nests its choices is no way to stop a function', () => {
  const nested = (depth: number): string =>
    depth === 0 ? '{required: [never]}' : `{oneOf: [${nested(depth - 1)}], anyOf: [{required: [b]}]}`;
  const yaml = widget('size: 1').replace('source:\n', `deep: ${nested(30)}\n                source:\n`);
  const among = manifests(yaml.replace('size: 1', 'size: 1, deep: {a: b}'));
  const found = among.flatMap(schemaJudge({ schemas, among }));
  assert.deepEqual(
    found.map(({ text }) => text.replace(/ \(.*/, '')),
    [
      'spec.deep fits none of what the definition allows here',
      'spec.deep fits none of what the definition allows here',
    ],
  );
});

test('without a version the newest is taken, and what is gone there may still be on the cluster', () => {
  const among = manifests(
    '{apiVersion: batch/v1beta1, kind: CronJob, metadata: {name: c}}\n---\n' + deployment('replica: 1'),
  );
  const found = among.flatMap(schemaJudge({ schemas, among }));
  assert.deepEqual(
    found.map(({ severity, kind }) => `${severity} ${kind}`),
    ['warn removed-api', 'error schema'],
  );
  assert.match(found[1]?.text ?? '', /\(Kubernetes 1\.\d\d\)$/);
});
