import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyRuleSchema } from '../../../core/model/policy-rule.ts';
import { judgeRules } from '../../../core/policies/judge-rules.ts';
import { checkRules } from '../../../core/policies/read-policies.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';
import { manifests } from './manifests.ts';

const rules = readYaml(
  'rules.yaml',
  `
- name: images
  match: [{group: apps}, {kind: Pod}]
  expression: object.spec.?template.?spec.orValue(object.spec).containers.all(c, c.image.matches('^registry[.]acme[.]example/'))
  message: take images from registry.acme.example
- name: replicas
  match: [{kind: Deployment, namespace: 'shop-*'}]
  clusters: {selector: {matchLabels: {stage: prod}}}
  expression: object.spec.replicas >= 2
  message: needs two replicas
  severity: warn
- name: no-shrink
  match: [{kind: PersistentVolumeClaim}]
  expression: oldObject == null || !quantity(object.spec.size).isLessThan(quantity(oldObject.spec.size))
  message: cannot shrink
`,
).flatMap(({ value }) => policyRuleSchema.array().parse(value));

const [prod, dev] = [
  { name: 'prod', labels: { stage: 'prod' } },
  { name: 'dev', labels: {} },
];
const deployment = (image: string, spec = 'replicas: 2') =>
  `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop-a}, spec: {${spec}, template: {spec: {containers: [{image: ${image}}]}}}}`;
const claim = (size: string) =>
  `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {size: ${size}}}`;
const good = 'registry.acme.example/web:1';

const cases: Readonly<
  Record<
    string,
    readonly [object: string, says: readonly string[], cluster?: typeof prod | typeof dev, before?: string]
  >
> = {
  'what keeps to all': [deployment(good), []],
  'an image of others': [deployment('nginx:1'), ['error images: take images from registry.acme.example']],
  'a Pod': [
    '{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{image: nginx}]}}',
    ['error images: take images from registry.acme.example'],
  ],
  'one replica in production': [deployment(good, 'replicas: 1'), ['warn replicas: needs two replicas']],
  'one replica elsewhere': [deployment(good, 'replicas: 1'), [], dev],
  'one in another namespace': [deployment(good, 'replicas: 1').replace('shop-a', 'web'), []],
  'no replicas at all': [
    deployment(good, 'paused: true'),
    ['warn replicas: needs two replicas (object.spec.replicas >= 2: No such key: replicas)'],
  ],
  'a claim that is new': [claim('1Gi'), []],
  'a claim that shrinks': [claim('900Mi'), ['error no-shrink: cannot shrink'], prod, claim('1Gi')],
};

for (const [name, [yaml, says, cluster = prod, before]] of Object.entries(cases)) {
  test(name, () => {
    const [object] = manifests(yaml);
    const [old] = before === undefined ? [] : manifests(before);
    const found = judgeRules({ object, before: old }, rules, cluster);
    assert.deepEqual(
      found.map(({ severity, policy, text }) => `${severity} ${policy}: ${text}`),
      says,
    );
  });
}

test('a rule that is no CEL is named before anything is judged', () => {
  const broken = policyRuleSchema.array().parse([
    { name: 'a', expression: 'object.', message: 'm' },
    { name: 'b', expression: '1 +', message: 'm' },
  ]);
  assert.throws(
    () => checkRules(broken),
    (error: Error & { faults?: readonly unknown[] }) => {
      assert.match(error.message, /^policy a: is no CEL expression/);
      return error.faults?.length === 2;
    },
  );
  checkRules(rules);
  const [object] = manifests(deployment(good));
  const [first] = judgeRules({ object }, broken, prod);
  assert.match(first?.text ?? '', /^m \(the rule: is no CEL expression/);
});
