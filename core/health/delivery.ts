import { healthStatusSchema } from '../model/health.ts';
import type { KubeObject } from '../model/object.ts';
import { by, condition, healthBy, isFalse, isTrue, phase, suspendedBy, type Step } from './steps.ts';
import {
  conditionOf,
  healthy,
  listAt,
  noStatus,
  notObserved,
  numberAt,
  progressing,
  textAt,
  valueAt,
  verdict,
  wantedReplicas,
  type Rule,
  type Verdict,
} from './verdict.ts';

/** Kinds that deliver software themselves: Argo, Flux, Flagger, Tekton. */

const aborted: readonly Step[] = [
  isTrue('InvalidSpec', 'Degraded'),
  ...['True', 'False', 'Unknown'].map((status): Step => {
    const reasons = ['RolloutAborted', 'ProgressDeadlineExceeded'];
    return { condition: 'Progressing', is: [status], reasons, health: 'Degraded' };
  }),
];

const rolloutPhases = phase(
  'status.phase',
  { Healthy: ['Healthy'], Degraded: ['Degraded'], Suspended: ['Paused'] },
  'status.message',
);

function rolloutHealth(object: KubeObject, now: number): Verdict {
  const observed = textAt(object, 'status', 'observedGeneration');
  const generation = numberAt(object, 'metadata', 'generation');
  // A text; up to 0.9 it was a hash, which may be all digits and then is greater than any generation.
  if (observed === '' || Number(observed) < generation || isWorkloadNew(object)) return notObserved(object);
  const found = healthBy(aborted, object, now);
  if (found !== undefined) return found;
  const isPaused =
    listAt(object, 'status', 'pauseConditions').length > 0 || valueAt(object, 'spec', 'paused') === true;
  if (isPaused) return verdict('Suspended', 'Paused', textAt(object, 'status', 'message'));
  return healthBy(rolloutPhases, object, now) ?? replicasHealth(object);
}

/** A Rollout of somebody else's pod template keeps beside its own generation that of the template. */
function isWorkloadNew(object: KubeObject): boolean {
  const wanted = object.metadata.annotations?.['rollout.argoproj.io/workload-generation'];
  const observed = textAt(object, 'status', 'workloadObservedGeneration');
  return wanted !== undefined && observed !== '' && observed !== wanted;
}

/** Before version 1.0 there is no phase. */
function replicasHealth(object: KubeObject): Verdict {
  const current = textAt(object, 'status', 'currentPodHash');
  if (current === '') return noStatus;
  const wanted = wantedReplicas(object);
  const total = numberAt(object, 'status', 'replicas');
  const updated = numberAt(object, 'status', 'updatedReplicas');
  const available = numberAt(object, 'status', 'availableReplicas');
  const stable = textAt(object, 'status', 'stableRS') || textAt(object, 'status', 'canary', 'stableRS');
  if (updated < wanted) return progressing('Updating', `${updated} of ${wanted} replicas are updated`);
  if (available < updated)
    return progressing('Unavailable', `${available} of ${updated} replicas are available`);
  if (valueAt(object, 'spec', 'strategy', 'blueGreen') !== undefined) {
    const active = textAt(object, 'status', 'blueGreen', 'activeSelector');
    if (active !== current) return progressing('Updating', 'the active Service is not switched over yet');
    return stable === '' || stable === current ? healthy : progressing('Analysing', 'waits for its analysis');
  }
  if (total > updated) return progressing('Updating', `${total - updated} old replicas are still there`);
  return stable === current ? healthy : progressing('Updating', 'has not taken all of its steps yet');
}

/** Argo CD has judged for itself; its words are ours. */
function applicationHealth(object: KubeObject): Verdict {
  const health = valueAt(object, 'status', 'health');
  const status = healthStatusSchema.safeParse(textAt(health, 'status'));
  if (!status.success) return noStatus;
  return verdict(status.data, textAt(object, 'status', 'sync', 'status'), textAt(health, 'message'));
}

/** The object's own generation counts, condition by condition: Flux notes it for the whole only when all is well. */
const fluxSteps: readonly Step[] = [
  suspendedBy('spec.suspend', 'Suspended'),
  isTrue('Stalled', 'Degraded'),
  isTrue('Ready', 'Healthy'),
  isFalse('Ready', 'Progressing', { reasons: ['DependencyNotReady', 'Progressing'] }),
  isFalse('Ready', 'Degraded', { reasons: ['ArtifactFailed', 'SourceNotReady'], patience: 300 }),
  isFalse('Ready', 'Degraded'),
  isTrue('Reconciling', 'Progressing'),
  { condition: 'Ready', is: ['Unknown'], health: 'Progressing' },
];

/** Alert and Provider have no status in newer versions. */
const fluxRule: Rule = (object, now) => {
  const isStatic = object.apiVersion.startsWith('notification.') && object.kind !== 'Receiver';
  return by(fluxSteps, isStatic ? healthy : noStatus)(object, now);
};

const canaryPhases = phase('status.phase', {
  Healthy: ['Initialized', 'Succeeded'],
  Degraded: ['Failed'],
  Suspended: ['Waiting', 'WaitingPromotion'],
});

/** Flagger says where it is in a phase, and why in the condition Promoted. */
function canaryHealth(object: KubeObject, now: number): Verdict {
  const found = healthBy(canaryPhases, object, now) ?? noStatus;
  return { ...found, message: conditionOf(object, 'Promoted')?.message ?? found.message };
}

const argoPhases = phase(
  'status.phase',
  { Healthy: ['Successful', 'Succeeded'], Degraded: ['Failed', 'Error'], Unknown: ['Inconclusive'] },
  'status.message',
);

const tekton = by([
  { field: 'spec.status', is: ['PipelineRunPending'], health: 'Suspended' },
  ...condition('Succeeded'),
]);

export const delivery: Readonly<Record<string, Rule>> = {
  'argoproj.io/Rollout': rolloutHealth,
  'argoproj.io/AnalysisRun': by(argoPhases),
  'argoproj.io/Experiment': by(argoPhases),
  'argoproj.io/Workflow': by([suspendedBy('spec.suspend', 'Suspended'), ...argoPhases]),
  'argoproj.io/CronWorkflow': by([suspendedBy('spec.suspend', 'Suspended')], healthy),
  'argoproj.io/Application': applicationHealth,
  'argoproj.io/ApplicationSet': by([
    isTrue('ErrorOccurred', 'Degraded'),
    isTrue('RolloutProgressing', 'Progressing'),
    ...condition('ResourcesUpToDate'),
  ]),
  'flagger.app/Canary': canaryHealth,
  'tekton.dev/PipelineRun': tekton,
  'tekton.dev/TaskRun': tekton,
  '*.toolkit.fluxcd.io': fluxRule,
};
