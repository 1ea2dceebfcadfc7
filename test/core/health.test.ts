import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasHealth, worstHealth } from '../../core/health.ts';
import type { HealthStatus, ObjectHealth } from '../../core/model/health.ts';

function object(name: string, status: HealthStatus): ObjectHealth {
  return {
    ref: { group: 'apps', kind: 'Deployment', namespace: 'shop', name },
    status,
    reason: 'Why',
    message: `says ${name}`,
  };
}

test('the worst object speaks for the target', () => {
  const order: HealthStatus[] = ['Healthy', 'Suspended', 'Unknown', 'Progressing', 'Missing', 'Degraded'];
  for (const [index, status] of order.entries()) {
    const objects = order.slice(0, index + 1).map((each) => object(each.toLowerCase(), each));
    assert.equal(worstHealth(objects).status, status);
  }
});

test('its message names that object and counts the others of its kind', () => {
  const objects = [object('a', 'Healthy'), object('b', 'Degraded'), object('c', 'Degraded')];
  assert.deepEqual(worstHealth(objects), {
    status: 'Degraded',
    message: 'Deployment shop/b: Why: says b (and 1 more)',
  });
});

test('nothing to look at is healthy', () => {
  assert.deepEqual(worstHealth([]), { status: 'Healthy', message: '' });
});

test('only kinds that can be other than there are read', () => {
  const kinds = [
    ['', 'ConfigMap', false],
    ['', 'Secret', false],
    ['', 'Namespace', true],
    ['', 'Service', true],
    ['rbac.authorization.k8s.io', 'ClusterRole', false],
    ['networking.k8s.io', 'NetworkPolicy', false],
    ['networking.k8s.io', 'Ingress', true],
    ['apps', 'Deployment', true],
    ['cert-manager.io', 'Certificate', true],
    ['gateway.networking.k8s.io', 'Gateway', true],
  ] as const;
  for (const [group, kind, expected] of kinds) {
    assert.equal(hasHealth({ group, kind, name: 'a' }), expected, `${group}/${kind}`);
  }
});
