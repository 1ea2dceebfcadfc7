import type { KubeObject } from '../model/object.ts';
import { crossplaneHealth, ackHealth, configurationHealth } from './conventions.ts';
import { by, condition, healthBy, isFalse, isTrue, phase, suspendedBy, type Step } from './steps.ts';
import {
  conditionsOf,
  healthy,
  listAt,
  noStatus,
  numberAt,
  progressing,
  textAt,
  valueAt,
  verdict,
  verdictOf,
  type Rule,
  type Verdict,
} from './verdict.ts';

/** Operators that run next to applications. Keys: `group/Kind`, `group` for all of its kinds, `*.group` for what is below. */

/** cert-manager tries again by itself: Issuing tells a try under way from one that has failed. */
const certificate: readonly Step[] = [
  isTrue('Issuing', 'Progressing'),
  isTrue('Ready', 'Healthy'),
  isFalse('Issuing', 'Degraded'),
  // Between the two controllers that write them, Ready comes first.
  isFalse('Ready', 'Progressing', { reasons: ['DoesNotExist', 'Issuing', 'Pending', 'InProgress'] }),
  ...condition('Ready'),
];

const certificateRequest: readonly Step[] = [
  isTrue('Denied', 'Degraded'),
  isTrue('InvalidRequest', 'Degraded'),
  isFalse('Ready', 'Progressing', { reasons: ['Pending'] }),
  ...condition('Ready'),
];

const acme = by(
  phase('status.state', { Healthy: ['valid'], Degraded: ['invalid', 'expired', 'errored'] }, 'status.reason'),
);

/** Older versions append a condition for each change and leave the others as they were: the last one counts. */
function clusterExternalSecretHealth(object: KubeObject, now: number): Verdict {
  const steps = [isTrue('PartiallyReady', 'Degraded'), isTrue('NotReady', 'Degraded'), ...condition('Ready')];
  return healthBy(steps, object, now, conditionsOf(object).slice(-1)) ?? noStatus;
}

/** `Degraded` and `False` of Available: some pods, and no pod. */
const monitored = by([
  suspendedBy('spec.paused', 'Paused'),
  isFalse('Reconciled', 'Degraded'),
  isTrue('Available', 'Healthy'),
  isFalse('Available', 'Degraded', { reasons: ['NoPodReady'], patience: 600 }),
  {
    condition: 'Available',
    is: ['Degraded', 'False', 'Unknown'],
    reasons: ['SomePodsNotReady'],
    health: 'Progressing',
  },
  { condition: 'Available', is: ['Degraded', 'False'], health: 'Degraded' },
  { condition: 'Available', is: ['Unknown'], health: 'Progressing' },
]);

/** Monitors and rules: newer operators tell each Prometheus' verdict, older ones nothing at all. */
function boundHealth(object: KubeObject, now: number): Verdict {
  for (const binding of listAt(object, 'status', 'bindings')) {
    const found = healthBy([isFalse('Accepted', 'Degraded')], object, now, conditionsOf(object, binding));
    if (found !== undefined) return found;
  }
  return healthy;
}

const scaled: readonly Step[] = [
  isFalse('Ready', 'Progressing', { reasons: ['HPAMetricsUnavailable'] }),
  isFalse('Ready', 'Degraded'),
  isTrue('Paused', 'Suspended'),
  isTrue('Fallback', 'Degraded'),
  ...condition('Ready'),
];

const karpenter = by([
  isTrue('Disrupting', 'Suspended'),
  isFalse('ValidationSucceeded', 'Degraded'),
  isFalse('NodeClassReady', 'Degraded'),
  ...condition('Ready'),
]);

const strimzi: readonly Step[] = [
  isTrue('ReconciliationPaused', 'Suspended'),
  isTrue('NotReady', 'Progressing', { reasons: ['Creating'] }),
  isTrue('NotReady', 'Degraded'),
  isTrue('ProposalReady', 'Suspended'),
  ...condition('Ready'),
];

/** Phases of CloudNativePG that need a person, or leave the cluster without its primary. */
const postgresFaults = new Set([
  'Failing over',
  'Waiting for user action',
  'Not enough disk space',
  'Cluster is unrecoverable and needs manual intervention',
  'Unable to create required cluster objects',
  'Cluster cannot proceed to reconciliation due to an unknown plugin being required',
  'Cluster has incomplete or invalid image catalog',
  'Cluster cannot execute instance online upgrade due to missing architecture binary',
]);

function postgresHealth(object: KubeObject): Verdict {
  if (object.metadata.annotations?.['cnpg.io/reconciliation'] === 'disabled') {
    return verdict('Suspended', 'ReconciliationDisabled', 'its reconciliation is switched off');
  }
  const hibernation = conditionsOf(object).find(({ type }) => type === 'cnpg.io/hibernation');
  if (hibernation?.status === 'True') return verdictOf('Suspended', hibernation);
  const state = textAt(object, 'status', 'phase');
  const message = textAt(object, 'status', 'phaseReason');
  if (state === '') return noStatus;
  if (state === 'Cluster in healthy state') return verdict('Healthy', state, message);
  return verdict(postgresFaults.has(state) ? 'Degraded' : 'Progressing', state, message);
}

function poolerHealth(object: KubeObject): Verdict {
  if (valueAt(object, 'spec', 'pgbouncer', 'paused') === true) return verdict('Suspended', 'Paused');
  if (valueAt(object, 'status', 'instances') === undefined) return noStatus;
  const wanted = numberAt(object, 'spec', 'instances') || 1;
  const current = numberAt(object, 'status', 'instances');
  return current < wanted ? progressing('Scaling', `${current} of ${wanted} instances are there`) : healthy;
}

const postgresObject = by([
  { field: 'status.applied', is: [true], health: 'Healthy', reason: 'Applied' },
  {
    field: 'status.applied',
    is: [false],
    health: 'Degraded',
    reason: 'NotApplied',
    message: 'status.message',
  },
]);

const veleroWork = by(
  phase(
    'status.phase',
    {
      Healthy: ['Completed'],
      Degraded: [
        'Failed',
        'FailedValidation',
        'PartiallyFailed',
        'FinalizingPartiallyFailed',
        'WaitingForPluginOperationsPartiallyFailed',
      ],
    },
    'status.failureReason',
  ),
);

const veleroLocation = by(
  phase('status.phase', { Healthy: ['Available'], Degraded: ['Unavailable'] }, 'status.message'),
);

/** Knative's Ready sums up the others, a moment after them. */
const knative: readonly Step[] = [
  isFalse('ConfigurationsReady', 'Degraded'),
  isFalse('RoutesReady', 'Degraded'),
  ...condition('Ready'),
];

const istioOperator = by(
  phase('status.status', { Healthy: ['HEALTHY'], Degraded: ['ERROR'], Unknown: ['NONE'] }, 'status.message'),
);

/** Configuration of the mesh: a status only where somebody has switched it on. */
function meshHealth(object: KubeObject, now: number): Verdict {
  const fault = listAt(object, 'status', 'validationMessages').find((said) =>
    /error/i.test(textAt(said, 'level')),
  );
  if (fault !== undefined) {
    return verdict('Degraded', textAt(fault, 'type', 'code') || 'Invalid', textAt(fault, 'type', 'name'));
  }
  return (
    healthBy([isFalse('Reconciled', 'Progressing'), isTrue('Reconciled', 'Healthy')], object, now) ?? healthy
  );
}

const istioRevision = by([
  isFalse('Reconciled', 'Degraded'),
  isTrue('Ready', 'Healthy'),
  { condition: 'Ready', is: ['False', 'Unknown'], health: 'Progressing' },
]);

const kyverno = by([
  ...condition('Ready'),
  { field: 'status.ready', is: [true], health: 'Healthy', reason: 'Ready' },
  { field: 'status.conditionStatus.ready', is: [true], health: 'Healthy', reason: 'Ready' },
  {
    field: 'status.conditionStatus.ready',
    is: [false],
    health: 'Degraded',
    reason: 'NotReady',
    message: 'status.conditionStatus.message',
  },
]);

/** Gatekeeper: each of its pods reports on its own. */
function gatekeeper(rest: Verdict): Rule {
  return (object) => {
    const errors = listAt(object, 'status', 'byPod').flatMap((pod) => listAt(pod, 'errors'));
    const [first] = errors;
    if (first !== undefined)
      return verdict('Degraded', textAt(first, 'code') || 'Error', textAt(first, 'message'));
    return listAt(object, 'status', 'byPod').length > 0 ? healthy : rest;
  };
}

const ready = by(condition('Ready'));
const synced = by(condition('Synced'));

export const operators: Readonly<Record<string, Rule>> = {
  'cert-manager.io/Certificate': by(certificate),
  'cert-manager.io/CertificateRequest': by(certificateRequest),
  'cert-manager.io/Issuer': ready,
  'cert-manager.io/ClusterIssuer': ready,
  'acme.cert-manager.io/Order': acme,
  'acme.cert-manager.io/Challenge': acme,
  'trust.cert-manager.io/Bundle': synced,

  'external-secrets.io/ClusterExternalSecret': clusterExternalSecretHealth,
  'external-secrets.io': ready,
  'bitnami.com/SealedSecret': synced,

  'monitoring.coreos.com/Prometheus': monitored,
  'monitoring.coreos.com/PrometheusAgent': monitored,
  'monitoring.coreos.com/Alertmanager': monitored,
  'monitoring.coreos.com/ThanosRuler': monitored,
  'monitoring.coreos.com': boundHealth,

  'keda.sh/ScaledObject': by(scaled),
  'keda.sh/ScaledJob': by(scaled),

  'karpenter.sh/NodePool': karpenter,
  'karpenter.sh/NodeClaim': karpenter,
  'karpenter.k8s.aws/EC2NodeClass': karpenter,
  'eks.amazonaws.com/NodeClass': karpenter,

  'kafka.strimzi.io/KafkaNodePool': by(strimzi, healthy),
  'kafka.strimzi.io': by(strimzi),

  'postgresql.cnpg.io/Cluster': postgresHealth,
  'postgresql.cnpg.io/Backup': by(
    phase(
      'status.phase',
      { Healthy: ['completed'], Degraded: ['failed', 'walArchivingFailing', 'invalid backup definition'] },
      'status.error',
    ),
  ),
  'postgresql.cnpg.io/ScheduledBackup': by([suspendedBy('spec.suspend', 'Suspended')], healthy),
  'postgresql.cnpg.io/Pooler': poolerHealth,
  'postgresql.cnpg.io/Database': postgresObject,
  'postgresql.cnpg.io/Publication': postgresObject,
  'postgresql.cnpg.io/Subscription': postgresObject,

  'serving.knative.dev': by(knative),
  'eventing.knative.dev': by(knative),
  'messaging.knative.dev': by(knative),
  'sources.knative.dev': by(knative),

  'velero.io/Backup': veleroWork,
  'velero.io/Restore': veleroWork,
  'velero.io/Schedule': by([
    suspendedBy('spec.paused', 'Paused'),
    ...phase('status.phase', { Healthy: ['Enabled'], Degraded: ['FailedValidation'] }),
  ]),
  'velero.io/BackupStorageLocation': veleroLocation,
  'velero.io/VolumeSnapshotLocation': by(
    phase('status.phase', { Healthy: ['Available'], Degraded: ['Unavailable'] }),
    healthy,
  ),

  'install.istio.io/IstioOperator': istioOperator,
  'sailoperator.io': istioRevision,
  'networking.istio.io': meshHealth,
  'security.istio.io': meshHealth,
  'telemetry.istio.io': meshHealth,
  'extensions.istio.io': meshHealth,

  'kyverno.io/ClusterPolicy': kyverno,
  'kyverno.io/Policy': kyverno,
  'policies.kyverno.io/ValidatingPolicy': kyverno,
  'policies.kyverno.io/MutatingPolicy': kyverno,
  'policies.kyverno.io/GeneratingPolicy': kyverno,
  'policies.kyverno.io/ImageValidatingPolicy': kyverno,
  'templates.gatekeeper.sh/ConstraintTemplate': gatekeeper(noStatus),
  'constraints.gatekeeper.sh': gatekeeper(healthy),

  '*.services.k8s.aws': ackHealth,
  'services.k8s.aws': ackHealth,

  'apiextensions.crossplane.io/Composition': configurationHealth,
  'apiextensions.crossplane.io/CompositionRevision': configurationHealth,
  'apiextensions.crossplane.io/EnvironmentConfig': configurationHealth,
  'pkg.crossplane.io/DeploymentRuntimeConfig': configurationHealth,
  'pkg.crossplane.io/ControllerConfig': configurationHealth,
  'pkg.crossplane.io/ImageConfig': configurationHealth,
  '*.crossplane.io': providerHealth,
  '*.upbound.io': providerHealth,
};

/** Every provider has a ProviderConfig and its like, which nobody reports on. */
function providerHealth(object: KubeObject, now: number): Verdict {
  const isConfiguration = /^(Cluster)?(ProviderConfig(Usage)?|StoreConfig)$/.test(object.kind);
  return (isConfiguration ? configurationHealth : crossplaneHealth)(object, now);
}
