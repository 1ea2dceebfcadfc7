import { hasCluster, type ClusterSelector } from '../model/cluster-selector.ts';
import { groupOf, type KubeObject } from '../model/object.ts';
import type { MatchResources, ResourceRule } from './admission-policy.ts';

/** A request that an API server would put to its policies. */
export interface Admitted {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  /** As it will be; of one that is deleted, as it was. */
  readonly object: KubeObject;
  /** Plural name of the kind. */
  readonly resource: string;
  /** Undefined for an object in no namespace, and for one whose Namespace is not among the objects. */
  readonly namespace: KubeObject | undefined;
}

/** Names of a Namespace that every one has as a label. */
const namespaceLabel = 'kubernetes.io/metadata.name';

/** `unknown`: it depends on labels of a Namespace that is not here. */
export type Matched = 'yes' | 'no' | 'unknown';

/** Whether a policy, or a binding, is for a request. */
export function matchesResources(wanted: MatchResources, admitted: Admitted): Matched {
  const { resourceRules, excludeResourceRules, matchPolicy, objectSelector, namespaceSelector } = wanted;
  const fits = (rule: ResourceRule) => fitsRule(rule, admitted, matchPolicy);
  // A binding that names no rules is for all that its policy is for.
  if (resourceRules.length > 0 && !resourceRules.some(fits)) return 'no';
  if (excludeResourceRules.some(fits)) return 'no';
  const labels = admitted.object.metadata.labels ?? {};
  if (!hasLabels(objectSelector, labels)) return 'no';
  return matchesNamespace(namespaceSelector, admitted);
}

function fitsRule(
  rule: ResourceRule,
  { operation, object, resource }: Admitted,
  policy: 'Equivalent' | 'Exact',
) {
  const { name, namespace } = object.metadata;
  const version = object.apiVersion.slice(object.apiVersion.indexOf('/') + 1);
  return (
    has(rule.apiGroups, groupOf(object.apiVersion)) &&
    // Equivalent: a request for another version of the same kind is converted, and asked about.
    (policy === 'Equivalent' || has(rule.apiVersions, version)) &&
    has(rule.operations, operation) &&
    (has(rule.resources, resource) ||
      rule.resources.includes('*/*') ||
      rule.resources.includes(`${resource}/*`)) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(name)) &&
    (rule.scope === '*' || (rule.scope === 'Namespaced') === (namespace !== undefined))
  );
}

function has(list: readonly string[], wanted: string): boolean {
  return list.includes('*') || list.includes(wanted);
}

function matchesNamespace(
  selector: MatchResources['namespaceSelector'],
  { object, namespace }: Admitted,
): Matched {
  const isNamespace = object.kind === 'Namespace' && object.apiVersion === 'v1';
  const name = isNamespace ? object.metadata.name : object.metadata.namespace;
  // What is in no namespace is never left out by this.
  if (name === undefined) return 'yes';
  const found = isNamespace ? object : namespace;
  const labels = { ...found?.metadata.labels, [namespaceLabel]: name };
  const keys = [
    ...Object.keys(selector.matchLabels ?? {}),
    ...(selector.matchExpressions ?? []).map(({ key }) => key),
  ];
  if (found === undefined && keys.some((key) => key !== namespaceLabel)) return 'unknown';
  return hasLabels(selector, labels) ? 'yes' : 'no';
}

/** Whether labels fit a selector of Kubernetes; an empty one fits all. */
export function hasLabels(
  selector: NonNullable<ClusterSelector['selector']>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return hasCluster({ selector }, undefined, (key) => (Object.hasOwn(labels, key) ? labels[key] : undefined));
}

/** The plural of a kind as Kubernetes' own are built; that of a custom kind its definition says. */
export function pluralOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (lower.endsWith('endpoints')) return lower;
  if (/(?:s|x|z|ch|sh)$/.test(lower)) return `${lower}es`;
  return /[^aeiou]y$/.test(lower) ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}
