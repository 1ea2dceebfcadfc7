import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hasHealth, healthOf } from '../../../core/health.ts';
import { healthCheckSchema } from '../../../core/model/rule.ts';
import { liveObject, now } from './table.ts';

const check = healthCheckSchema.parse({
  match: { group: 'example.org', kind: 'Job*' },
  degraded: 'object.status.phase == "Broken"',
  suspended: 'object.spec.paused',
  healthy: 'object.status.phase == "Done" && object.status.done >= object.spec.parts',
  message: '"phase " + object.status.phase',
});

const widget = (rest: string): string =>
  `{ apiVersion: example.org/v1, kind: JobRun, metadata: { name: a, namespace: shop, generation: 2 }, ${rest} }`;

function judged(yaml: string, checks = [check]): string {
  const { status, reason, message } = healthOf(liveObject(yaml), now, checks);
  return `${status} ${reason}: ${message}`;
}

describe('a health check of one’s own', () => {
  const cases: readonly (readonly [name: string, expected: string, yaml: string])[] = [
    [
      'the first that is true names the status',
      'Degraded HealthCheck: phase Broken',
      'status: { phase: Broken }',
    ],
    ['reading what is not there is not true', 'Suspended HealthCheck: ', 'spec: { paused: true }'],
    [
      'whole numbers are whole',
      'Healthy HealthCheck: phase Done',
      'spec: { parts: 3, paused: false }, status: { phase: Done, done: 3 }',
    ],
    [
      'none is true',
      'Progressing HealthCheck: phase Done',
      'spec: { parts: 3, paused: false }, status: { phase: Done, done: 2 }',
    ],
    [
      'nothing to read yet',
      'Progressing NoStatus: object.status.phase == "Broken": No such key: status',
      'spec: {}',
    ],
    [
      'no generation is Healthy that is not observed',
      'Progressing NotObserved: its controller has not seen generation 2 yet',
      'spec: { parts: 1 }, status: { phase: Done, done: 1, observedGeneration: 1 }',
    ],
    [
      'but a fault of it counts',
      'Degraded HealthCheck: phase Broken',
      'status: { phase: Broken, observedGeneration: 1 }',
    ],
  ];
  for (const [name, expected, rest] of cases) test(name, () => assert.equal(judged(widget(rest)), expected));

  test('an expression that gives no bool is a mistake, told with the expression', () => {
    const wrong = healthCheckSchema.parse({ match: {}, healthy: 'object.spec.replicas' });
    assert.equal(
      judged(widget('spec: { replicas: 3 }'), [wrong]),
      'Unknown InvalidCheck: healthy: object.spec.replicas: gives bigint, not a bool',
    );
  });

  test('goes before the rule for the kind, and the last that fits before the others', () => {
    const deployment =
      '{ apiVersion: apps/v1, kind: Deployment, metadata: { name: a, namespace: shop, generation: 1 }, status: { observedGeneration: 1 } }';
    const of = (namespace: string, healthy: string) =>
      healthCheckSchema.parse({ match: { kind: 'Deployment', namespace }, healthy });
    assert.match(judged(deployment, []), /^Progressing Updating/);
    assert.match(judged(deployment, [of('shop', 'false'), of('sh*', 'true')]), /^Healthy HealthCheck/);
    assert.match(judged(deployment, [of('sh*', 'true'), of('shop', 'false')]), /^Progressing HealthCheck/);
    assert.match(judged(deployment, [of('other', 'true')]), /^Progressing Updating/);
  });

  test('makes health of kinds that have none', () => {
    const ref = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'flags' };
    const flags = healthCheckSchema.parse({ match: { kind: 'ConfigMap', name: 'fl*' }, healthy: 'true' });
    assert.deepEqual([hasHealth(ref), hasHealth(ref, [flags])], [false, true]);
    assert.equal(hasHealth({ ...ref, name: 'other' }, [flags]), false);
  });
});
