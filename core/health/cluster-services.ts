import type { LiveObject } from '../model/object.ts';
import {
  conditionOf,
  conditionsOf,
  healthy,
  listAt,
  numberAt,
  textAt,
  trueCondition,
  verdict,
  verdictOf,
  type Verdict,
} from './verdict.ts';

/** Kinds that a controller of the cluster answers for, other than workloads. */

export function serviceHealth(object: LiveObject): Verdict {
  return textAt(object, 'spec', 'type') === 'LoadBalancer' ? ingressHealth(object) : healthy;
}

export function ingressHealth(object: LiveObject): Verdict {
  if (listAt(object, 'status', 'loadBalancer', 'ingress').length > 0) return healthy;
  return verdict('Progressing', 'NoAddress', 'no load balancer has given it an address yet');
}

export function claimHealth(object: LiveObject): Verdict {
  const phase = textAt(object, 'status', 'phase');
  if (phase === 'Bound') return healthy;
  if (phase === 'Lost') return verdict('Degraded', 'Lost', 'its volume is lost');
  return verdict('Progressing', 'Unbound', 'is not bound to a volume yet');
}

export function disruptionBudgetHealth(object: LiveObject): Verdict {
  const current = numberAt(object, 'status', 'currentHealthy');
  const wanted = numberAt(object, 'status', 'desiredHealthy');
  if (current >= wanted) return healthy;
  return verdict('Progressing', 'InsufficientPods', `${current} of ${wanted} pods that it wants are healthy`);
}

/** It fails for good reasons at first (no metrics yet), so only what it cannot do at all counts. */
export function autoscalerHealth(object: LiveObject): Verdict {
  const failing = conditionsOf(object).find(
    ({ type, status, reason }) =>
      status === 'False' &&
      ((type === 'AbleToScale' && reason.startsWith('Failed')) ||
        (type === 'ScalingActive' && /^(Failed|Invalid)/.test(reason))),
  );
  if (failing !== undefined) return verdictOf('Degraded', failing);
  return conditionOf(object, 'AbleToScale') === undefined ? verdict('Progressing', 'NotObserved') : healthy;
}

export function definitionHealth(object: LiveObject): Verdict {
  const names = conditionOf(object, 'NamesAccepted');
  if (names?.status === 'False') return verdictOf('Degraded', names);
  if (trueCondition(object, 'Established') !== undefined) return healthy;
  return verdict('Progressing', 'NotEstablished', 'the API server does not serve its kind yet');
}

export function apiServiceHealth(object: LiveObject): Verdict {
  if (trueCondition(object, 'Available') !== undefined) return healthy;
  const available = conditionOf(object, 'Available');
  return available === undefined
    ? verdict('Progressing', 'NotAvailable')
    : verdictOf('Progressing', available);
}

/** The conditions that kstatus asks of custom kinds; a kind that has none of them is healthy once it exists. */
export function conditionHealth(object: LiveObject): Verdict {
  const stalled = trueCondition(object, 'Stalled');
  if (stalled !== undefined) return verdictOf('Degraded', stalled);
  const reconciling = trueCondition(object, 'Reconciling');
  if (reconciling !== undefined) return verdictOf('Progressing', reconciling);
  const ready = conditionOf(object, 'Ready');
  return ready === undefined || ready.status === 'True' ? healthy : verdictOf('Progressing', ready);
}
