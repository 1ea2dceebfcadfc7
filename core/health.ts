import {
  apiServiceHealth,
  autoscalerHealth,
  claimHealth,
  conditionHealth,
  definitionHealth,
  disruptionBudgetHealth,
  ingressHealth,
  serviceHealth,
} from './health/cluster-services.ts';
import { numberAt, valueAt, verdict, type Verdict } from './health/verdict.ts';
import {
  cronJobHealth,
  daemonSetHealth,
  deploymentHealth,
  jobHealth,
  podHealth,
  replicaSetHealth,
  statefulSetHealth,
} from './health/workloads.ts';
import type { HealthStatus, ObjectHealth } from './model/health.ts';
import { describeRef, groupOf, type LiveObject, type ObjectRef } from './model/object.ts';

export type { Verdict } from './health/verdict.ts';

type Rule = (object: LiveObject, now: number) => Verdict;

/** `group/Kind` to its rule, after kstatus; kinds that are not named go by their conditions. */
const rules: Readonly<Record<string, Rule>> = {
  'apps/Deployment': deploymentHealth,
  'apps/StatefulSet': statefulSetHealth,
  'apps/DaemonSet': daemonSetHealth,
  'apps/ReplicaSet': replicaSetHealth,
  '/Pod': podHealth,
  'batch/Job': jobHealth,
  'batch/CronJob': cronJobHealth,
  '/Service': serviceHealth,
  'networking.k8s.io/Ingress': ingressHealth,
  '/PersistentVolumeClaim': claimHealth,
  'policy/PodDisruptionBudget': disruptionBudgetHealth,
  'autoscaling/HorizontalPodAutoscaler': autoscalerHealth,
  'apiextensions.k8s.io/CustomResourceDefinition': definitionHealth,
  'apiregistration.k8s.io/APIService': apiServiceHealth,
};

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

/** Whether an object of this kind must be read to know its health: false for ConfigMaps, roles and their like. */
export function hasHealth({ group, kind }: Pick<ObjectRef, 'group' | 'kind'>): boolean {
  if (`${group}/${kind}` in rules || (group === '' && kind === 'Namespace')) return true;
  const isBuiltIn = group === '' || !group.includes('.') || plainGroups.has(group);
  return !isBuiltIn && group !== 'networking.k8s.io';
}

/** Health of one object as it stands. A change that its controller has not seen yet is never Healthy. */
export function healthOf(object: LiveObject, now: number): Verdict {
  if (valueAt(object, 'metadata', 'deletionTimestamp') !== undefined) {
    return verdict('Progressing', 'Terminating', 'is being deleted');
  }
  const kind = `${groupOf(object.apiVersion)}/${object.kind}`;
  const generation = object.metadata.generation ?? 0;
  const isObserved =
    observing.has(kind) || typeof valueAt(object, 'status', 'observedGeneration') === 'number';
  if (isObserved && numberAt(object, 'status', 'observedGeneration') < generation) {
    return verdict('Progressing', 'NotObserved', `its controller has not seen generation ${generation} yet`);
  }
  return (rules[kind] ?? conditionHealth)(object, now);
}

/** Health of a target: that of its worst object, with what that object says. Healthy when there is none. */
export function worstHealth(objects: readonly ObjectHealth[]): { status: HealthStatus; message: string } {
  const worst = severity.flatMap((status) => objects.filter((object) => object.status === status))[0];
  if (worst === undefined || worst.status === 'Healthy') return { status: 'Healthy', message: '' };
  const said = [worst.reason, worst.message].filter((text) => text !== '').join(': ');
  const others = objects.filter(({ status }) => status === worst.status).length - 1;
  const more = others > 0 ? ` (and ${others} more)` : '';
  return { status: worst.status, message: `${describeRef(worst.ref)}: ${said}${more}` };
}
