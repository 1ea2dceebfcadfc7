import type { LiveObject } from '../model/object.ts';
import { millisecondsOf } from '../model/time.ts';
import {
  conditionOf,
  healthy,
  listAt,
  numberAt,
  textAt,
  trueCondition,
  valueAt,
  verdict,
  verdictOf,
  type Verdict,
} from './verdict.ts';

const progressing = (reason: string, message: string): Verdict => verdict('Progressing', reason, message);

/** Replicas that the specification asks for; 1 when it says nothing. */
function wantedReplicas(object: LiveObject): number {
  const replicas = valueAt(object, 'spec', 'replicas');
  return typeof replicas === 'number' ? replicas : 1;
}

/** Progressing until the rollout is complete, Degraded when it exceeds its deadline. */
export function deploymentHealth(object: LiveObject, now: number): Verdict {
  const progress = conditionOf(object, 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') return verdictOf('Degraded', progress);
  if (valueAt(object, 'spec', 'paused') === true)
    return verdict('Suspended', 'Paused', 'the rollout is paused');
  const wanted = wantedReplicas(object);
  const total = numberAt(object, 'status', 'replicas');
  const updated = numberAt(object, 'status', 'updatedReplicas');
  const available = numberAt(object, 'status', 'availableReplicas');
  const failure = trueCondition(object, 'ReplicaFailure');
  if (failure !== undefined) return verdictOf('Progressing', failure);
  if (updated < wanted) return progressing('Updating', `${updated} of ${wanted} replicas are updated`);
  if (total > updated) return progressing('Updating', `${total - updated} old replicas are still there`);
  if (available < wanted) return unavailable(object, { available, wanted, now });
  const condition = conditionOf(object, 'Available');
  if (condition !== undefined && condition.status !== 'True') return verdictOf('Progressing', condition);
  return healthy;
}

/**
 * A rollout that was complete once is watched by no deadline of Kubernetes' own any more: a crash loop at night would
 * look like progress for ever. So ours takes its place.
 */
function unavailable(
  object: LiveObject,
  { available, wanted, now }: { available: number; wanted: number; now: number },
): Verdict {
  const message = `${available} of ${wanted} replicas are available`;
  const condition = conditionOf(object, 'Available');
  const deadline = numberAt(object, 'spec', 'progressDeadlineSeconds') || 600;
  const isOverdue = condition?.status === 'False' && now - millisecondsOf(condition.since) > deadline * 1000;
  if (isOverdue) return verdict('Degraded', condition.reason, `${message} for more than ${deadline} s`);
  return progressing('Unavailable', message);
}

/** StatefulSets know no deadline: one that cannot start stays Progressing. */
export function statefulSetHealth(object: LiveObject): Verdict {
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') return healthy;
  const wanted = wantedReplicas(object);
  const ready = numberAt(object, 'status', 'readyReplicas');
  if (ready < wanted) return progressing('NotReady', `${ready} of ${wanted} replicas are ready`);
  const partition = numberAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
  const updated = numberAt(object, 'status', 'updatedReplicas');
  const toUpdate = Math.max(0, wanted - partition);
  if (updated < toUpdate) return progressing('Updating', `${updated} of ${toUpdate} replicas are updated`);
  const isMixed = textAt(object, 'status', 'currentRevision') !== textAt(object, 'status', 'updateRevision');
  return partition === 0 && isMixed ? progressing('Updating', 'waits for the new revision') : healthy;
}

export function daemonSetHealth(object: LiveObject): Verdict {
  const wanted = numberAt(object, 'status', 'desiredNumberScheduled');
  const updated = numberAt(object, 'status', 'updatedNumberScheduled');
  const available = numberAt(object, 'status', 'numberAvailable');
  const onDelete = textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete';
  if (!onDelete && updated < wanted) {
    return progressing('Updating', `${updated} of ${wanted} pods are updated`);
  }
  return available < wanted
    ? progressing('Unavailable', `${available} of ${wanted} pods are available`)
    : healthy;
}

export function replicaSetHealth(object: LiveObject): Verdict {
  const failure = trueCondition(object, 'ReplicaFailure');
  if (failure !== undefined) return verdictOf('Progressing', failure);
  const wanted = wantedReplicas(object);
  const available = numberAt(object, 'status', 'availableReplicas');
  return available < wanted
    ? progressing('Unavailable', `${available} of ${wanted} replicas are available`)
    : healthy;
}

/** Waiting for one of these does not end by itself. */
const hopelessWaits = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
]);

export function podHealth(object: LiveObject): Verdict {
  const phase = textAt(object, 'status', 'phase');
  if (phase === 'Succeeded') return healthy;
  if (phase === 'Failed') {
    return verdict(
      'Degraded',
      textAt(object, 'status', 'reason') || 'Failed',
      textAt(object, 'status', 'message'),
    );
  }
  const waiting = ['initContainerStatuses', 'containerStatuses']
    .flatMap((list) => listAt(object, 'status', list))
    .map((container) => valueAt(container, 'state', 'waiting'))
    .find((state) => hopelessWaits.has(textAt(state, 'reason')));
  if (waiting !== undefined)
    return verdict('Degraded', textAt(waiting, 'reason'), textAt(waiting, 'message'));
  const ready = conditionOf(object, 'Ready');
  if (ready?.status === 'True') return healthy;
  const scheduled = conditionOf(object, 'PodScheduled');
  if (scheduled?.status === 'False') return verdictOf('Progressing', scheduled);
  return progressing(phase === '' ? 'Pending' : phase, ready?.message ?? '');
}

/** Done means healthy; a Job that runs is progress. */
export function jobHealth(object: LiveObject): Verdict {
  const failed = trueCondition(object, 'Failed');
  if (failed !== undefined) return verdictOf('Degraded', failed);
  if (trueCondition(object, 'Complete') !== undefined) return healthy;
  const suspended = trueCondition(object, 'Suspended');
  if (suspended !== undefined) return verdictOf('Suspended', suspended);
  const done = numberAt(object, 'status', 'succeeded');
  return progressing('Running', `${done} pods have succeeded`);
}

export function cronJobHealth(object: LiveObject): Verdict {
  return valueAt(object, 'spec', 'suspend') === true ? verdict('Suspended', 'Suspended') : healthy;
}
