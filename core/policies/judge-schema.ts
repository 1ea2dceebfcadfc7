import { isJsonObject, type JsonObject } from '../model/json.ts';
import { membersOf, objectsOf, textOf } from '../model/json-parts.ts';
import { groupOf, refOf, type KubeObject } from '../model/object.ts';
import type { Finding } from './finding.ts';
import { definitionsAt, kindKey, minorOf, type KubernetesSchemas } from './kubernetes-schemas.ts';
import { validate } from './validate.ts';

/** What objects are held against besides policies. */
export interface SchemaWorld {
  /** Of the cluster: `v1.34.2-eks-a1b2c3d` or `1.34`. Absent: the newest that `schemas` has. */
  readonly kubernetesVersion?: string | undefined;
  readonly schemas: KubernetesSchemas;
  /** What the cluster serves, as its facts have it: `apps/v1/Deployment`. Absent: not known. */
  readonly served?: readonly string[] | undefined;
  /** All that the cluster will have of this commit, with its definitions. */
  readonly among: readonly KubeObject[];
}

/** Says of an object whether it is of a kind that there is, and as its schema wants it. */
export function schemaJudge(world: SchemaWorld): (object: KubeObject) => readonly Finding[] {
  const { schemas, kubernetesVersion } = world;
  const newest = minorOf(schemas.versions.at(-1)) ?? 0;
  const known = minorOf(kubernetesVersion);
  const minor = known ?? newest;
  const definitions = definitionsAt(schemas, Math.min(minor, newest));
  const defined = definedSchemas(world.among);
  const served = world.served && new Set(world.served);
  const builtIn = (key: string) => (Object.hasOwn(schemas.kinds, key) ? schemas.kinds[key] : undefined);
  // A newer server may have fields that are not known here.
  const ofBuiltIn = { source: `Kubernetes 1.${minor}`, severity: minor > newest ? 'warn' : 'error' } as const;
  const ofCustom = { source: 'its definition', severity: 'error' } as const;

  return (object) => {
    const ref = refOf(object);
    const key = kindKey(object);
    const life = judgeLife(key, minor, schemas);
    if (life?.kind === 'removed-api') {
      // Without the cluster's version nobody can say that it is gone there.
      return [{ ref, ...life, severity: known === undefined ? 'warn' : 'error' }];
    }
    const found: Finding[] = life === undefined ? [] : [{ ref, ...life }];
    const custom = defined.get(key);
    if (served?.has(key) === false && custom === undefined)
      found.push({ ref, ...unserved(object, kubernetesVersion) });
    const schema = custom ?? definitions(builtIn(key) ?? '');
    if (schema === undefined) return found;
    const { source, severity } = custom === undefined ? ofBuiltIn : ofCustom;
    const faults = validate(object, schema, definitions).map(({ path, text }): Finding => {
      const where = path === '' ? 'the object' : path;
      return { ref, kind: 'schema', severity, text: `${where} ${text} (${source})` };
    });
    return [...found, ...faults];
  };
}

/** What the published lifetime of the version of its API says; undefined where all is well. */
function judgeLife(
  key: string,
  minor: number,
  { lives }: KubernetesSchemas,
): Pick<Finding, 'kind' | 'severity' | 'text'> | undefined {
  const life = Object.hasOwn(lives, key) ? lives[key] : undefined;
  if (life === undefined) return undefined;
  const { deprecated, removed, instead } = life;
  const name = key.slice(0, key.lastIndexOf('/'));
  const use = instead === undefined ? '' : `; use ${instead}`;
  const isPast = (when: string | undefined) => when !== undefined && (minorOf(when) ?? Infinity) <= minor;
  if (isPast(removed)) {
    return {
      kind: 'removed-api',
      severity: 'error',
      text: `is of ${name}, which Kubernetes ${removed} removed${use}`,
    };
  }
  if (!isPast(deprecated)) return undefined;
  const until = removed === undefined ? '' : ` and goes with ${removed}`;
  const text = `is of ${name}, which is deprecated since Kubernetes ${deprecated}${until}${use}`;
  return { kind: 'deprecated-api', severity: 'warn', text };
}

function unserved({ apiVersion, kind }: KubeObject, version: string | undefined): Omit<Finding, 'ref'> {
  const at = version === undefined ? '' : ` (${version})`;
  const text = `is of ${apiVersion} ${kind}, which the cluster does not serve${at} and no definition of this commit adds`;
  // It may be on its way there, by another repository.
  return { kind: 'unknown-kind', severity: 'warn', text };
}

/** Name of the definition of all metadata. */
const metadata = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Schemas of the kinds that CustomResourceDefinitions among the objects have, by `group/version/Kind`. */
export function definedSchemas(objects: readonly KubeObject[]): ReadonlyMap<string, JsonObject> {
  return new Map(objects.flatMap(schemasOf));
}

function schemasOf(object: KubeObject): readonly (readonly [string, JsonObject])[] {
  const isDefinition =
    object.kind === 'CustomResourceDefinition' && groupOf(object.apiVersion) === 'apiextensions.k8s.io';
  if (!isDefinition) return [];
  const { group, names, versions } = membersOf(object['spec']);
  const kind = textOf(membersOf(names)['kind']);
  return objectsOf(versions).flatMap((version) => {
    const schema = membersOf(version['schema'])['openAPIV3Schema'];
    if (version['served'] === false || !isJsonObject(schema)) return [];
    return [[`${textOf(group)}/${textOf(version['name'])}/${kind}`, whole(schema)] as const];
  });
}

/** What every object has is in every schema, whether it names it or not; a status is nobody's to declare. */
function whole(schema: JsonObject): JsonObject {
  const { properties } = schema;
  if (!isJsonObject(properties)) return schema;
  const given = { apiVersion: {}, kind: {}, status: {}, metadata: { $ref: metadata } };
  return { ...schema, properties: { ...properties, ...given } };
}
