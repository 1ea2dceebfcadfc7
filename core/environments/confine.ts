import { annotations } from '../contract/kubernetes.ts';
import { Stop, type Fault } from '../errors.ts';
import { isKnownClusterScoped } from '../model/cluster-scoped-kinds.ts';
import { isJsonObject, type Json } from '../model/json.ts';
import { describeRef, groupOf, refKey, refOf, type KubeObject } from '../model/object.ts';
import type { SopsFiles } from '../model/sops.ts';

interface Placed {
  readonly objects: readonly KubeObject[];
  readonly origins: { readonly [objectKey: string]: string };
  readonly sops?: SopsFiles;
}

/** Where an environment is, and what it may have beside its namespace. */
export interface Confines {
  /** Of the application that it is made of: what names this one goes to its own. */
  readonly from: string;
  readonly namespace: string;
  readonly clusterKinds: readonly string[];
}

/**
 * The objects of an environment, all in its own namespace, which comes with them. Throws Stop with every object that
 * would be elsewhere. Scopes of kinds that are not Kubernetes' own are known where the cluster is: a run asks again.
 */
export function confine<R extends Placed>(rendered: R, confines: Confines): R {
  const faults: Fault[] = [];
  const origins: Record<string, string> = {};
  const sops: Record<string, SopsFiles[string]> = {};
  const namespaces: KubeObject[] = [];
  const objects = rendered.objects.flatMap((object) => {
    const before = refKey(refOf(object));
    const origin = rendered.origins[before];
    const why = whyOutside(object, confines);
    if (why !== undefined) {
      const name = describeRef(refOf(object));
      faults.push({ subject: origin ?? name, message: origin === undefined ? why : `${name}: ${why}` });
      return [];
    }
    if (isNamespace(object)) {
      namespaces.push(object);
      return [];
    }
    const moved = inside(object, confines);
    const key = refKey(refOf(moved));
    if (origin !== undefined) origins[key] = origin;
    const file = rendered.sops?.[before];
    if (file !== undefined) sops[key] = file;
    return [moved];
  });
  const [first] = faults;
  if (first !== undefined) throw new Stop(first, faults);
  const own = namespaceOf(confines.namespace, namespaces);
  return {
    ...rendered,
    objects: [own, ...objects],
    origins,
    ...(rendered.sops !== undefined && { sops }),
  };
}

function whyOutside(object: KubeObject, { from, namespace, clusterKinds }: Confines): string | undefined {
  const { name, namespace: home = namespace } = object.metadata;
  if (isNamespace(object)) {
    return name === from || name === namespace
      ? undefined
      : `a preview environment has one namespace, ${namespace}, and no other`;
  }
  const kind = kindOf(object);
  if (isKnownClusterScoped(kind)) return clusterKinds.includes(kind) ? undefined : whyClusterScoped(kind);
  return home === from || home === namespace
    ? undefined
    : `a preview environment is in its own namespace ${namespace}, and this is in ${home}`;
}

/** Also told by a run, of kinds whose scope only the cluster knows. */
export function whyClusterScoped(kind: string): string {
  return `${kind} is cluster-scoped, and previewEnvironments.clusterKinds does not have it`;
}

/** `GROUP/KIND`; of the core group the kind alone. */
function kindOf({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): string {
  const group = groupOf(apiVersion);
  return group === '' ? kind : `${group}/${kind}`;
}

function isNamespace(object: KubeObject): boolean {
  return kindOf(object) === 'Namespace';
}

/** Nothing of an environment takes over what exists, or outlives it: whoever wrote it was asked by nobody. */
function inside(object: KubeObject, { from, namespace }: Confines): KubeObject {
  const { namespace: home, annotations: given, ...metadata } = object.metadata;
  const kept = without(given, [annotations.adopt, annotations.prune]);
  return {
    ...object,
    ...(object['subjects'] !== undefined && { subjects: movedSubjects(object['subjects'], from, namespace) }),
    metadata: {
      ...metadata,
      name: object.metadata.name,
      ...(home !== undefined && { namespace }),
      ...(kept !== undefined && { annotations: kept }),
    },
  };
}

/** Service accounts of the application, which are in the environment now. */
function movedSubjects(subjects: Json, from: string, namespace: string): Json {
  if (!Array.isArray(subjects)) return subjects;
  return subjects.map((one: Json) =>
    isJsonObject(one) && one['namespace'] === from ? { ...one, namespace } : one,
  );
}

/** What an annotation of ours would say of the namespace, the environment itself decides. */
const ours = [
  annotations.adopt,
  annotations.prune,
  annotations.hook,
  annotations.hookDelete,
  annotations.wave,
];

/** The namespace of the environment, labelled as the one that the application brings, if it does. */
function namespaceOf(name: string, given: readonly KubeObject[]): KubeObject {
  const labels = Object.fromEntries(given.flatMap(({ metadata }) => Object.entries(metadata.labels ?? {})));
  const noted = Object.fromEntries(
    given.flatMap(({ metadata }) => Object.entries(without(metadata.annotations, ours) ?? {})),
  );
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(noted).length > 0 && { annotations: noted }),
    },
  };
}

function without(
  given: Readonly<Record<string, string>> | undefined,
  names: readonly string[],
): Record<string, string> | undefined {
  if (given === undefined) return undefined;
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name)));
}
