import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareObjects } from '../../../core/compare/compare-objects.ts';
import { risksOf } from '../../../core/compare/risks.ts';
import { kubeObjectSchema } from '../../../core/model/object.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';

const deployment = (spec: string, pod = 'containers: [{name: web, image: a:1}]') =>
  `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  ${spec}
  template: {spec: {${pod}}}
`;
const claim = (size: string) =>
  `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {storageClassName: gp3, resources: {requests: {storage: ${size}}}}}`;
const role = (verbs: string, resources: string) =>
  `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}, rules: [{apiGroups: [''], verbs: [${verbs}], resources: [${resources}]}]}`;
const binding = (ref: string) =>
  `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, roleRef: {kind: ClusterRole, name: ${ref}}, subjects: [{kind: Group, name: devs}]}`;
const definition = (versions: string) =>
  `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: w.example.com}, spec: {group: example.com, versions: [${versions}]}}`;
const none = '';

const cases: readonly (readonly [why: string, base: string, head: string, risks: readonly string[]])[] = [
  ['nothing', deployment('replicas: 2'), deployment('replicas: 2'), []],
  ['more replicas', deployment('replicas: 2'), deployment('replicas: 3'), []],
  [
    'fewer replicas',
    deployment('replicas: 3'),
    deployment('replicas: 1'),
    ['replicas: has 1 replicas instead of 3'],
  ],
  [
    'an image',
    deployment('replicas: 1'),
    deployment('replicas: 1', 'containers: [{name: web, image: a:2}]'),
    [],
  ],
  [
    'a selector',
    deployment('selector: {matchLabels: {a: b}}'),
    deployment('selector: {matchLabels: {a: c}}'),
    ['immutable: spec.selector.matchLabels.a cannot be changed on an object that exists'],
  ],
  [
    'privileges',
    deployment('replicas: 1'),
    deployment(
      'replicas: 1',
      'hostNetwork: true, volumes: [{name: v, hostPath: {path: /etc}}], containers: [{name: web, image: a:1, securityContext: {privileged: true, capabilities: {add: [NET_ADMIN]}}}]',
    ),
    ["privilege: gains hostNetwork, the host's /etc, privileged, capability NET_ADMIN"],
  ],
  [
    'privileges that were there',
    deployment('replicas: 1', 'hostNetwork: true'),
    deployment('replicas: 2', 'hostNetwork: true'),
    [],
  ],
  [
    'a claim that grows',
    claim('1Gi'),
    claim('2Gi'),
    ['volume-claim: asks for 2Gi instead of 1Gi; a claim can grow and never shrink'],
  ],
  ['a claim that goes', claim('1Gi'), none, ['data-loss: is deleted, with everything that it holds']],
  [
    'another class of a claim',
    claim('1Gi'),
    claim('1Gi').replace('gp3', 'io2'),
    ['immutable: spec.storageClassName cannot be changed on an object that exists'],
  ],
  ['a role that may all', role('get', 'pods'), role("'*'", 'pods'), ['privilege: gains every verb on pods']],
  ['a role that reads Secrets', none, role('get', 'secrets'), ['privilege: gains reading Secrets']],
  [
    'a new binding',
    none,
    binding('cluster-admin'),
    ['privilege: gains ClusterRole cluster-admin for Group devs'],
  ],
  [
    'a binding to another role',
    binding('view'),
    binding('edit'),
    [
      'immutable: roleRef.name cannot be changed on an object that exists',
      'privilege: gains ClusterRole edit for Group devs',
    ],
  ],
  [
    'a definition that loses a version',
    definition('{name: v1}, {name: v1beta1}'),
    definition('{name: v1}'),
    ['definition: no longer has the version v1beta1'],
  ],
  [
    'a definition that goes',
    definition('{name: v1}'),
    none,
    ['data-loss: is deleted, with everything that it holds'],
  ],
  [
    'a frozen ConfigMap',
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, immutable: true, data: {a: "1"}}',
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, immutable: true, data: {a: "2"}}',
    ['immutable: data.a cannot be changed on an object that exists'],
  ],
  [
    'replicas that nothing says any more',
    deployment('replicas: 3'),
    deployment('paused: false'),
    [
      'replicas: no longer says how many replicas; it was 3, and 1 is what the server makes of it where nothing scales it',
    ],
  ],
  [
    'a webhook that can stop a cluster',
    none,
    '{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: w}, webhooks: [{name: a}]}',
    ['webhook: refuses what it judges whenever it does not answer'],
  ],
];

const read = (text: string) => readYaml('a.yaml', text).map(({ value }) => kubeObjectSchema.parse(value));

for (const [why, base, head, expected] of cases) {
  test(why, () => {
    const changes = compareObjects(read(base), read(head));
    const risks = changes.flatMap((change) => risksOf(change, { prune: true }));
    assert.deepEqual(
      risks.map(({ kind, text }) => `${kind}: ${text}`),
      expected,
    );
  });
}

test('what is given up is not deleted where nothing is pruned', () => {
  const [change] = compareObjects(read(claim('1Gi')), []);
  assert.ok(change);
  assert.deepEqual(risksOf(change, { prune: false }), [
    { kind: 'prune', text: 'is given up and left on the cluster' },
  ]);
});

test('fields are named as people name them', () => {
  const base = deployment(
    'replicas: 1',
    'containers: [{name: a, image: a:1, env: [{name: FOO, value: "1"}]}, {name: b, image: b:1}]',
  );
  const head = deployment(
    'replicas: 1',
    'containers: [{name: b, image: b:2}, {name: a, image: a:1, env: [{name: BAR, value: "1"}]}], nodeSelector: {"example.com/x": y}',
  );
  const [change] = compareObjects(read(base), read(head));
  assert.deepEqual(
    change?.fields.map(({ path }) => path),
    [
      'spec.template.spec.containers[name=a].env[name=FOO]',
      'spec.template.spec.containers[name=a].env[name=BAR]',
      'spec.template.spec.containers[name=b].image',
      'spec.template.spec.containers',
      'spec.template.spec.nodeSelector',
    ],
  );
});
