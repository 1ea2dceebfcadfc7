import { Stop } from '../errors.ts';
import { jsonEqual } from '../model/json.ts';
import { refKey, refOf, type KubeObject } from '../model/object.ts';
import { admissionPolicies, isOfAdmission } from '../policies/admission-policy.ts';
import type { Finding, JudgedObject } from '../policies/finding.ts';
import { judgePolicies, judgeSchemas, type Judging } from '../policies/judge-objects.ts';
import { definedSchemas } from '../policies/judge-schema.ts';
import { kindKey, minorOf } from '../policies/kubernetes-schemas.ts';
import type { Rendering, Renderings } from './comparison.ts';
import { code, plural } from './markdown.ts';

/** What is known of a cluster that objects are judged for. */
export type JudgedFor = Pick<Judging, 'cluster' | 'kubernetesVersion' | 'served'>;

/** By what a change is judged. */
export interface JudgedBy extends Pick<Judging, 'rules' | 'schemas'> {
  /** Objects of the policy files, as `readPolicies` gives them, of each commit. */
  readonly policyFiles: { readonly base: readonly KubeObject[]; readonly head: readonly KubeObject[] };
  /** Whether policies of the head count. Not those of a stranger; a change never excuses itself: those of the base always do. */
  readonly isHeadTrusted: boolean;
  readonly clusterOf: (name: string) => JudgedFor;
}

/**
 * What is wrong with what a change makes of each target, by `CLUSTER/APPLICATION`: all that is wrong with objects that it
 * creates, changes or deletes, and of the others what was not wrong before.
 */
export function judgeRenderings(
  base: Renderings,
  head: Renderings,
  by: JudgedBy,
): ReadonlyMap<string, readonly Finding[]> {
  const findings = new Map<string, readonly Finding[]>();
  for (const cluster of new Set([...head.keys()].map(clusterIn))) {
    const [old, next] = [worldOf(cluster, base, by, 'base'), worldOf(cluster, head, by, 'head')];
    const before = new Map(old.among.map((object) => [refKey(refOf(object)), object]));
    const same = new Set(next.among.filter((object) => jsonEqual(object, before.get(refKey(refOf(object))))));
    const redefined = definedSchemas(next.among.filter((object) => !same.has(object)));
    // What another application has now did not go.
    const kept = new Set(next.among.map((object) => refKey(refOf(object))));
    for (const [key, rendering] of head) {
      if (clusterIn(key) !== cluster || rendering.kind !== 'rendered') continue;
      const objects = [...changesOf(rendering, before), ...deletions(base.get(key), rendering, kept)];
      // A schema says the same of the same object, unless it is another schema.
      const touched = objects.filter(
        ({ object }) => object !== undefined && (!same.has(object) || redefined.has(kindKey(object))),
      );
      const judged = judgeBoth(
        objects,
        touched,
        by.isHeadTrusted ? next : { ...old, among: next.among },
        old,
      );
      const known = knownBefore(objects, judged, { same, old });
      const fresh = judged.filter((finding) => !known.has(spelt(finding)));
      findings.set(key, fresh);
    }
  }
  return findings;
}

/** By what a change was judged for these clusters, in a sentence for its reader. */
export function judgedWords(by: JudgedBy, clusters: Iterable<string>): string {
  const { rules, schemas, policyFiles, clusterOf } = by;
  const newest = `${schemas.versions.at(-1)}, the newest known`;
  const versions = [...clusters].map((name) => {
    const minor = minorOf(clusterOf(name).kubernetesVersion);
    return minor === undefined ? newest : `1.${minor}`;
  });
  const version = [...new Set(versions.length === 0 ? [newest] : versions)].sort().join(' and ');
  const policies = admissionPolicies(policyFiles.head);
  const unbound = policies.filter(({ bindings }) => bindings.length === 0).map(({ name }) => code(name));
  const not = unbound.length === 0 ? '' : ` (no binding: ${unbound.join(', ')})`;
  const counts = `${plural(rules.length, 'rule')} and ${policies.length} of Kubernetes' admission policies${not}`;
  return `Checked by the schemas of Kubernetes ${version}, and by ${counts}.`;
}

function clusterIn(key: string): string {
  return key.split('/', 1)[0] ?? '';
}

function worldOf(cluster: string, all: Renderings, by: JudgedBy, side: 'base' | 'head'): Judging {
  const { rules, schemas, policyFiles, clusterOf } = by;
  const rendered = [...all].flatMap(([key, rendering]) =>
    clusterIn(key) === cluster && rendering.kind === 'rendered' ? rendering.objects : [],
  );
  const policies = admissionPolicies([...policyFiles[side], ...usable(rendered)]);
  const among = [...rendered, ...policyFiles[side]];
  return { ...clusterOf(cluster), rules, schemas, policies, among };
}

/** A policy that an application has and the server would not take is told as any broken object is, by its schema. */
function usable(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.filter((object) => {
    if (!isOfAdmission(object)) return false;
    try {
      admissionPolicies([object]);
      return true;
    } catch (error) {
      if (error instanceof Stop) return false;
      throw error;
    }
  });
}

function changesOf(
  { objects }: Extract<Rendering, { kind: 'rendered' }>,
  before: ReadonlyMap<string, KubeObject>,
): readonly JudgedObject[] {
  return objects.map((object) => ({ object, before: before.get(refKey(refOf(object))) }));
}

function deletions(
  base: Rendering | undefined,
  { prune }: Extract<Rendering, { kind: 'rendered' }>,
  kept: ReadonlySet<string>,
): readonly JudgedObject[] {
  if (base?.kind !== 'rendered' || !prune) return [];
  return base.objects.filter((object) => !kept.has(refKey(refOf(object)))).map((before) => ({ before }));
}

/** By the policies of the base, whatever the change does to them, and by those of the head. */
function judgeBoth(
  objects: readonly JudgedObject[],
  touched: readonly JudgedObject[],
  next: Judging,
  old: Judging,
): readonly Finding[] {
  const { policies } = old;
  const all = [
    ...judgeSchemas(touched, next),
    ...judgePolicies(objects, next),
    ...judgePolicies(objects, { ...next, policies }),
  ];
  return [...new Map(all.map((finding) => [spelt(finding), finding])).values()];
}

/** Of objects that stay as they are: what was wrong with them already. */
function knownBefore(
  objects: readonly JudgedObject[],
  findings: readonly Finding[],
  { same, old }: { readonly same: ReadonlySet<KubeObject>; readonly old: Judging },
): ReadonlySet<string> {
  const found = new Set(findings.map(({ ref }) => refKey(ref)));
  const unchanged = objects.filter(
    ({ object }) => object !== undefined && same.has(object) && found.has(refKey(refOf(object))),
  );
  return new Set([...judgeSchemas(unchanged, old), ...judgePolicies(unchanged, old)].map(spelt));
}

function spelt({ ref, kind, severity, policy = '', text }: Finding): string {
  return JSON.stringify([refKey(ref), kind, severity, policy, text]);
}
