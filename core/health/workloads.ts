import type { KubeObject } from '../model/object.ts';
import { millisecondsOf } from '../model/time.ts';
import {
  conditionOf,
  healthy,
  isWithin,
  listAt,
  numberAt,
  progressing,
  textAt,
  trueCondition,
  valueAt,
  verdict,
  verdictOf,
  wantedReplicas,
  type Rule,
  type Verdict,
} from './verdict.ts';

/** Kubernetes' own default for a rollout; ours for whatever keeps no deadline itself. */
const defaultDeadlineSeconds = 600;

/** Progressing until the rollout is complete, Degraded when it exceeds its deadline. */
function deploymentHealth(object: KubeObject, now: number): Verdict {
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
  if (total > wanted) return progressing('Scaling', `${total - wanted} replicas too many are still there`);
  if (available < wanted) return unavailable(object, { available, wanted, now });
  if (progress?.status === 'False') return verdictOf('Progressing', progress);
  const condition = conditionOf(object, 'Available');
  if (condition !== undefined && condition.status !== 'True') return verdictOf('Progressing', condition);
  return healthy;
}

/**
 * A rollout that was complete once is watched by no deadline of Kubernetes' own any more: a crash loop at night would
 * look like progress for ever. So ours takes its place.
 */
function unavailable(
  object: KubeObject,
  { available, wanted, now }: { available: number; wanted: number; now: number },
): Verdict {
  const message = `${available} of ${wanted} replicas are available`;
  const progress = conditionOf(object, 'Progressing');
  const isRollingOut = progress !== undefined && progress.reason !== 'NewReplicaSetAvailable';
  const condition = conditionOf(object, 'Available');
  if (isRollingOut || condition?.status !== 'False') return progressing('Unavailable', message);
  const deadline = numberAt(object, 'spec', 'progressDeadlineSeconds') || defaultDeadlineSeconds;
  return isWithin(deadline, condition.since, now)
    ? progressing('Unavailable', message)
    : verdict('Degraded', condition.reason, `${message} for more than ${deadline} s`);
}

function statefulSetHealth(object: KubeObject, now: number): Verdict {
  const wanted = wantedReplicas(object);
  const total = numberAt(object, 'status', 'replicas');
  const ready = numberAt(object, 'status', 'readyReplicas');
  if (ready < wanted) return stuck(object, 'NotReady', `${ready} of ${wanted} replicas are ready`, now);
  // A person deletes the pods that are to be updated.
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') return healthy;
  if (total > wanted) return progressing('Scaling', `${total - wanted} replicas too many are still there`);
  const partition = valueAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
  if (typeof partition === 'number') {
    const updated = numberAt(object, 'status', 'updatedReplicas');
    const toUpdate = Math.max(0, wanted - partition);
    if (updated >= toUpdate) return healthy;
    return stuck(object, 'Updating', `${updated} of ${toUpdate} replicas are updated`, now);
  }
  const current = numberAt(object, 'status', 'currentReplicas');
  const isMixed = textAt(object, 'status', 'currentRevision') !== textAt(object, 'status', 'updateRevision');
  if (!isMixed && current >= wanted) return healthy;
  return stuck(object, 'Updating', `${current} of ${wanted} replicas are of the current revision`, now);
}

function daemonSetHealth(object: KubeObject, now: number): Verdict {
  if (valueAt(object, 'status', 'desiredNumberScheduled') === undefined) {
    return progressing('NoStatus', 'its controller has not counted the nodes yet');
  }
  const wanted = numberAt(object, 'status', 'desiredNumberScheduled');
  const updated = numberAt(object, 'status', 'updatedNumberScheduled');
  const available = numberAt(object, 'status', 'numberAvailable');
  const ready = numberAt(object, 'status', 'numberReady');
  const onDelete = textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete';
  if (!onDelete && updated < wanted) {
    return stuck(object, 'Updating', `${updated} of ${wanted} pods are updated`, now);
  }
  const least = Math.min(available, ready);
  return least < wanted
    ? stuck(object, 'Unavailable', `${least} of ${wanted} pods are available`, now)
    : healthy;
}

/**
 * Progress, until nothing has moved for as long as a Deployment would be given. StatefulSets and DaemonSets have neither
 * deadline nor condition; when their controller last changed the status stands in managedFields, if those were asked for.
 */
function stuck(object: KubeObject, reason: string, message: string, now: number): Verdict {
  const times = listAt(object, 'metadata', 'managedFields')
    .filter((entry) => textAt(entry, 'subresource') === 'status')
    .map((entry) => millisecondsOf(textAt(entry, 'time')))
    .filter((time) => !Number.isNaN(time));
  const isStuck = times.length > 0 && now - Math.max(...times) > defaultDeadlineSeconds * 1000;
  return isStuck
    ? verdict('Degraded', reason, `${message}, and nothing has changed for ${defaultDeadlineSeconds} s`)
    : progressing(reason, message);
}

function replicaSetHealth(object: KubeObject): Verdict {
  const failure = trueCondition(object, 'ReplicaFailure');
  if (failure !== undefined) return verdictOf('Progressing', failure);
  const wanted = wantedReplicas(object);
  const total = numberAt(object, 'status', 'replicas');
  const ready = numberAt(object, 'status', 'readyReplicas');
  const available = Math.min(ready, numberAt(object, 'status', 'availableReplicas'));
  if (available < wanted)
    return progressing('Unavailable', `${available} of ${wanted} replicas are available`);
  return total > wanted
    ? progressing('Scaling', `${total - wanted} replicas too many are still there`)
    : healthy;
}

/** Done means healthy; a Job that runs is progress, since somebody waits for its end. */
function jobHealth(object: KubeObject): Verdict {
  const failed = trueCondition(object, 'Failed');
  if (failed !== undefined) return verdictOf('Degraded', failed);
  const complete = trueCondition(object, 'Complete');
  if (complete !== undefined) return verdictOf('Healthy', complete);
  const suspended = trueCondition(object, 'Suspended');
  if (suspended !== undefined) return verdictOf('Suspended', suspended);
  if (valueAt(object, 'spec', 'suspend') === true) return verdict('Suspended', 'Suspended');
  const counts = (['active', 'succeeded', 'failed'] as const)
    .map((state) => `${numberAt(object, 'status', state)} ${state}`)
    .join(', ');
  const isStarted = textAt(object, 'status', 'startTime') !== '';
  return progressing(isStarted ? 'Running' : 'NotStarted', `pods: ${counts}`);
}

/** Degraded from a run that failed until one succeeds; a first run has nothing to compare with. */
function cronJobHealth(object: KubeObject): Verdict {
  if (valueAt(object, 'spec', 'suspend') === true) return verdict('Suspended', 'Suspended');
  const scheduled = textAt(object, 'status', 'lastScheduleTime');
  const succeeded = textAt(object, 'status', 'lastSuccessfulTime');
  const isRunning = listAt(object, 'status', 'active').length > 0;
  const isBehind = millisecondsOf(succeeded) < millisecondsOf(scheduled);
  return isBehind && !isRunning
    ? verdict('Degraded', 'LastRunFailed', `the run of ${scheduled} has not succeeded`)
    : healthy;
}

export const workloads: Readonly<Record<string, Rule>> = {
  'apps/Deployment': deploymentHealth,
  'apps/StatefulSet': statefulSetHealth,
  'apps/DaemonSet': daemonSetHealth,
  'apps/ReplicaSet': replicaSetHealth,
  'batch/Job': jobHealth,
  'batch/CronJob': cronJobHealth,
};
