import type { Json } from '../model/json.ts';
import type { KubeObject } from '../model/object.ts';
import { condition, healthBy, isFalse, isTrue, by, type Step } from './steps.ts';
import {
  conditionsOf,
  healthy,
  listAt,
  noStatus,
  progressing,
  textAt,
  type Rule,
  type Verdict,
} from './verdict.ts';

/** What a Gateway, a listener and a parent of a route have in common, but for what makes them healthy. */
const faults: readonly Step[] = [
  isFalse('Accepted', 'Progressing', { reasons: ['Pending'] }),
  isFalse('ResolvedRefs', 'Degraded'),
  isFalse('Accepted', 'Degraded'),
  isTrue('Conflicted', 'Degraded'),
  isTrue('PartiallyInvalid', 'Degraded'),
  isFalse('Reconciled', 'Degraded'),
  isFalse('Programmed', 'Degraded', { reasons: ['Invalid', 'AddressNotUsable'] }),
  { condition: 'Programmed', is: ['False', 'Unknown'], health: 'Progressing' },
  { condition: 'Accepted', is: ['Unknown'], health: 'Progressing' },
];

const working: readonly Step[] = [...faults, isTrue('Programmed', 'Healthy'), isTrue('Accepted', 'Healthy')];

function gatewayHealth(object: KubeObject, now: number): Verdict {
  const own = healthBy(working, object, now);
  if (own !== undefined && own.status !== 'Healthy') return own;
  for (const listener of listAt(object, 'status', 'listeners')) {
    const fault = healthBy(faults, object, now, conditionsOf(object, listener));
    if (fault !== undefined) return about(`listener ${textAt(listener, 'name')}`, fault);
  }
  return own ?? noStatus;
}

/** Routes and policies: each controller reports on each parent, and speaks for itself alone. */
function attached(list: 'parents' | 'ancestors', ref: 'parentRef' | 'ancestorRef'): Rule {
  return (object, now) => {
    const reports = listAt(object, 'status', list).filter((report) => !isLeftOver(object, report, list));
    for (const report of reports) {
      const found = healthBy(working, object, now, conditionsOf(object, report)) ?? noStatus;
      if (found.status !== 'Healthy') return about(`parent ${textAt(report, ref, 'name')}`, found);
    }
    const missing = unreported(object, listAt(object, 'status', list), ref);
    if (missing !== undefined) return progressing('NoStatus', `nobody has reported for ${missing} yet`);
    return reports.length > 0 ? healthy : noStatus;
  };
}

/** A report on an older generation by a controller that has reported on the newest since: of a parent it has lost. */
function isLeftOver(object: KubeObject, report: Json, list: 'parents' | 'ancestors'): boolean {
  const isStale = (each: Json): boolean => {
    const conditions = conditionsOf(object, each);
    return conditions.length > 0 && conditions.every((found) => found.isStale);
  };
  const controller = textAt(report, 'controllerName');
  return (
    isStale(report) &&
    listAt(object, 'status', list).some(
      (other) =>
        textAt(other, 'controllerName') === controller &&
        conditionsOf(object, other).length > 0 &&
        !isStale(other),
    )
  );
}

function unreported(object: KubeObject, reports: readonly Json[], ref: string): string | undefined {
  const named = new Set(reports.map((report) => textAt(report, ref, 'name')));
  return listAt(object, 'spec', 'parentRefs')
    .map((parent) => textAt(parent, 'name'))
    .find((name) => !named.has(name));
}

function about(subject: string, { status, reason, message }: Verdict): Verdict {
  return { status, reason, message: message === '' ? subject : `${subject}: ${message}` };
}

/** Controllers that write nothing but the generation they have seen. */
const seen = by([{ field: 'status.observedGeneration', health: 'Healthy', reason: '' }]);

const route = attached('parents', 'parentRef');

export const gatewayApi: Readonly<Record<string, Rule>> = {
  'gateway.networking.k8s.io/GatewayClass': by(condition('Accepted')),
  'gateway.networking.k8s.io/Gateway': gatewayHealth,
  'gateway.networking.k8s.io/ListenerSet': gatewayHealth,
  'gateway.networking.x-k8s.io/XListenerSet': gatewayHealth,
  'gateway.networking.k8s.io/HTTPRoute': route,
  'gateway.networking.k8s.io/GRPCRoute': route,
  'gateway.networking.k8s.io/TLSRoute': route,
  'gateway.networking.k8s.io/TCPRoute': route,
  'gateway.networking.k8s.io/UDPRoute': route,
  'gateway.networking.k8s.io/BackendTLSPolicy': attached('ancestors', 'ancestorRef'),
  'gateway.networking.k8s.io/ReferenceGrant': () => healthy,
  'elbv2.k8s.aws/TargetGroupBinding': seen,
  'externaldns.k8s.io/DNSEndpoint': seen,
};
