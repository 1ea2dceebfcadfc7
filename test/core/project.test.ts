import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { projectSchema } from '../../core/contract/projects.ts';
import { kubeObjectSchema } from '../../core/model/object.ts';
import { membershipOf, objectsOutside, whyObjectOutside } from '../../core/project.ts';
import { readYaml } from '../../core/yaml/read-yaml.ts';

const shop = projectSchema.parse({
  name: 'shop',
  repositories: ['shop-*'],
  clusters: ['dev', 'prod-*'],
  namespaces: ['shop', 'shop-*'],
  kinds: ['ConfigMap', 'apps/*'],
  clusterKinds: ['Namespace', 'example.com/*'],
});
const config = {
  projects: [shop],
  repositories: [{ name: 'shop-web', project: 'shop' }, { name: 'shop-api' }, { name: 'infra' }],
};

describe('membershipOf', () => {
  const cases: readonly (readonly [wanted: string | undefined, repository: string, says: string])[] = [
    [undefined, 'infra', 'default, unbounded'],
    ['default', 'infra', 'default, unbounded'],
    [undefined, 'shop-web', 'shop, bounded'],
    ['shop', 'shop-api', 'shop, bounded'],
    [
      'default',
      'shop-web',
      'repository shop-web is bound to project shop: its applications cannot be in default',
    ],
    [
      'shop',
      'infra',
      'project shop does not allow repository infra (its repositories in the stack configuration: shop-*)',
    ],
    ['shoq', 'infra', 'project "shoq" is not in the stack configuration; known projects: default, shop'],
  ];
  for (const [wanted, repository, says] of cases) {
    it(`of ${wanted ?? 'none'} in ${repository}: ${says}`, () => {
      const membership = membershipOf(wanted, repository, config);
      const told =
        membership.kind === 'refused'
          ? membership.why
          : `${membership.name}, ${membership.rules === undefined ? 'unbounded' : 'bounded'}`;
      assert.equal(told, says);
    });
  }

  it('bounds the default project where it is configured', () => {
    const projects = [{ ...shop, name: 'default', repositories: ['*'] }];
    const membership = membershipOf(undefined, 'infra', { ...config, projects });
    assert.equal(membership.kind === 'member' && membership.rules?.name, 'default');
  });
});

/** One object, whether the cluster says that it is namespaced, and what is said of it. */
const objects: readonly (readonly [
  yaml: string,
  namespaced: boolean | undefined,
  says: RegExp | undefined,
])[] = [
  ['apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}', undefined, undefined],
  ['apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop-eu}', undefined, undefined],
  [
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: kube-system}',
    undefined,
    /does not allow namespace kube-system \(its namespaces .*: shop, shop-\*\)/,
  ],
  ['apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}', undefined, undefined],
  [
    'apiVersion: v1\nkind: Secret\nmetadata: {name: a}',
    undefined,
    /does not allow kind Secret \(its kinds .*: ConfigMap, apps\/\*\)/,
  ],
  [
    'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}',
    undefined,
    /cluster-scoped kind rbac\.authorization\.k8s\.io\/ClusterRole \(its clusterKinds /,
  ],
  ['apiVersion: v1\nkind: Namespace\nmetadata: {name: shop-eu}', undefined, undefined],
  [
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}',
    undefined,
    /does not allow namespace kube-system/,
  ],
  // Of a kind that nobody knows before a cluster is asked, either list will do; then the one of its scope counts.
  ['apiVersion: example.com/v1\nkind: Boat\nmetadata: {name: a}', undefined, undefined],
  ['apiVersion: example.com/v1\nkind: Boat\nmetadata: {name: a}', false, undefined],
  [
    'apiVersion: example.com/v1\nkind: Boat\nmetadata: {name: a}',
    true,
    /does not allow kind example\.com\/Boat/,
  ],
  [
    'apiVersion: acme.io/v1\nkind: Boat\nmetadata: {name: a}',
    undefined,
    /does not allow kind acme\.io\/Boat/,
  ],
];

describe('whyObjectOutside', () => {
  for (const [yaml, namespaced, says] of objects) {
    it(`says ${says ?? 'nothing'} of ${yaml.replaceAll('\n', ', ')}, namespaced: ${namespaced ?? 'not known'}`, () => {
      const [document] = readYaml('x.yaml', yaml);
      const object = kubeObjectSchema.parse(document?.value);
      const why = whyObjectOutside(shop, { object, ...(namespaced !== undefined && { namespaced }) }, 'shop');
      if (says === undefined) assert.equal(why, undefined);
      else assert.match(why ?? '', says);
    });
  }

  it('takes the word of a definition in the same set, and tells file and line', () => {
    const text = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.example.com}
spec: {group: example.com, scope: Namespaced, names: {kind: Boat}, versions: []}
---
apiVersion: example.com/v1
kind: Boat
metadata: {name: a}
`;
    const all = readYaml('x.yaml', text).map(({ value }) => kubeObjectSchema.parse(value));
    const origins = { 'example.com/Boat//a': 'boats.yaml:7' };
    const outside = objectsOutside(shop, all, { namespace: 'shop', origins });
    const told = outside.map(({ subject, message }) => `${subject}: ${message}`);
    assert.match(
      told[0] ?? '',
      /^CustomResourceDefinition boats\.example\.com: project shop does not allow cluster-scoped/,
    );
    assert.match(told[1] ?? '', /^boats\.yaml:7: Boat\.example\.com a: project shop does not allow kind/);
  });
});
