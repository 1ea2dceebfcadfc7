import type { KubeObject } from '../model/object.ts';
import { by, healthBy, isFalse, isTrue, type Step } from './steps.ts';
import {
  conditionOf,
  conditionsOf,
  healthy,
  noStatus,
  numberAt,
  progressing,
  textAt,
  valueAt,
  verdict,
  verdictOf,
  wantedReplicas,
  type Condition,
  type Rule,
  type Verdict,
} from './verdict.ts';

/** Cluster API, whose objects of v1beta1 may carry conditions of v1beta2 beside the old ones. */

const moving: readonly Step[] = [
  isTrue('Paused', 'Suspended'),
  isTrue('Remediating', 'Progressing'),
  isTrue('RollingOut', 'Progressing'),
  isTrue('Updating', 'Progressing'),
  isTrue('ScalingUp', 'Progressing'),
  isTrue('ScalingDown', 'Progressing'),
];

/** For a machine Provisioned is but half of the way. */
const isDone = (kind: string, state: string): boolean =>
  state === (kind === 'Cluster' ? 'Provisioned' : 'Running');

function clusterApiHealth(object: KubeObject, now: number): Verdict {
  const annotations = object.metadata.annotations ?? {};
  if (valueAt(object, 'spec', 'paused') === true || annotations['cluster.x-k8s.io/paused'] !== undefined) {
    return verdict('Suspended', 'Paused', 'its reconciliation is paused');
  }
  const state = textAt(object, 'status', 'phase');
  if (state === 'Failed') {
    const reason = textAt(object, 'status', 'failureReason') || 'Failed';
    const said = textAt(object, 'status', 'failureMessage') || conditionOf(object, 'Ready')?.message;
    return verdict('Degraded', reason, said ?? '');
  }
  const newer = newConditions(object);
  const found =
    healthBy(moving, object, now, newer) ??
    healthBy(oldSteps(object, isDone(object.kind, state)), object, now) ??
    replicasHealth(object) ??
    healthBy(availability(object, state), object, now, newer);
  if (found !== undefined) return found;
  if (state === '') return byReady(object);
  return isDone(object.kind, state)
    ? verdict('Healthy', state)
    : progressing(state, conditionOf(object, 'Ready')?.message ?? '');
}

function newConditions(object: KubeObject): readonly Condition[] {
  const beside = conditionsOf(object, valueAt(object, 'status', 'v1beta2') ?? null);
  if (beside.length > 0) return beside;
  return object.apiVersion.endsWith('/v1beta2') ? conditionsOf(object) : [];
}

/** In the old conditions a severity tells a fault from what is merely not there yet. */
function oldSteps(object: KubeObject, wasDone: boolean): readonly Step[] {
  const ready = conditionOf(object, 'Ready');
  const isFault = ready?.severity === 'Error' || (wasDone && ready?.severity !== 'Info');
  return [
    isFalse('EtcdClusterHealthy', 'Degraded'),
    isFalse('ControlPlaneComponentsHealthy', 'Progressing'),
    ...(ready?.severity === undefined || object.apiVersion.endsWith('/v1beta2')
      ? []
      : [isFalse('Ready', isFault ? 'Degraded' : 'Progressing')]),
  ];
}

/** What was available once and is not any more has failed; what never was is on its way. */
function availability(object: KubeObject, state: string): readonly Step[] {
  const wasThere = state === 'Running' || conditionOf(object, 'ControlPlaneInitialized')?.status === 'True';
  return ['Available', 'Ready'].flatMap((type): Step[] => [
    isTrue(type, 'Healthy'),
    isFalse(type, wasThere ? 'Degraded' : 'Progressing'),
    { condition: type, is: ['Unknown'], health: 'Progressing' },
  ]);
}

function replicasHealth(object: KubeObject): Verdict | undefined {
  if (valueAt(object, 'spec', 'replicas') === undefined || valueAt(object, 'status') === undefined)
    return undefined;
  const wanted = wantedReplicas(object);
  const updatedField = ['upToDateReplicas', 'updatedReplicas'].find(
    (field) => valueAt(object, 'status', field) !== undefined,
  );
  const updated = updatedField === undefined ? wanted : numberAt(object, 'status', updatedField);
  if (updated < wanted) return progressing('Updating', `${updated} of ${wanted} replicas are updated`);
  const ready = numberAt(object, 'status', 'readyReplicas');
  if (ready < wanted) return progressing('Unavailable', `${ready} of ${wanted} replicas are ready`);
  const total = numberAt(object, 'status', 'replicas');
  return total > wanted
    ? progressing('Scaling', `${total - wanted} replicas too many are still there`)
    : undefined;
}

function byReady(object: KubeObject): Verdict {
  const ready = conditionOf(object, 'Ready');
  if (ready !== undefined) return verdictOf(ready.status === 'True' ? 'Healthy' : 'Progressing', ready);
  // All replicas were counted ready before.
  const isCounted =
    numberAt(object, 'spec', 'replicas') > 0 && numberAt(object, 'status', 'readyReplicas') > 0;
  return isCounted || valueAt(object, 'status', 'ready') === true ? healthy : noStatus;
}

/** It watches machines and has no state of its own but theirs. */
function healthCheckHealth(object: KubeObject, now: number): Verdict {
  const blocked = healthBy([isFalse('RemediationAllowed', 'Degraded')], object, now);
  if (blocked !== undefined) return blocked;
  if (valueAt(object, 'status', 'currentHealthy') === undefined) return noStatus;
  const current = numberAt(object, 'status', 'currentHealthy');
  const expected = numberAt(object, 'status', 'expectedMachines');
  return current < expected
    ? verdict('Degraded', 'UnhealthyMachines', `${current} of ${expected} machines are healthy`)
    : healthy;
}

/** Templates and classes are read by others and have no state. */
const groupRule: Rule = (object, now) =>
  object.kind.endsWith('Template') || object.kind === 'ClusterClass'
    ? healthy
    : clusterApiHealth(object, now);

export const clusterApi: Readonly<Record<string, Rule>> = {
  'cluster.x-k8s.io/MachineHealthCheck': healthCheckHealth,
  'addons.cluster.x-k8s.io/ClusterResourceSet': by([
    isTrue('Paused', 'Suspended'),
    isTrue('ResourcesApplied', 'Healthy'),
    isFalse('ResourcesApplied', 'Degraded'),
  ]),
  'cluster.x-k8s.io': groupRule,
  '*.cluster.x-k8s.io': groupRule,
};
