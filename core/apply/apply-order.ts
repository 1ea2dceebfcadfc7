import type { ObjectRef } from '../model/object.ts';

/**
 * Built-in kinds in the order in which they need each other. What is not named, custom kinds above all, comes before
 * the last: most of them want their controllers, and admission webhooks block everything until their backends run.
 */
const order: readonly (readonly string[])[] = [
  ['/Namespace', 'apiextensions.k8s.io/CustomResourceDefinition'],
  [
    '/ServiceAccount',
    'rbac.authorization.k8s.io/ClusterRole',
    'rbac.authorization.k8s.io/Role',
    'scheduling.k8s.io/PriorityClass',
    'storage.k8s.io/StorageClass',
    'node.k8s.io/RuntimeClass',
    'networking.k8s.io/IngressClass',
  ],
  [
    'rbac.authorization.k8s.io/ClusterRoleBinding',
    'rbac.authorization.k8s.io/RoleBinding',
    '/ResourceQuota',
    '/LimitRange',
    '/Secret',
    '/ConfigMap',
    '/PersistentVolume',
    '/PersistentVolumeClaim',
    'networking.k8s.io/NetworkPolicy',
  ],
  ['/Service'],
  [
    'apps/DaemonSet',
    'apps/Deployment',
    'apps/StatefulSet',
    'apps/ReplicaSet',
    '/ReplicationController',
    '/Pod',
    'batch/Job',
    'batch/CronJob',
  ],
  ['autoscaling/HorizontalPodAutoscaler', 'policy/PodDisruptionBudget', 'networking.k8s.io/Ingress'],
];
const unnamed = order.length;
const last = new Set([
  'apiregistration.k8s.io/APIService',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
]);

const ranks = new Map(order.flatMap((kinds, rank) => kinds.map((kind) => [kind, rank] as const)));

function rankOf({ group, kind }: ObjectRef): number {
  const name = `${group}/${kind}`;
  return last.has(name) ? unnamed + 1 : (ranks.get(name) ?? unnamed);
}

/** Groups of objects to apply one after the other; those of one group do not need each other. Prune in reverse. */
export function inApplyOrder<T>(
  items: readonly T[],
  refOf: (item: T) => ObjectRef,
): readonly (readonly T[])[] {
  const groups = Map.groupBy(items, (item) => rankOf(refOf(item)));
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

/** Whether this is a CustomResourceDefinition, which must be established before its objects can be applied. */
export function isDefinition({ group, kind }: ObjectRef): boolean {
  return group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition';
}
