import { labels } from '../contract/kubernetes.ts';
import { describeRef, groupOf, refKey, refOf } from '../model/object.ts';
import type { KubeObject, ObjectRef } from '../model/object.ts';
import type { PlannedAction } from '../model/plan.ts';
import type { SecretReference, SecretVersions } from '../model/secret-reference.ts';
import type { ApiResource, ObjectAddress } from '../ports.ts';
import { definedKinds } from './defined-kinds.ts';

/** An object as Git wants it, secrets in the clear, with the digest that never shows them. */
export interface DesiredObject {
  readonly object: KubeObject;
  readonly digest: string;
  /** By key of `data`; nothing is applied or compared before their values are in their place. */
  readonly references?: readonly { readonly key: string; readonly reference: SecretReference }[];
  /** Of the values that are in the place of references. */
  readonly versions?: SecretVersions;
}

/** A desired object with its place on this cluster: namespace settled, label on, address known. */
export interface ResolvedObject extends DesiredObject {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly address: ObjectAddress;
  /** What was changed to make it fit, for the plan. */
  readonly note?: string;
}

export interface Resolution {
  readonly objects: readonly ResolvedObject[];
  /** Objects of kinds that this cluster does not serve. */
  readonly blocked: readonly PlannedAction[];
  /** Set when two objects turn out to be one and the same. */
  readonly refusal?: string;
}

export interface DesiredState {
  readonly application: string;
  /** For namespaced objects that name none. */
  readonly namespace: string;
  readonly objects: readonly DesiredObject[];
  /** Object key as rendered to file and line. */
  readonly origins: Readonly<Record<string, string>>;
}

/**
 * Finds each object's scope and address among the kinds that the cluster serves and those that CustomResourceDefinitions
 * of the same set will add. Only here is known which objects are namespaced.
 */
export function resolveDesired(desired: DesiredState, served: readonly ApiResource[]): Resolution {
  const resources = [...served, ...desired.objects.flatMap(({ object }) => definedKinds(object))];
  const objects = new Map<string, { readonly wanted: DesiredObject; readonly resolved: ResolvedObject }>();
  const blocked: PlannedAction[] = [];
  const twice: string[] = [];
  for (const wanted of desired.objects) {
    const resource = findResource(resources, wanted.object);
    if (resource === undefined) {
      const ref = refOf(wanted.object);
      blocked.push({ action: 'blocked', ref, why: unservedText(resources, wanted.object) });
      continue;
    }
    const resolved = place(wanted, resource, desired);
    const other = objects.get(resolved.key);
    if (other === undefined) objects.set(resolved.key, { wanted, resolved });
    else {
      const origins = [other.wanted, wanted].map(originIn(desired));
      twice.push(`${describeRef(resolved.ref)} (${origins.join(' and ')})`);
    }
  }
  const found = { objects: [...objects.values()].map(({ resolved }) => resolved), blocked };
  if (twice.length === 0) return found;
  return { ...found, refusal: `the same object is desired twice: ${twice.join('; ')}; remove one of each` };
}

function findResource(resources: readonly ApiResource[], object: KubeObject): ApiResource | undefined {
  return resources.find(
    ({ group, version, kind }) =>
      kind === object.kind && object.apiVersion === (group === '' ? version : `${group}/${version}`),
  );
}

function place(
  { object, digest, references }: DesiredObject,
  { plural, namespaced }: ApiResource,
  { application, namespace }: DesiredState,
): ResolvedObject {
  const { namespace: given, ...metadata } = object.metadata;
  const home = namespaced ? (given ?? namespace) : undefined;
  const placed: KubeObject = {
    ...object,
    metadata: {
      ...metadata,
      name: metadata.name,
      ...(home !== undefined && { namespace: home }),
      labels: { ...metadata.labels, [labels.application]: application },
    },
  };
  const ref = refOf(placed);
  const address = { apiVersion: object.apiVersion, plural, namespace: home, name: metadata.name };
  const dropped = !namespaced && given !== undefined;
  return {
    object: placed,
    digest,
    key: refKey(ref),
    ref,
    address,
    ...(references && { references }),
    ...(dropped && { note: `its namespace ${given} was left out: ${object.kind} is cluster-scoped` }),
  };
}

function unservedText(resources: readonly ApiResource[], { apiVersion, kind }: KubeObject): string {
  const sameKind = resources.filter((resource) => resource.kind === kind);
  const near = sameKind.filter(({ group }) => group === groupOf(apiVersion));
  const others = (near.length > 0 ? near : sameKind).map(({ group, version }) =>
    group === '' ? version : `${group}/${version}`,
  );
  const advice =
    others.length > 0
      ? `it serves ${kind} as ${[...new Set(others)].join(', ')}: change apiVersion`
      : 'install its CustomResourceDefinition first, or add it to this application';
  return `the cluster does not serve ${apiVersion} ${kind}; ${advice}`;
}

/** File and line where the renderer knows them. */
function originIn({ origins }: DesiredState) {
  return ({ object }: DesiredObject): string => {
    const named = object.metadata.namespace === undefined ? 'one without a namespace' : 'one with it';
    return origins[refKey(refOf(object))] ?? named;
  };
}
