import { by, isFalse, isTrue, type Step } from './steps.ts';
import { conditionOf, healthy, type Rule } from './verdict.ts';

/** How kinds are judged that no rule names: what kstatus expects of every custom kind, then what families of them share. */

/** kstatus: a kind that has none of these is healthy once it exists. */
const conventional: readonly Step[] = [
  isTrue('Stalled', 'Degraded'),
  isTrue('Reconciling', 'Progressing'),
  isTrue('Ready', 'Healthy'),
  { condition: 'Ready', is: ['False', 'Unknown'], health: 'Progressing' },
];

/** Seconds that AWS may go on refusing before it is a fault: permissions and limits take a while to arrive. */
const ackPatience = 600;

/** AWS Controllers for Kubernetes: all of their kinds speak alike. */
const ackSteps: readonly Step[] = [
  isTrue('ACK.Terminal', 'Degraded'),
  isTrue('ACK.Recoverable', 'Degraded', { patience: ackPatience }),
  isTrue('Ready', 'Healthy'),
  isFalse('Ready', 'Progressing'),
  isTrue('ACK.ResourceSynced', 'Healthy'),
  { condition: 'ACK.ResourceSynced', is: ['False', 'Unknown'], health: 'Progressing' },
  isTrue('ACK.Adopted', 'Healthy'),
];

/** Crossplane: managed resources, claims, composites and packages. Offered and the like stand for definitions. */
const crossplaneSteps: readonly Step[] = [
  isFalse('Synced', 'Suspended', { reasons: ['ReconcilePaused'] }),
  isFalse('LastAsyncOperation', 'Degraded'),
  isFalse('Synced', 'Degraded'),
  isFalse('Installed', 'Progressing', { reasons: ['UnpackingPackage', 'InactivePackageRevision'] }),
  isFalse('Installed', 'Degraded'),
  isFalse('Healthy', 'Degraded'),
  isFalse('RevisionHealthy', 'Degraded'),
  isFalse('ValidPipeline', 'Degraded'),
  isTrue('Ready', 'Healthy'),
  { condition: 'Ready', is: ['False', 'Unknown'], health: 'Progressing' },
  isTrue('Healthy', 'Healthy'),
  isTrue('RevisionHealthy', 'Healthy'),
  isFalse('Offered', 'Progressing'),
  isFalse('Established', 'Progressing'),
  isTrue('Established', 'Healthy'),
  isTrue('ValidPipeline', 'Healthy'),
];

export const ackHealth = by(ackSteps);
export const crossplaneHealth = by(crossplaneSteps);
/** For Crossplane kinds that hold configuration and never get a status. */
export const configurationHealth = by(crossplaneSteps, healthy);

/**
 * Claims and composites of Crossplane and resources of ACK bring groups of their own; Synced beside Ready, and conditions
 * that begin with `ACK.`, give them away.
 */
export const conventionalHealth: Rule = (object, now) => {
  if (conditionOf(object, 'Synced') !== undefined && conditionOf(object, 'Ready') !== undefined) {
    return crossplaneHealth(object, now);
  }
  if (conditionOf(object, 'ACK.ResourceSynced') !== undefined) return ackHealth(object, now);
  return by(conventional, healthy)(object, now);
};
