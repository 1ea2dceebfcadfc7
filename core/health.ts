import { clusterApi } from './health/cluster-api.ts';
import { clusterServices } from './health/cluster-services.ts';
import { conventionalHealth } from './health/conventions.ts';
import { checkedHealth } from './health/custom-check.ts';
import { delivery } from './health/delivery.ts';
import { gatewayApi } from './health/gateway-api.ts';
import { operators } from './health/operators.ts';
import {
  listAt,
  notObserved,
  numberAt,
  progressing,
  valueAt,
  verdict,
  type Rule,
  type Verdict,
} from './health/verdict.ts';
import { workloads } from './health/workloads.ts';
import type { HealthStatus, ObjectHealth } from './model/health.ts';
import { describeRef, groupOf, refKey, type KubeObject, type ObjectRef } from './model/object.ts';
import type { HealthCheck } from './model/rule.ts';
import { fits } from './policy.ts';

export type { Verdict } from './health/verdict.ts';

/** `group/Kind`, `group` or `*.group` to its rule; the nearest one counts. */
const rules = new Map<string, Rule>(
  [workloads, clusterServices, gatewayApi, delivery, operators, clusterApi].flatMap((table) =>
    Object.entries(table),
  ),
);

/** Their controllers always say which generation they have seen, so silence means: none yet. */
const observing = new Set([
  'apps/Deployment',
  'apps/StatefulSet',
  'apps/DaemonSet',
  'apps/ReplicaSet',
  'policy/PodDisruptionBudget',
]);

/** Built-in groups whose kinds have no status worth a look: they are healthy once they exist. */
const plainGroups = new Set([
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'scheduling.k8s.io',
  'node.k8s.io',
  'admissionregistration.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'networking.k8s.io',
]);

/** Worst first. Unknown stands behind Progressing, which is looked at again and may well answer it. */
const severity: readonly HealthStatus[] = [
  'Degraded',
  'Missing',
  'Progressing',
  'Unknown',
  'Suspended',
  'Healthy',
];

/** Whether an object must be read to know its health: false for ConfigMaps, roles and their like. */
export function hasHealth(ref: ObjectRef, checks: readonly HealthCheck[] = []): boolean {
  const { group, kind, name, namespace } = ref;
  if (rules.has(`${group}/${kind}`)) return true;
  const isBuiltIn = group === '' || !group.includes('.') || plainGroups.has(group);
  if (!isBuiltIn) return true;
  const metadata = { name, ...(namespace !== undefined && { namespace }) };
  const object = { apiVersion: group === '' ? 'v1' : `${group}/v1`, kind, metadata };
  return checks.some(({ match }) => fits(match, object));
}

/**
 * Health of one object as it stands; `now` in milliseconds since the epoch. `checks` go before the rules for its kind,
 * the last that fits before the others. A change that its controller has not seen yet is never Healthy.
 */
export function healthOf(object: KubeObject, now: number, checks: readonly HealthCheck[] = []): Verdict {
  if (valueAt(object, 'metadata', 'deletionTimestamp') !== undefined) return terminating(object);
  const group = groupOf(object.apiVersion);
  const isSeen = isObserved(object, `${group}/${object.kind}`);
  const check = checks.findLast(({ match }) => fits(match, object));
  // Flux notes the generation of the whole only when all is well; until then its conditions each tell theirs.
  const isLate = check !== undefined || group.endsWith('.toolkit.fluxcd.io');
  if (!isSeen && !isLate) return notObserved(object);
  const found = check === undefined ? ruleFor(group, object.kind)(object, now) : checkedHealth(check, object);
  return found.status === 'Healthy' && !isSeen ? notObserved(object) : found;
}

function ruleFor(group: string, kind: string): Rule {
  const parents = group.split('.').map((_, index, parts) => `*.${parts.slice(index + 1).join('.')}`);
  const names = [`${group}/${kind}`, group, ...parents];
  return names.map((name) => rules.get(name)).find((rule) => rule !== undefined) ?? conventionalHealth;
}

function isObserved(object: KubeObject, kind: string): boolean {
  const told = valueAt(object, 'status', 'observedGeneration') ?? (observing.has(kind) ? 0 : undefined);
  // Istio spells it as text, and Argo Rollouts once had a hash there.
  const observed = typeof told === 'string' && /^[0-9]+$/.test(told) ? Number(told) : told;
  return typeof observed !== 'number' || observed >= numberAt(object, 'metadata', 'generation');
}

function terminating(object: KubeObject): Verdict {
  const finalizers = listAt(object, 'metadata', 'finalizers')
    .filter((finalizer) => typeof finalizer === 'string')
    .join(', ');
  const blocked = finalizers === '' ? '' : `, once ${finalizers} let it go`;
  return progressing('Terminating', `is being deleted${blocked}`);
}

/** An object that should be there and is not. */
export const missing: Verdict = verdict('Missing', 'Missing', 'is not on the cluster');

/**
 * Health of a target: that of its worst object, with what that object says. Healthy when there is none. Of several that
 * are as bad the first by name speaks, in whatever order they were read.
 */
export function worstHealth(objects: readonly ObjectHealth[]): { status: HealthStatus; message: string } {
  const worst = severity
    .map((status) => objects.filter((object) => object.status === status))
    .find((equals) => equals.length > 0)
    ?.reduce((first, next) => (refKey(next.ref) < refKey(first.ref) ? next : first));
  if (worst === undefined || worst.status === 'Healthy') return { status: 'Healthy', message: '' };
  const said = [worst.reason, worst.message].filter((text) => text !== '').join(': ');
  const others = objects.filter(({ status }) => status === worst.status).length - 1;
  const more = others > 0 ? ` (and ${others} more)` : '';
  return { status: worst.status, message: `${describeRef(worst.ref)}: ${said}${more}` };
}
