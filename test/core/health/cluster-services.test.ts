import { describe } from 'node:test';
import { judge } from './table.ts';

describe('Service, Ingress, PersistentVolumeClaim', () => {
  const claim = (phase: string): string =>
    `{ apiVersion: v1, kind: PersistentVolumeClaim, metadata: { name: data }, status: { phase: ${phase} } }`;
  judge([
    [
      'ClusterIP',
      'Healthy',
      '{ apiVersion: v1, kind: Service, metadata: { name: a }, spec: { type: ClusterIP }, status: { loadBalancer: {} } }',
    ],
    [
      'LoadBalancer without an address',
      'Progressing NoAddress',
      '{ apiVersion: v1, kind: Service, metadata: { name: a }, spec: { type: LoadBalancer }, status: { loadBalancer: {} } }',
    ],
    [
      'LoadBalancer with one',
      'Healthy',
      '{ apiVersion: v1, kind: Service, metadata: { name: a }, spec: { type: LoadBalancer }, status: { loadBalancer: { ingress: [{ hostname: a.elb.amazonaws.com }] } } }',
    ],
    [
      'Ingress without an address',
      'Progressing NoAddress',
      '{ apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: { name: a, generation: 1 } }',
    ],
    [
      'Ingress with one',
      'Healthy',
      '{ apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: { name: a }, status: { loadBalancer: { ingress: [{ ip: 10.0.0.1 }] } } }',
    ],
    ['claim bound', 'Healthy', claim('Bound')],
    ['claim pending', 'Progressing Unbound', claim('Pending')],
    ['claim lost', 'Degraded Lost', claim('Lost')],
  ]);
});

describe('PodDisruptionBudget, HorizontalPodAutoscaler', () => {
  const budget = (status: string): string =>
    `{ apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: { name: a, generation: 1 }, status: ${status} }`;
  const autoscaler = (conditions: string): string =>
    `{ apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: { name: a }, status: { conditions: ${conditions} } }`;
  judge([
    ['budget not seen', 'Progressing NotObserved', budget('{}')],
    [
      'budget with no pod to spare does its work',
      'Healthy',
      budget(
        '{ observedGeneration: 1, currentHealthy: 1, desiredHealthy: 2, conditions: [{ type: DisruptionAllowed, status: "False", reason: InsufficientPods }] }',
      ),
    ],
    [
      'budget that cannot be worked out',
      'Degraded SyncFailed: found no controller ref',
      budget(
        '{ observedGeneration: 1, conditions: [{ type: DisruptionAllowed, status: "False", reason: SyncFailed, message: found no controller ref }] }',
      ),
    ],
    ['budget met', 'Healthy', budget('{ observedGeneration: 1, currentHealthy: 2, desiredHealthy: 2 }')],
    ['autoscaler not seen', 'Progressing NoStatus', autoscaler('[]')],
    [
      'autoscaler without metrics',
      'Degraded FailedGetResourceMetric: no metrics returned',
      autoscaler(
        '[{ type: AbleToScale, status: "True" }, { type: ScalingActive, status: "False", reason: FailedGetResourceMetric, message: no metrics returned }]',
      ),
    ],
    [
      'autoscaler whose target is scaled to nothing',
      'Healthy',
      autoscaler(
        '[{ type: AbleToScale, status: "True" }, { type: ScalingActive, status: "False", reason: ScalingDisabled }]',
      ),
    ],
    [
      'autoscaler at its maximum',
      'Healthy',
      autoscaler(
        '[{ type: AbleToScale, status: "True" }, { type: ScalingActive, status: "True" }, { type: ScalingLimited, status: "True" }]',
      ),
    ],
  ]);
});

describe('definitions, API services, namespaces', () => {
  const definition = (conditions: string): string =>
    `{ apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: { name: a.example.org }, status: { conditions: ${conditions} } }`;
  judge([
    ['definition just created', 'Progressing Installing', definition('[]')],
    [
      'definition established',
      'Healthy',
      definition('[{ type: NamesAccepted, status: "True" }, { type: Established, status: "True" }]'),
    ],
    [
      'definition whose names are taken',
      'Degraded KindConflict: "Foo" is already in use',
      definition(
        `[{ type: NamesAccepted, status: "False", reason: KindConflict, message: '"Foo" is already in use' }]`,
      ),
    ],
    [
      'API service without an answer',
      'Progressing MissingEndpoints',
      '{ apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: { name: a }, status: { conditions: [{ type: Available, status: "False", reason: MissingEndpoints }] } }',
    ],
    [
      'namespace',
      'Healthy',
      '{ apiVersion: v1, kind: Namespace, metadata: { name: a }, status: { phase: Active } }',
    ],
    [
      'namespace going away',
      'Progressing Terminating',
      '{ apiVersion: v1, kind: Namespace, metadata: { name: a, deletionTimestamp: "2026-11-23T11:59:59Z" }, status: { phase: Terminating } }',
    ],
  ]);
});

describe('custom kinds by their conditions', () => {
  const widget = (status: string): string =>
    `{ apiVersion: example.org/v1, kind: Widget, metadata: { name: tls, generation: 2 }, status: ${status} }`;
  judge([
    ['no conditions at all', 'Healthy', widget('{}')],
    ['ready', 'Healthy', widget('{ conditions: [{ type: Ready, status: "True" }] }')],
    [
      'ready, but of the generation before',
      'Progressing NotObserved',
      widget('{ observedGeneration: 1, conditions: [{ type: Ready, status: "True" }] }'),
    ],
    [
      'not ready',
      'Progressing DoesNotExist: its Secret does not exist',
      widget(
        '{ conditions: [{ type: Ready, status: "False", reason: DoesNotExist, message: its Secret does not exist }] }',
      ),
    ],
    [
      'reconciling',
      'Progressing Progressing',
      widget(
        '{ conditions: [{ type: Reconciling, status: "True", reason: Progressing }, { type: Ready, status: "True" }] }',
      ),
    ],
    [
      'stalled wins',
      'Degraded InvalidSpec',
      widget(
        '{ conditions: [{ type: Stalled, status: "True", reason: InvalidSpec }, { type: Reconciling, status: "True" }] }',
      ),
    ],
  ]);
});
