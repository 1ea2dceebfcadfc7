import { isJsonObject, type Json } from '../model/json.ts';
import { groupOf, type KubeObject } from '../model/object.ts';
import type { ApiResource } from '../ports.ts';

const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

/** Kinds that a CustomResourceDefinition will add once the server has established it; none for other objects. */
export function definedKinds(object: KubeObject): readonly ApiResource[] {
  if (object.kind !== 'CustomResourceDefinition' || groupOf(object.apiVersion) !== 'apiextensions.k8s.io') {
    return [];
  }
  const spec = membersOf(object['spec']);
  const names = membersOf(spec['names']);
  const versions = Array.isArray(spec['versions']) ? spec['versions'].map(membersOf) : [];
  const { group } = spec;
  const { kind, plural } = names;
  if (typeof group !== 'string' || typeof kind !== 'string' || typeof plural !== 'string') return [];
  return versions.flatMap(({ name, served }) =>
    typeof name === 'string' && served === true
      ? [{ group, version: name, kind, plural, namespaced: spec['scope'] === 'Namespaced', verbs }]
      : [],
  );
}

function membersOf(value: Json | undefined): { readonly [key: string]: Json } {
  return isJsonObject(value) ? value : {};
}
