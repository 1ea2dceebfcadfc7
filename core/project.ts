import type { StackConfig } from './contract/config.ts';
import { defaultProject, type Project } from './contract/projects.ts';
import type { Fault } from './errors.ts';
import { isKnownClusterScoped } from './model/cluster-scoped-kinds.ts';
import { isJsonObject } from './model/json.ts';
import { describeRef, groupOf, refKey, refOf, type KubeObject } from './model/object.ts';
import { matchesWildcard } from './model/wildcard.ts';

type ProjectConfig = Pick<StackConfig, 'projects'> & {
  readonly repositories: readonly { readonly name: string; readonly project?: string | undefined }[];
};

/** The project that an application of a repository is in. Its `rules` are absent where it is not bounded at all. */
export type Membership =
  | { readonly kind: 'member'; readonly name: string; readonly rules: Project | undefined }
  | { readonly kind: 'refused'; readonly why: string };

/** `wanted`: what the Application names, if anything. */
export function membershipOf(
  wanted: string | undefined,
  repository: string,
  { projects, repositories }: ProjectConfig,
): Membership {
  const bound = repositories.find(({ name }) => name === repository)?.project;
  const name = wanted ?? bound ?? defaultProject;
  if (bound !== undefined && name !== bound) {
    const why = `repository ${repository} is bound to project ${bound}: its applications cannot be in ${name}`;
    return { kind: 'refused', why };
  }
  const rules = projects.find((project) => project.name === name);
  if (rules === undefined && name !== defaultProject) {
    const known = [defaultProject, ...projects.map((project) => project.name)];
    const why = `project "${name}" is not in the stack configuration; known projects: ${[...new Set(known)].join(', ')}`;
    return { kind: 'refused', why };
  }
  if (rules !== undefined && !allows(rules.repositories, repository)) {
    return { kind: 'refused', why: refusal(rules, 'repositories', `repository ${repository}`) };
  }
  return { kind: 'member', name, rules };
}

/** Lists of a project. */
type List = 'repositories' | 'clusters' | 'namespaces' | 'kinds' | 'clusterKinds';

/** Why something of this name is refused; undefined where a pattern of the list allows it. */
export function whyOutside(
  rules: Project,
  rule: Exclude<List, 'kinds' | 'clusterKinds'>,
  name: string,
): string | undefined {
  if (allows(rules[rule], name)) return undefined;
  return refusal(
    rules,
    rule,
    `${{ repositories: 'repository', clusters: 'cluster', namespaces: 'namespace' }[rule]} ${name}`,
  );
}

/** An object, and what is known of where it is. */
interface Placed {
  readonly object: KubeObject;
  /** Of a kind that a cluster told of; undefined: nobody has asked one yet. */
  readonly namespaced?: boolean;
}

/**
 * Why an object is not for the applications of a project; undefined where it may be. Where the scope of its kind is not
 * known, it is enough that either list has it: the plan knows, and asks again.
 */
export function whyObjectOutside(
  rules: Project,
  { object, namespaced }: Placed,
  namespace: string,
): string | undefined {
  const kind = kindOf(object);
  const isKnown =
    namespaced !== undefined || isKnownClusterScoped(kind) || object.metadata.namespace !== undefined;
  const isClusterScoped = namespaced === undefined ? isKnownClusterScoped(kind) : !namespaced;
  if (!isKnown && allows(rules.clusterKinds, kind)) return undefined;
  if (!isClusterScoped) {
    if (!allows(rules.kinds, kind)) return refusal(rules, 'kinds', `kind ${kind}`);
    return whyOutside(rules, 'namespaces', object.metadata.namespace ?? namespace);
  }
  if (!allows(rules.clusterKinds, kind)) return refusal(rules, 'clusterKinds', `cluster-scoped kind ${kind}`);
  // Who makes a Namespace sets its labels, which much else goes by.
  return kind === 'Namespace' ? whyOutside(rules, 'namespaces', object.metadata.name) : undefined;
}

/** Rendered objects that a project refuses, by file and line where these are known. */
export function objectsOutside(
  rules: Project,
  objects: readonly KubeObject[],
  { namespace, origins }: { readonly namespace: string; readonly origins: Readonly<Record<string, string>> },
): readonly Fault[] {
  // A definition of the same set says what its own kind is.
  const defined = new Map(objects.flatMap(scopeDefinedBy));
  return objects.flatMap((object) => {
    const namespaced = defined.get(kindOf(object));
    const why = whyObjectOutside(
      rules,
      { object, ...(namespaced !== undefined && { namespaced }) },
      namespace,
    );
    if (why === undefined) return [];
    const ref = refOf(object);
    const subject = origins[refKey(ref)] ?? describeRef(ref);
    return [{ subject, message: subject === describeRef(ref) ? why : `${describeRef(ref)}: ${why}` }];
  });
}

function scopeDefinedBy({ kind, spec }: KubeObject): readonly (readonly [string, boolean])[] {
  if (kind !== 'CustomResourceDefinition' || !isJsonObject(spec)) return [];
  const { group, names, scope } = spec;
  if (typeof group !== 'string' || !isJsonObject(names)) return [];
  const { kind: defined } = names;
  return typeof defined === 'string' ? [[`${group}/${defined}`, scope === 'Namespaced']] : [];
}

/** `GROUP/KIND`; of the core group the kind alone. */
function kindOf({ apiVersion, kind }: KubeObject): string {
  const group = groupOf(apiVersion);
  return group === '' ? kind : `${group}/${kind}`;
}

function allows(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matchesWildcard(text, pattern));
}

/** Names the rule, so that whoever may change it knows where. */
function refusal({ name, ...rules }: Project, rule: List, what: string): string {
  const listed = rules[rule].length === 0 ? 'none' : rules[rule].join(', ');
  return `project ${name} does not allow ${what} (its ${rule} in the stack configuration: ${listed})`;
}
