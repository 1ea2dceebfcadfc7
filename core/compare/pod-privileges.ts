import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import type { KubeObject } from '../model/object.ts';
import { podSpecs } from './pod-specs.ts';

/** What a Pod may do beyond its container, in words: of the object itself, or of the Pods that it makes. */
export function podPrivileges(object: KubeObject): ReadonlySet<string> {
  const found = new Set<string>();
  for (const spec of podSpecs(object)) {
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) if (spec[field] === true) found.add(field);
    for (const volume of listOf(spec['volumes'])) {
      const hostPath = isJsonObject(volume['hostPath']) ? volume['hostPath']['path'] : undefined;
      if (typeof hostPath === 'string') found.add(`the host's ${hostPath}`);
    }
    const account = spec['serviceAccountName'];
    if (typeof account === 'string' && account !== 'default') found.add(`service account ${account}`);
    const containers = ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) =>
      listOf(spec[list]),
    );
    for (const container of [spec, ...containers]) {
      for (const privilege of contextOf(container['securityContext'])) found.add(privilege);
    }
  }
  return found;
}

function contextOf(context: Json | undefined): readonly string[] {
  if (!isJsonObject(context)) return [];
  const { capabilities } = context;
  const added = isJsonObject(capabilities) && Array.isArray(capabilities['add']) ? capabilities['add'] : [];
  return [
    ...(context['privileged'] === true ? ['privileged'] : []),
    ...(context['allowPrivilegeEscalation'] === true ? ['allowPrivilegeEscalation'] : []),
    ...(context['runAsUser'] === 0 ? ['runs as root'] : []),
    ...added.map((name) => `capability ${String(name)}`),
  ];
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  const items: readonly Json[] = Array.isArray(value) ? value : [];
  return items.filter(isJsonObject);
}
