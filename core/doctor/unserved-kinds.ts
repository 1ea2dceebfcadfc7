import type { Capabilities } from '../model/facts.ts';
import { isJsonObject } from '../model/json.ts';
import type { KubeObject } from '../model/object.ts';

/** `group/version/Kind` of what is desired and neither served nor defined by the same objects, sorted. */
export function unservedKinds(
  objects: readonly KubeObject[],
  { apiVersions }: Pick<Capabilities, 'apiVersions'>,
): readonly string[] {
  const served = new Set(apiVersions);
  const defined = new Set(objects.flatMap(definedBy));
  const wanted = new Set(objects.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`));
  return [...wanted].filter((kind) => !served.has(kind) && !defined.has(kind)).sort();
}

function definedBy({ kind, spec }: KubeObject): readonly string[] {
  if (kind !== 'CustomResourceDefinition' || !isJsonObject(spec)) return [];
  const { group, names, versions } = spec;
  if (typeof group !== 'string' || !isJsonObject(names) || !Array.isArray(versions)) return [];
  const { kind: defined } = names;
  return versions.flatMap((version) =>
    isJsonObject(version) && typeof version['name'] === 'string' && typeof defined === 'string'
      ? [`${group}/${version['name']}/${defined}`]
      : [],
  );
}
