import { membersOf, textOf } from '../model/json-parts.ts';
import { groupOf, type KubeObject } from '../model/object.ts';
import type { PolicyRule } from '../model/policy-rule.ts';
import type { AdmissionPolicy } from './admission-policy.ts';
import type { Finding, JudgedObject } from './finding.ts';
import { judgeAdmission } from './judge-admission.ts';
import { judgeRules, type JudgedCluster } from './judge-rules.ts';
import { schemaJudge } from './judge-schema.ts';
import type { KubernetesSchemas } from './kubernetes-schemas.ts';
import { pluralOf } from './matches-resources.ts';

/** What the objects of a cluster are held against. */
export interface Judging {
  readonly cluster: JudgedCluster;
  /** Rules of the installation. */
  readonly rules: readonly PolicyRule[];
  readonly policies: readonly AdmissionPolicy[];
  readonly schemas: KubernetesSchemas;
  /** As the cluster's facts have it, `v1.34.2-eks-a1b2c3d`; absent: the newest that `schemas` has. */
  readonly kubernetesVersion?: string | undefined;
  /** What the cluster serves, as its facts have it; absent: not known. */
  readonly served?: readonly string[] | undefined;
  /** All that the cluster will have of this commit, and what policies may take as parameters: definitions, Namespaces. */
  readonly among: readonly KubeObject[];
}

/** What schemas and lifetimes of APIs say against objects that there will be. */
export function judgeSchemas(objects: readonly JudgedObject[], judging: Judging): readonly Finding[] {
  const judge = schemaJudge(judging);
  return objects.flatMap(({ object }) => (object === undefined ? [] : judge(object)));
}

/** What the rules of the installation and ValidatingAdmissionPolicies say against them. Asks nobody. */
export function judgePolicies(objects: readonly JudgedObject[], judging: Judging): readonly Finding[] {
  const { cluster, rules, policies, among } = judging;
  const plurals = new Map(among.flatMap(definedPlurals));
  const namespaces = new Map(
    among
      .filter(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'Namespace')
      .map((each) => [each.metadata.name, each]),
  );
  const world = {
    policies,
    parameters: among,
    resourceOf: ({ apiVersion, kind }: KubeObject) =>
      plurals.get(`${groupOf(apiVersion)}/${kind}`) ?? pluralOf(kind),
    namespaceOf: ({ metadata }: KubeObject) => namespaces.get(metadata.namespace ?? ''),
  };
  return objects.flatMap((judged) => [
    ...judgeRules(judged, rules, cluster),
    ...judgeAdmission(judged, world),
  ]);
}

function definedPlurals({ kind, ...object }: KubeObject): readonly (readonly [string, string])[] {
  if (kind !== 'CustomResourceDefinition') return [];
  const { group, names } = membersOf(object['spec']);
  const { kind: defined, plural } = membersOf(names);
  return typeof plural === 'string' ? [[`${textOf(group)}/${textOf(defined)}`, plural]] : [];
}
