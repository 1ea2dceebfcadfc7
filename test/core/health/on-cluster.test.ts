import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import { load } from 'js-yaml';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import { clusterCheckSchema, type TargetCheck } from '../../../core/model/check.ts';
import { kubeObjectSchema, type KubeObject } from '../../../core/model/object.ts';
import { sweepCluster } from '../../../core/sweep.ts';
import { at } from '../../cluster/cluster-client.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { realWorld, settleHealth, type HastyClock } from '../reconcile/real-world.ts';
import type { ReconcileWorld } from '../reconcile/reconcile-world.ts';

/** Health that changes with no push, on a real API server with real controllers. */

let real: TestCluster;
let world: ReconcileWorld<HastyClock>;
before(async () => {
  real = await testCluster('health');
});
/** A world of its own per test: its clock is put forward. */
let count = 0;
beforeEach(() => {
  count += 1;
  world = realWorld(real.kubeconfig, `health-${count}`, real.namespace);
});
after(async () => real.stop());

const workload = (kind: 'Deployment' | 'StatefulSet', name: string): KubeObject =>
  kubeObjectSchema.parse(
    load(`
apiVersion: apps/v1
kind: ${kind}
metadata: { name: ${name} }
spec:
  replicas: 2
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: app, image: "example.org/app:1" }] }
`),
  );

/** What a node says of pods whose containers crash: they are not ready any more. */
async function crash(app: string): Promise<void> {
  const pods = `/api/v1/namespaces/${real.namespace}/pods`;
  for (const pod of await real.admin.list(`${pods}?labelSelector=app%3D${app}`)) {
    const name = at(pod, 'metadata', 'name');
    assert.ok(typeof name === 'string');
    const down = { type: 'Ready', status: 'False', reason: 'ContainersNotReady' };
    const conditions = [down, { ...down, type: 'ContainersReady' }];
    await real.admin.ask('PATCH', `${pods}/${name}/status`, {
      contentType: 'application/strategic-merge-patch+json',
      body: { status: { conditions } },
    });
  }
}

async function sweep(): Promise<TargetCheck | undefined> {
  const config = parseStackConfig({
    repositories: [{ name: 'config', url: 'https://example.com/config.git' }],
    clusters: [{ name: 'east', access: { type: 'eks', name: 'east' } }],
  });
  await sweepCluster({ cluster: 'east', requestedBy: 'test' }, { ...world.deps, config });
  const recorded = await readDocument(world.store, keys.check('east'), clusterCheckSchema);
  return recorded?.value.targets[world.target.application];
}

/** Sweeps until the record says so: controllers take a moment to notice. */
async function untilRecorded(expected: RegExp): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const check = await sweep();
    const said = `${check?.health ?? 'none'} ${check?.healthMessage ?? ''}`;
    if (expected.test(said)) return;
    assert.ok(Date.now() < deadline, `the last sweep recorded "${said}"`);
    await delay(200);
  }
}

describe('a workload that breaks with no push', () => {
  test('is recorded Degraded by a sweep, and as a figure', async () => {
    await world.push([workload('Deployment', 'front')]);
    assert.match(await settleHealth(world, await world.record()), /^Healthy/);
    await untilRecorded(/^Healthy/);
    await crash('front');
    await untilRecorded(/^Progressing Deployment .*\/front: Unavailable: 0 of 2 replicas are available/);
    world.clock.advance(601_000);
    world.metrics.data.splice(0);
    await untilRecorded(
      /^Degraded Deployment .*\/front: MinimumReplicasUnavailable: 0 of 2 replicas are available for more than 600 s/,
    );
    const sent = world.metrics.data.map(({ name, value }) => `${name} ${value}`);
    assert.ok(sent.includes('DegradedTargets 1'), sent.join(', '));
  });

  test('is recorded Degraded though its kind knows no deadline: nothing has moved for as long', async () => {
    await world.push([workload('StatefulSet', 'db')]);
    assert.match(await settleHealth(world, await world.record()), /^Healthy/);
    await untilRecorded(/^Healthy/);
    await crash('db');
    await untilRecorded(/^Progressing StatefulSet .*\/db: NotReady: 0 of 2 replicas are ready/);
    world.clock.advance(601_000);
    await untilRecorded(/^Degraded StatefulSet .*\/db: NotReady: .* nothing has changed for 600 s/);
  });

  test('is judged by a check of the application’s own', async () => {
    const health = [
      {
        match: { kind: 'ConfigMap', name: 'flags' },
        degraded: 'object.data.mode == "broken"',
        healthy: 'true',
        message: '"mode is " + object.data.mode',
      },
    ];
    const flags = (mode: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'flags' },
      data: { mode },
    });
    await world.push([flags('fast')], { health, drift: 'observe' });
    assert.match(await settleHealth(world, await world.record()), /^Healthy/);
    await real.admin.patch(`/api/v1/namespaces/${real.namespace}/configmaps/flags`, {
      data: { mode: 'broken' },
    });
    await untilRecorded(/^Degraded ConfigMap .*\/flags: HealthCheck: mode is broken/);
  });
});
