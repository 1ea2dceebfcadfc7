import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readKubernetesSchemas } from '../../adapters/kubernetes-schemas.ts';
import { membersOf, textOf } from '../../core/model/json-parts.ts';
import type { KubeObject } from '../../core/model/object.ts';
import { admissionPolicies } from '../../core/policies/admission-policy.ts';
import { judgePolicies } from '../../core/policies/judge-objects.ts';
import { schemaJudge } from '../../core/policies/judge-schema.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { manifests } from '../core/policies/manifests.ts';

const schemas = await readKubernetesSchemas();

const deployment = (spec: string, container = '') =>
  `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, labels: {app: web}}, spec: {selector: {matchLabels: {a: b}}, ${spec}
    template: {metadata: {labels: {a: b}}, spec: {containers: [{name: web, image: "a:1"${container}}]}}}}`;
const service = (port: string) =>
  `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {a: b}, ports: [${port}]}}`;

/** What a person may get wrong, and what only looks wrong. */
const objects: readonly string[] = [
  deployment(''),
  deployment('replicas: 2,'),
  deployment('replica: 2,'),
  deployment('replicas: "2",'),
  deployment('replicas: 2.0,'),
  deployment('replicas: 2.5,'),
  deployment('replicas: null,'),
  deployment('strategy: {rollingUpdate: {maxSurge: 25%, maxUnavailable: 1}},'),
  deployment('strategy: {rollingUpdate: {maxSurge: 0.5}},'),
  deployment('', ', resources: {limits: {cpu: 1, memory: 1Gi}}'),
  deployment('', ', resources: {limits: {cpu: true}}'),
  deployment('', ', env: [{name: A, value: 1}]'),
  deployment('', ', env: [{name: A, value: true}]'),
  deployment('', ', env: [{name: A, valuefrom: {}}]'),
  deployment('', ', env: {A: b}'),
  deployment('', ', ports: [{containerPort: "80"}]'),
  deployment('', ', ports: [{containerPort: 80, name: http}]'),
  deployment('', ', securityContext: {runAsUser: 0, allowPrivilegeEscalation: false}'),
  deployment('', ', securityContext: {runAsNonRoot: "yes"}'),
  deployment('', ', livenessProbe: {httpGet: {port: http}}, readinessProbe: {httpGet: {port: 8080}}'),
  service('{port: 80, targetPort: http}'),
  service('{port: 80, targetPort: 8080, protocol: TCP}'),
  service('{port: "80"}'),
  service('{port: 80, targetport: 8080}'),
  '{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: "1", b: text}}',
  '{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: 1}}',
  '{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, dta: {a: b}}',
  '{apiVersion: v1, kind: ConfigMap, metadata: {name: c, lables: {a: b}}}',
  '{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, immutable: "true"}',
  '{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}, spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}',
  '{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}, spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {serviceName: web, servicePort: 80}}]}}]}}',
  '{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}}',
  '{apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, spec: {schedule: "* * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: a, comand: [x]}]}}}}}}',
  '{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: p}, spec: {minAvailable: 50%, selector: {matchLabels: {a: b}}}}',
];

const definition = (group: string) => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.${group}}
spec:
  group: ${group}
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [size]
              properties:
                size: {type: integer, minimum: 1, maximum: 9, exclusiveMaximum: true}
                colour: {type: string, enum: [red, blue]}
                code: {type: string, pattern: '^[a-z]+$', maxLength: 4}
                port: {x-kubernetes-int-or-string: true}
                ratio: {type: number}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true}
                tags: {type: object, maxProperties: 1, additionalProperties: {type: string}}
                parts: {type: array, minItems: 1, items: {type: object, required: [name], properties: {name: {type: string}}}}
                source:
                  type: object
                  properties: {git: {type: string}, oci: {type: string}}
                  oneOf: [{required: [git]}, {required: [oci]}]
                  not: {required: [git], properties: {git: {enum: [none]}}}
`;
const widgets = [
  'size: 1',
  'size: 9',
  'size: 0',
  'size: 8.0',
  'size: "1"',
  'colour: red',
  'size: 1, colour: green',
  'size: 1, colour: red',
  'size: 1, code: abcd',
  'size: 1, code: abcde',
  'size: 1, code: A',
  'size: 1, port: http',
  'size: 1, port: 80',
  'size: 1, port: 0.5',
  'size: 1, ratio: 1',
  'size: 1, ratio: 0.5',
  'size: 1, free: {a: {b: [1]}}',
  'size: 1, free: []',
  'size: 1, tags: {a: b}',
  'size: 1, tags: {a: 1}',
  'size: 1, tags: {a: b, c: d}',
  'size: 1, parts: []',
  'size: 1, parts: [{name: a}]',
  'size: 1, parts: [{nam: a}]',
  'size: 1, source: {git: a}',
  'size: 1, source: {git: a, oci: b}',
  'size: 1, source: {}',
  'size: 1, source: {git: none}',
  'size: 1, shape: round',
];

const marked = 'trueup-policy-test';
const policies = (name: string, namespace: string) => `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: ${name}}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${namespace}}}
  matchConditions: [{name: marked, expression: "'${marked}' in object.metadata.annotations"}]
  variables:
    - {name: containers, expression: object.spec.template.spec.containers}
    - {name: images, expression: "variables.containers.map(c, c.image)"}
  validations:
    - {expression: object.spec.replicas <= 5, message: too many replicas}
    - {expression: "variables.images.all(i, i.matches('^registry[.]example/.+@sha256:[0-9a-f]{8}$'))", messageExpression: "'images of others: ' + variables.images.join(' ')"}
    - {expression: "variables.containers.all(c, c.?resources.?limits.?memory.hasValue() && quantity(c.resources.limits.memory).isLessThan(quantity('1Gi')))", message: set a memory limit below 1Gi}
    - {expression: "sets.contains(['web', 'side'], variables.containers.map(c, c.name))", message: names a strange container}
    - {expression: "object.metadata.name.find('[0-9]+') != '7' && object.metadata.?labels.?tier.orValue('none') in ['none', 'front']", message: is oddly named}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: ${name}}
spec: {policyName: ${name}, validationActions: [Deny]}
`;
const good = 'registry.example/web@sha256:0123abcd';
const judgedDeployment = (given: {
  name?: string;
  replicas?: number;
  image?: string;
  memory?: string;
  labels?: string;
  container?: string;
}) => {
  const {
    name = 'web',
    replicas = 2,
    image = good,
    memory = '500Mi',
    labels = '',
    container = 'web',
  } = given;
  return `{apiVersion: apps/v1, kind: Deployment, metadata: {name: ${name}, labels: {${labels}}, annotations: {${marked}: ""}},
    spec: {replicas: ${replicas}, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},
    spec: {containers: [{name: ${container}, image: "${image}", resources: {${memory === '' ? '' : `limits: {memory: ${memory}}`}}}]}}}}`;
};
const judged: readonly string[] = [
  judgedDeployment({}),
  judgedDeployment({ replicas: 6 }),
  judgedDeployment({ image: 'nginx:1' }),
  judgedDeployment({ memory: '2000M' }),
  judgedDeployment({ memory: '' }),
  judgedDeployment({ container: 'other' }),
  judgedDeployment({ name: 'web-7' }),
  judgedDeployment({ labels: 'tier: back' }),
  judgedDeployment({ labels: 'tier: front' }),
  deployment('replicas: 9,').replace('labels: {app: web}', 'annotations: {other: ""}'),
];

const paths: Readonly<Record<string, string>> = {
  Deployment: 'apis/apps/v1/namespaces/NS/deployments',
  Service: 'api/v1/namespaces/NS/services',
  ConfigMap: 'api/v1/namespaces/NS/configmaps',
  Ingress: 'apis/networking.k8s.io/v1/namespaces/NS/ingresses',
  HorizontalPodAutoscaler: 'apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers',
  CronJob: 'apis/batch/v1/namespaces/NS/cronjobs',
  PodDisruptionBudget: 'apis/policy/v1/namespaces/NS/poddisruptionbudgets',
};

describe('what is said offline, beside what an API server says', () => {
  let cluster: TestCluster;
  let version = '';
  before(async () => {
    cluster = await testCluster('policies');
    const { body } = await cluster.admin.ask('GET', '/version');
    version = textOf(membersOf(body)['gitVersion']);
  });
  after(() => cluster.stop());

  async function refusal(object: KubeObject): Promise<string | undefined> {
    const custom = `apis/${object.apiVersion}/namespaces/NS/widgets`;
    const path = (paths[object.kind] ?? custom).replace('NS', cluster.namespace);
    const { status, body } = await cluster.admin.ask('POST', `/${path}?dryRun=All&fieldValidation=Strict`, {
      body: object,
    });
    return status < 300 ? undefined : textOf(membersOf(body)['message']);
  }

  it('agrees on schemas', async () => {
    const judge = schemaJudge({ schemas, kubernetesVersion: version, among: [] });
    const disagreements: string[] = [];
    for (const text of objects) {
      const [object] = manifests(text);
      assert.ok(object);
      const [[ours], theirs] = [judge(object), await refusal(object)];
      if ((ours !== undefined) !== (theirs !== undefined))
        disagreements.push(`${text}\nserver: ${theirs}\nours: ${ours?.text}`);
    }
    assert.deepEqual(disagreements, []);
  });

  it('agrees on schemas of definitions', async () => {
    const group = `${cluster.namespace}.example.com`;
    const among = manifests(definition(group));
    const [crd] = among;
    assert.ok(crd);
    const at = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await cluster.admin.create(at, crd);
    try {
      const widget = (spec: string) => {
        const [object] = manifests(
          `{apiVersion: ${group}/v1, kind: Widget, metadata: {name: w}, spec: {${spec}}}`,
        );
        assert.ok(object);
        return object;
      };
      const deadline = Date.now() + 30_000;
      while ((await refusal(widget('size: 1'))) !== undefined)
        assert.ok(Date.now() < deadline, 'never served');
      const judge = schemaJudge({ schemas, among });
      const disagreements: string[] = [];
      for (const spec of widgets) {
        const [[ours], theirs] = [judge(widget(spec)), await refusal(widget(spec))];
        if ((ours !== undefined) !== (theirs !== undefined))
          disagreements.push(`${spec}\nserver: ${theirs}\nours: ${ours?.text}`);
      }
      assert.deepEqual(disagreements, []);
    } finally {
      await cluster.admin.remove(`${at}/${crd.metadata.name}`);
    }
  });

  it('agrees on ValidatingAdmissionPolicies, to the word', async () => {
    const name = cluster.namespace;
    const files = manifests(policies(name, cluster.namespace));
    const at = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic';
    for (const file of files)
      await cluster.admin.create(`${at}${file.kind.endsWith('Binding') ? 'ybindings' : 'ies'}`, file);
    try {
      const [probe] = manifests(judgedDeployment({ replicas: 6 }));
      assert.ok(probe);
      const deadline = Date.now() + 30_000;
      while ((await refusal(probe)) === undefined)
        assert.ok(Date.now() < deadline, 'the policy never took effect');
      for (const text of judged) {
        const [object] = manifests(text);
        assert.ok(object);
        const placed = { ...object, metadata: { ...object.metadata, namespace: cluster.namespace } };
        const ours = judgePolicies([{ object: placed }], {
          cluster: { name: 'test', labels: {} },
          rules: [],
          policies: admissionPolicies(files),
          schemas,
          among: [],
        });
        const theirs = await refusal(object);
        const [first] = ours;
        assert.equal(
          first !== undefined,
          theirs !== undefined,
          `${text}\nserver: ${theirs}\nours: ${first?.text}`,
        );
        // The server says the first of them.
        if (first !== undefined)
          assert.ok(theirs?.endsWith(`denied request: ${first.text}`), `${theirs}\n${first.text}`);
      }
    } finally {
      await cluster.admin.remove(`${at}ybindings/${name}`);
      await cluster.admin.remove(`${at}ies/${name}`);
    }
  });
});
