import { describe } from 'node:test';
import { judge } from './table.ts';

const deployment = (rest: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop, generation: 2 }
${rest}`;

describe('Deployment', () => {
  judge([
    ['just created, no status yet', 'Progressing NotObserved', deployment('spec: { replicas: 3 }')],
    [
      'a change that the controller has not seen is not the old health',
      'Progressing NotObserved: its controller has not seen generation 2 yet',
      deployment(`
spec: { replicas: 3 }
status:
  observedGeneration: 1
  replicas: 3
  updatedReplicas: 3
  readyReplicas: 3
  availableReplicas: 3
  conditions: [{ type: Available, status: "True" }]`),
    ],
    [
      'rolling out',
      'Progressing Updating: 1 of 3 replicas are updated',
      deployment(`
spec: { replicas: 3 }
status: { observedGeneration: 2, replicas: 4, updatedReplicas: 1, readyReplicas: 3, availableReplicas: 3 }`),
    ],
    [
      'old replicas linger',
      'Progressing Updating: 1 old replicas are still there',
      deployment(`
spec: { replicas: 3 }
status: { observedGeneration: 2, replicas: 4, updatedReplicas: 3, readyReplicas: 4, availableReplicas: 4 }`),
    ],
    [
      'new replicas start',
      'Progressing Unavailable: 2 of 3 replicas are available',
      deployment(`
spec: { replicas: 3 }
status: { observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 2, availableReplicas: 2 }`),
    ],
    [
      'rolled out',
      'Healthy',
      deployment(`
spec: { replicas: 3 }
status:
  observedGeneration: 2
  replicas: 3
  updatedReplicas: 3
  readyReplicas: 3
  availableReplicas: 3
  conditions:
    - { type: Available, status: "True", reason: MinimumReplicasAvailable }
    - { type: Progressing, status: "True", reason: NewReplicaSetAvailable }`),
    ],
    ['scaled to nothing', 'Healthy', deployment('spec: { replicas: 0 }\nstatus: { observedGeneration: 2 }')],
    [
      'exceeded its progress deadline',
      'Degraded ProgressDeadlineExceeded: ReplicaSet "web-6f9" has timed out progressing.',
      deployment(`
spec: { replicas: 3 }
status:
  observedGeneration: 2
  replicas: 4
  updatedReplicas: 1
  unavailableReplicas: 1
  conditions:
    - type: Progressing
      status: "False"
      reason: ProgressDeadlineExceeded
      message: ReplicaSet "web-6f9" has timed out progressing.`),
    ],
    [
      'a quota keeps pods from being created',
      'Progressing FailedCreate: pods "web-6f9" is forbidden: exceeded quota',
      deployment(`
spec: { replicas: 3 }
status:
  observedGeneration: 2
  conditions:
    - { type: ReplicaFailure, status: "True", reason: FailedCreate, message: 'pods "web-6f9" is forbidden: exceeded quota' }`),
    ],
    [
      'a crash loop long after a complete rollout',
      'Degraded MinimumReplicasUnavailable: 0 of 3 replicas are available for more than 600 s',
      deployment(`
spec: { replicas: 3, progressDeadlineSeconds: 600 }
status:
  observedGeneration: 2
  replicas: 3
  updatedReplicas: 3
  conditions:
    - { type: Available, status: "False", reason: MinimumReplicasUnavailable, lastTransitionTime: "2026-11-23T11:49:00Z" }
    - { type: Progressing, status: "True", reason: NewReplicaSetAvailable }`),
    ],
    [
      'a node drain a minute ago is no crash loop',
      'Progressing Unavailable: 1 of 3 replicas are available',
      deployment(`
spec: { replicas: 3, progressDeadlineSeconds: 600 }
status:
  observedGeneration: 2
  replicas: 3
  updatedReplicas: 3
  availableReplicas: 1
  conditions:
    - { type: Available, status: "False", reason: MinimumReplicasUnavailable, lastTransitionTime: "2026-11-23T11:59:00Z" }
    - { type: Progressing, status: "True", reason: NewReplicaSetAvailable }`),
    ],
    [
      'paused by a person',
      'Suspended Paused',
      deployment('spec: { replicas: 3, paused: true }\nstatus: { observedGeneration: 2 }'),
    ],
    [
      'being deleted',
      'Progressing Terminating',
      `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, deletionTimestamp: "2026-11-23T11:59:59Z" }
status: { observedGeneration: 2 }`,
    ],
  ]);
});

const statefulSet = (rest: string): string => `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, namespace: shop, generation: 1 }
${rest}`;

describe('StatefulSet', () => {
  judge([
    ['just created', 'Progressing NotObserved', statefulSet('spec: { replicas: 3 }')],
    [
      'pods start one by one',
      'Progressing NotReady: 1 of 3 replicas are ready',
      statefulSet(
        'spec: { replicas: 3 }\nstatus: { observedGeneration: 1, replicas: 2, readyReplicas: 1, updatedReplicas: 2 }',
      ),
    ],
    [
      'all ready, some old',
      'Progressing Updating: 2 of 3 replicas are of the current revision',
      statefulSet(
        'spec: { replicas: 3 }\nstatus: { observedGeneration: 1, replicas: 3, readyReplicas: 3, currentReplicas: 2, updatedReplicas: 1, currentRevision: db-1, updateRevision: db-2 }',
      ),
    ],
    [
      'updated down to its partition',
      'Healthy',
      statefulSet(`
spec: { replicas: 3, updateStrategy: { type: RollingUpdate, rollingUpdate: { partition: 2 } } }
status: { observedGeneration: 1, replicas: 3, readyReplicas: 3, updatedReplicas: 1, currentRevision: db-1, updateRevision: db-2 }`),
    ],
    [
      'all ready and new',
      'Healthy',
      statefulSet(
        'spec: { replicas: 3 }\nstatus: { observedGeneration: 1, replicas: 3, readyReplicas: 3, currentReplicas: 3, updatedReplicas: 3, currentRevision: db-2, updateRevision: db-2 }',
      ),
    ],
    [
      'OnDelete waits for a person',
      'Healthy',
      statefulSet(
        'spec: { replicas: 3, updateStrategy: { type: OnDelete } }\nstatus: { observedGeneration: 1, readyReplicas: 3 }',
      ),
    ],
  ]);
});

describe('DaemonSet, ReplicaSet', () => {
  const daemonSet = (status: string): string =>
    `{ apiVersion: apps/v1, kind: DaemonSet, metadata: { name: agent, generation: 3 }, spec: {}, status: ${status} }`;
  judge([
    ['not seen yet', 'Progressing NotObserved', daemonSet('{}')],
    [
      'updating node by node',
      'Progressing Updating: 2 of 5 pods are updated',
      daemonSet(
        '{ observedGeneration: 3, desiredNumberScheduled: 5, updatedNumberScheduled: 2, numberAvailable: 5 }',
      ),
    ],
    [
      'a pod is not available',
      'Progressing Unavailable: 4 of 5 pods are available',
      daemonSet(
        '{ observedGeneration: 3, desiredNumberScheduled: 5, updatedNumberScheduled: 5, numberReady: 5, numberAvailable: 4 }',
      ),
    ],
    [
      'on every node',
      'Healthy',
      daemonSet(
        '{ observedGeneration: 3, desiredNumberScheduled: 5, updatedNumberScheduled: 5, numberReady: 5, numberAvailable: 5 }',
      ),
    ],
    ['no node wants it', 'Healthy', daemonSet('{ observedGeneration: 3, desiredNumberScheduled: 0 }')],
    ['nodes not counted yet', 'Progressing NoStatus', daemonSet('{ observedGeneration: 3 }')],
    [
      'ReplicaSet short of pods',
      'Progressing Unavailable: 1 of 2 replicas are available',
      '{ apiVersion: apps/v1, kind: ReplicaSet, metadata: { name: a, generation: 1 }, spec: { replicas: 2 }, status: { observedGeneration: 1, replicas: 2, readyReplicas: 1, availableReplicas: 1 } }',
    ],
  ]);
});

describe('Pod', () => {
  const pod = (status: string): string =>
    `{ apiVersion: v1, kind: Pod, metadata: { name: a, namespace: shop }, status: ${status} }`;
  judge([
    ['no status', 'Progressing Pending', pod('{}')],
    ['ready', 'Healthy', pod('{ phase: Running, conditions: [{ type: Ready, status: "True" }] }')],
    [
      'runs, not ready',
      'Progressing Running: containers with unready status: [app]',
      pod(
        '{ phase: Running, conditions: [{ type: Ready, status: "False", reason: ContainersNotReady, message: "containers with unready status: [app]" }] }',
      ),
    ],
    [
      'crash loop',
      'Degraded CrashLoopBackOff: back-off 5m0s',
      pod(
        '{ phase: Running, containerStatuses: [{ name: app, state: { waiting: { reason: CrashLoopBackOff, message: back-off 5m0s restarting } } }] }',
      ),
    ],
    [
      'image of an init container cannot be pulled',
      'Degraded ImagePullBackOff',
      pod(
        '{ phase: Pending, initContainerStatuses: [{ name: init, state: { waiting: { reason: ImagePullBackOff } } }] }',
      ),
    ],
    [
      'no node has room, and nobody says since when',
      'Degraded Unschedulable: 0/3 nodes are available',
      pod(
        '{ phase: Pending, conditions: [{ type: PodScheduled, status: "False", reason: Unschedulable, message: 0/3 nodes are available }] }',
      ),
    ],
    ['done', 'Healthy', pod('{ phase: Succeeded }')],
    [
      'evicted',
      'Degraded Evicted: The node was low on memory',
      pod('{ phase: Failed, reason: Evicted, message: The node was low on memory }'),
    ],
  ]);
});

describe('Job, CronJob', () => {
  const job = (status: string): string =>
    `{ apiVersion: batch/v1, kind: Job, metadata: { name: a, namespace: shop, generation: 1 }, status: ${status} }`;
  judge([
    ['just created', 'Progressing NotStarted', job('{}')],
    [
      'runs',
      'Progressing Running: pods: 1 active, 1 succeeded, 0 failed',
      job('{ active: 1, succeeded: 1, startTime: "2026-11-23T11:59:00Z" }'),
    ],
    ['complete', 'Healthy', job('{ succeeded: 1, conditions: [{ type: Complete, status: "True" }] }')],
    [
      'failed',
      'Degraded BackoffLimitExceeded: Job has reached the specified backoff limit',
      job(
        '{ failed: 7, conditions: [{ type: Failed, status: "True", reason: BackoffLimitExceeded, message: Job has reached the specified backoff limit }] }',
      ),
    ],
    [
      'suspended',
      'Suspended JobSuspended',
      job('{ conditions: [{ type: Suspended, status: "True", reason: JobSuspended }] }'),
    ],
    [
      'CronJob',
      'Healthy',
      '{ apiVersion: batch/v1, kind: CronJob, metadata: { name: a }, spec: { schedule: "* * * * *" } }',
    ],
    [
      'CronJob suspended',
      'Suspended',
      '{ apiVersion: batch/v1, kind: CronJob, metadata: { name: a }, spec: { suspend: true } }',
    ],
  ]);
});
