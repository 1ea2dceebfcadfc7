import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readKubernetesSchemas } from '../../../adapters/kubernetes-schemas.ts';
import { admissionPolicies } from '../../../core/policies/admission-policy.ts';
import { judgePolicies } from '../../../core/policies/judge-objects.ts';
import { manifests } from './manifests.ts';

const schemas = await readKubernetesSchemas();

const rules = (extra = '') =>
  `matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]${extra}}`;
const policy = (spec: string, match = rules()) => `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  ${match}
  ${spec}
---
`;
const binding = (spec = 'validationActions: [Deny]') => `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: b}
spec: {policyName: p, ${spec}}
---
`;
const atMost5 = `validations: [{expression: object.spec.replicas <= 5, message: too many}]`;
const deployment = (replicas: number | undefined, metadata = '') =>
  `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop${metadata}}, spec: {${replicas === undefined ? '' : `replicas: ${replicas}`}}}`;
const shop = '---\n{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: red}}}\n';

interface Case {
  readonly policies: string;
  readonly before?: string;
  /** Absent: deleted. */
  readonly object?: string;
  readonly among?: string;
  readonly says: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  'an object that keeps to it': { policies: policy(atMost5) + binding(), object: deployment(5), says: [] },
  'one that does not': {
    policies: policy(atMost5) + binding(),
    object: deployment(6),
    says: ['error p: too many'],
  },
  'a policy without a binding': { policies: policy(atMost5), object: deployment(6), says: [] },
  'a binding that warns': {
    policies: policy(atMost5) + binding('validationActions: [Warn, Audit]'),
    object: deployment(6),
    says: ['warn p: too many'],
  },
  'another kind': {
    policies: policy(atMost5) + binding(),
    object: '{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: web}, spec: {replicas: 6}}',
    says: [],
  },
  'what only updates are asked': {
    policies:
      policy(
        'validations: [{expression: object.spec.replicas >= oldObject.spec.replicas}]',
        rules().replace('CREATE, ', ''),
      ) + binding(),
    before: deployment(3),
    object: deployment(2),
    says: ['error p: fails object.spec.replicas >= oldObject.spec.replicas'],
  },
  'the same of a new object': {
    policies:
      policy(
        'validations: [{expression: object.spec.replicas >= oldObject.spec.replicas}]',
        rules().replace('CREATE, ', ''),
      ) + binding(),
    object: deployment(2),
    says: [],
  },
  'what is deleted': {
    policies:
      policy(
        'validations: [{expression: "!(\'keep\' in oldObject.metadata.labels)", message: is to be kept}]',
        rules().replace('CREATE, UPDATE', 'DELETE'),
      ) + binding(),
    before: deployment(2, ', labels: {keep: ""}'),
    says: ['error p: is to be kept'],
  },
  'variables, and a message of its own': {
    policies:
      policy(`variables:
    - {name: names, expression: 'object.metadata.labels.map(k, k)'}
    - {name: bad, expression: "variables.names.filter(n, !n.startsWith('acme/'))"}
  validations:
    - {expression: size(variables.bad) == 0, messageExpression: "'labels of others: ' + variables.bad.join(', ')"}`) +
      binding(),
    object: deployment(1, ', labels: {acme/a: "1", b: "1"}'),
    says: ['error p: labels of others: b'],
  },
  'a condition that leaves it out': {
    policies:
      policy(`matchConditions: [{name: others, expression: object.metadata.name != 'web'}]\n  ${atMost5}`) +
      binding(),
    object: deployment(6),
    says: [],
  },
  'labels of the object': {
    policies: policy(atMost5, rules(', objectSelector: {matchLabels: {tier: front}}')) + binding(),
    object: deployment(6),
    says: [],
  },
  'labels of its Namespace': {
    policies:
      policy(
        atMost5,
        rules(', namespaceSelector: {matchExpressions: [{key: team, operator: NotIn, values: [red]}]}'),
      ) + binding(),
    object: deployment(6),
    among: shop,
    says: [],
  },
  'labels of a Namespace that is not here': {
    policies: policy(atMost5, rules(', namespaceSelector: {matchLabels: {team: red}}')) + binding(),
    object: deployment(6),
    says: ['warn p: could not be judged: labels of Namespace shop, which is not in this commit'],
  },
  'the name of a Namespace that is not here': {
    policies:
      policy(atMost5, rules(', namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}')) +
      binding(),
    object: deployment(6),
    says: ['error p: too many'],
  },
  'what a binding narrows': {
    policies:
      policy(atMost5) +
      binding('validationActions: [Deny], matchResources: {objectSelector: {matchLabels: {tier: front}}}'),
    object: deployment(6),
    says: [],
  },
  'what is excluded': {
    policies:
      policy(
        atMost5,
        rules(
          ', excludeResourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: [deployments], resourceNames: [web]}]',
        ),
      ) + binding(),
    object: deployment(6),
    says: [],
  },
  'a parameter that is here': {
    policies:
      policy(
        `paramKind: {apiVersion: v1, kind: ConfigMap}\n  validations: [{expression: object.spec.replicas <= int(params.data.most), message: too many}]`,
      ) + binding('validationActions: [Deny], paramRef: {name: limits, parameterNotFoundAction: Deny}'),
    object: deployment(6),
    among:
      '---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: limits, namespace: shop}, data: {most: "5"}}\n',
    says: ['error p: too many'],
  },
  'one that is not': {
    policies:
      policy(`paramKind: {apiVersion: v1, kind: ConfigMap}\n  ${atMost5}`) +
      binding('validationActions: [Deny], paramRef: {name: limits}'),
    object: deployment(6),
    says: ['warn p: could not be judged: its parameters are not in this commit'],
  },
  'what the server fills in': {
    policies: policy(atMost5) + binding(),
    object: deployment(undefined),
    says: ['warn p: could not be judged: object.spec.replicas <= 5: No such key: replicas'],
  },
  'who asks': {
    policies:
      policy("validations: [{expression: authorizer.group('').resource('pods').check('get').allowed()}]") +
      binding(),
    object: deployment(1),
    says: [
      "warn p: could not be judged: authorizer.group('').resource('pods').check('get').allowed(): found no matching overload for 'dyn.group(string)'",
    ],
  },
  'the Namespace itself': {
    policies:
      policy(
        `validations: [{expression: "namespaceObject.metadata.labels['team'] == 'blue'", message: is not for this team}]`,
      ) + binding(),
    object: deployment(1),
    among: shop,
    says: ['error p: is not for this team'],
  },
};

for (const [name, { policies, before, object, among = '', says }] of Object.entries(cases)) {
  test(name, () => {
    const one = (yaml: string | undefined) => (yaml === undefined ? undefined : manifests(yaml)[0]);
    const found = judgePolicies([{ object: one(object), before: one(before) }], {
      cluster: { name: 'prod', labels: {} },
      rules: [],
      policies: admissionPolicies(manifests(policies)),
      schemas,
      among: manifests(among),
    });
    assert.deepEqual(
      found.map(({ severity, policy: of, text }) => `${severity} ${of}: ${text}`),
      says,
    );
  });
}

test('a policy that no API server would take is refused, with all that is wrong', () => {
  const broken = policy('validations: [{expression: "object..a"}, {expression: "("}]');
  assert.throws(
    () => admissionPolicies(manifests(broken)),
    /ValidatingAdmissionPolicy p: is no CEL expression/,
  );
  const shapeless = manifests(policy('validations: 3'));
  assert.throws(() => admissionPolicies(shapeless), /ValidatingAdmissionPolicy p: spec\.validations: /);
});
