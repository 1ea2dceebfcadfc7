import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '../../../core/model/json.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { at } from '../../cluster/cluster-client.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { labelled, workbench, type Workbench } from './workbench.ts';

/** The server mutates what it admits in this file's namespace, as injectors, defaulters and registries' rewriters do. */

let testing: TestCluster;
let bench: Workbench;
const policies = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies';
const bindings = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings';

const mutation = (expression: string): JsonObject => ({
  patchType: 'ApplyConfiguration',
  applyConfiguration: { expression },
});

/** Adds an annotation, adds a container, and rewrites a field that Git sets. */
const mutations: readonly JsonObject[] = [
  mutation('Object{metadata: Object.metadata{annotations: {"policy.example.com/seen": "yes"}}}'),
  mutation(
    'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: ' +
      '[Object.spec.template.spec.containers{name: "mesh", image: "m:1"}]}}}}',
  ),
  mutation('Object{spec: Object.spec{minReadySeconds: 9}}'),
];

before(async () => {
  testing = await testCluster('admission');
  bench = await workbench(testing.kubeconfig);
  const name = testing.namespace;
  await testing.admin.create(policies, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': testing.namespace } },
        resourceRules: [
          {
            apiGroups: ['apps'],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['deployments'],
          },
        ],
      },
      mutations,
    },
  });
  const spec = { policyName: name };
  const binding = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingAdmissionPolicyBinding' };
  await testing.admin.create(bindings, { ...binding, metadata: { name }, spec });
});
after(async () => {
  await testing.admin.remove(`${bindings}/${testing.namespace}`);
  await testing.admin.remove(`${policies}/${testing.namespace}`);
  await testing.stop();
});

function deployment(name: string): KubeObject {
  const labels = { app: name };
  const containers = [{ name: 'app', image: 'a:1' }];
  const spec = {
    replicas: 0,
    minReadySeconds: 3,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers } },
  };
  const metadata = { name, namespace: testing.namespace };
  return labelled({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }, 'web');
}

/** A policy takes effect a moment after it was accepted. */
async function mutated(object: KubeObject): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const live = await bench.apply(object);
    if (at(live, 'spec', 'minReadySeconds') === 9) return;
    assert.ok(Date.now() < deadline, 'the policy is not in force');
  }
}

describe('mutating admission on a real API server', () => {
  it('is no drift, neither in fields of ours nor in what it adds, in 20 checks and after each apply', async () => {
    const object = deployment('mutated');
    await mutated(object);
    for (let check = 0; check < 20; check += 1) {
      assert.deepEqual(await bench.judge(object), { kind: 'clean' });
      if (check % 5 === 0) await bench.apply(object);
    }
  });

  it('hides no drift that people make', async () => {
    const object = deployment('edited');
    await mutated(object);
    await testing.admin.patch(await bench.pathOf(object), [
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'a:9' },
    ]);
    const verdict = await bench.judge(object);
    assert.ok(verdict.kind === 'drifted');
    const told = verdict.drift.fields.map((field) => `${field.class} ${field.path}`);
    assert.ok(told.includes('changed spec.template.spec.containers[name="app"].image'), told.join());
    assert.deepEqual(
      told.filter((each) => !each.startsWith('foreign')),
      ['changed spec.template.spec.containers[name="app"].image'],
    );
  });
});
