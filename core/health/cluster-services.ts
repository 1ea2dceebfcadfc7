import { jsonSchema } from '../model/json.ts';
import type { KubeObject } from '../model/object.ts';
import { podHealth } from './pods.ts';
import { by, healthBy, isFalse, isTrue, phase, type Step } from './steps.ts';
import {
  conditionOf,
  conditionsOf,
  healthy,
  listAt,
  progressing,
  textAt,
  trueCondition,
  verdict,
  verdictOf,
  type Rule,
  type Verdict,
} from './verdict.ts';

/** Kinds of Kubernetes itself, other than workloads. */

function serviceHealth(object: KubeObject): Verdict {
  return textAt(object, 'spec', 'type') === 'LoadBalancer' ? ingressHealth(object) : healthy;
}

function ingressHealth(object: KubeObject): Verdict {
  if (listAt(object, 'status', 'loadBalancer', 'ingress').length > 0) return healthy;
  return progressing('NoAddress', 'no load balancer has given it an address yet');
}

function claimHealth(object: KubeObject): Verdict {
  const state = textAt(object, 'status', 'phase');
  if (state === 'Bound') return healthy;
  if (state === 'Lost') return verdict('Degraded', 'Lost', 'its volume is lost');
  return progressing('Unbound', 'is not bound to a volume yet');
}

/** Seconds in which the metrics of new pods may still come. */
const metricsPatience = 120;

const scaleFailures = ['FailedGetScale', 'FailedUpdateScale'];
const metricFailures = [
  'FailedGetResourceMetric',
  'FailedGetContainerResourceMetric',
  'FailedGetObjectMetric',
  'FailedGetPodsMetric',
  'FailedGetExternalMetric',
  'FailedComputeMetricsReplicas',
];

const autoscalerSteps: readonly Step[] = [
  isFalse('AbleToScale', 'Degraded', { reasons: scaleFailures }),
  isFalse('ScalingActive', 'Degraded', { reasons: ['InvalidSelector', 'InvalidMetricSourceType'] }),
  isFalse('ScalingActive', 'Degraded', { reasons: metricFailures, patience: metricsPatience }),
  isTrue('AbleToScale', 'Healthy'),
  isTrue('ScalingLimited', 'Healthy'),
];

/** In v1 the conditions stand in an annotation, as JSON. */
function autoscalerHealth(object: KubeObject, now: number): Verdict {
  const annotation = object.metadata.annotations?.['autoscaling.alpha.kubernetes.io/conditions'];
  const conditions =
    annotation === undefined
      ? conditionsOf(object)
      : conditionsOf(object, { conditions: parsed(annotation) });
  return (
    healthBy(autoscalerSteps, object, now, conditions) ??
    progressing('NoStatus', 'its controller has not said whether it can scale')
  );
}

function parsed(annotation: string) {
  try {
    return jsonSchema.parse(JSON.parse(annotation));
  } catch {
    // Written by hand, or cut off: then there are no conditions, and the autoscaler is not known to work.
    return [];
  }
}

function definitionHealth(object: KubeObject): Verdict {
  const names = conditionOf(object, 'NamesAccepted');
  if (names?.status === 'False') return verdictOf('Degraded', names);
  const established = conditionOf(object, 'Established');
  if (established?.status === 'True') return healthy;
  const isNew = established === undefined || ['', 'Installing'].includes(established.reason);
  return isNew
    ? progressing('Installing', 'the API server does not serve its kind yet')
    : verdictOf('Degraded', established);
}

function namespaceHealth(object: KubeObject): Verdict {
  if (textAt(object, 'status', 'phase') !== 'Terminating') return healthy;
  const left =
    trueCondition(object, 'NamespaceContentRemaining') ??
    trueCondition(object, 'NamespaceFinalizersRemaining');
  return progressing('Terminating', left?.message ?? 'is being deleted');
}

export const clusterServices: Readonly<Record<string, Rule>> = {
  '/Pod': podHealth,
  '/Service': serviceHealth,
  '/Namespace': namespaceHealth,
  '/PersistentVolumeClaim': claimHealth,
  '/PersistentVolume': by(
    phase(
      'status.phase',
      { Healthy: ['Bound', 'Available', 'Released'], Degraded: ['Failed'] },
      'status.message',
    ),
  ),
  'networking.k8s.io/Ingress': ingressHealth,
  // Too few pods to spare one is how a budget works, not a fault of it.
  'policy/PodDisruptionBudget': by(
    [isFalse('DisruptionAllowed', 'Degraded', { reasons: ['SyncFailed'] })],
    healthy,
  ),
  'autoscaling/HorizontalPodAutoscaler': autoscalerHealth,
  'autoscaling.k8s.io/VerticalPodAutoscaler': by([isTrue('ConfigUnsupported', 'Degraded')], healthy),
  'apiextensions.k8s.io/CustomResourceDefinition': definitionHealth,
  'apiregistration.k8s.io/APIService': by([
    isTrue('Available', 'Healthy'),
    { condition: 'Available', is: ['False', 'Unknown'], health: 'Progressing' },
  ]),
  'jobset.x-k8s.io/JobSet': by([
    isTrue('Failed', 'Degraded'),
    isTrue('Completed', 'Healthy'),
    isTrue('Suspended', 'Suspended'),
  ]),
};
