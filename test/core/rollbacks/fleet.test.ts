import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StagedFleet } from '../reconcile/staged-fleet.ts';
import { TrialWorld } from './trial-world.ts';
import { rollBackFailed } from '../../../core/auto-rollback.ts';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import { desiredPointerSchema } from '../../../core/model/desired.ts';
import { deployment } from './trial-world.ts';

test('two clusters: the one that is bad goes back, the other one stays', async () => {
  const images: (string | undefined)[] = [];
  const pins: (string | undefined)[] = [];
  for (const cluster of ['east', 'west']) {
    const world = new TrialWorld(cluster);
    await world.push('good:1');
    await world.pass(600);
    // The same objects: it is this cluster that has no room for them.
    world.isFull = cluster === 'east';
    await world.push('good:2');
    await world.pass(600);
    images.push(world.image());
    pins.push((await world.pointer()).pin?.by);
  }
  assert.deepEqual(
    [images, pins],
    [
      ['good:1', 'good:2'],
      ['trueup', undefined],
    ],
  );
});

test('a rollout in stages: the first stage goes back, the next one never begins', async () => {
  const fleet = new StagedFleet([
    { name: 'canary', clusters: ['dev'], soakSeconds: 60 },
    { name: 'rest', clusters: ['prod'] },
  ]);
  const rollback = { onFailure: { windowSeconds: 1800, alarms: [] } };
  const settle = (cluster: string, isReady: boolean) => {
    const address = { apiVersion: 'apps/v1', plural: 'deployments', namespace: 'default', name: 'web' };
    const memory = fleet.clusters.get(cluster);
    const observedGeneration = memory?.live(address)?.metadata.generation ?? 1;
    const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' };
    const ready = { replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
    const status = { observedGeneration, ...(isReady ? ready : { conditions: [late] }) };
    memory?.write(address, { kind: 'Deployment', status }, 'kube-controller-manager');
  };
  await fleet.push([deployment('good:1')], { rollback });
  await fleet.run('dev');
  settle('dev', true);
  fleet.clock.advance(10_000);
  await fleet.run('dev', 'health');
  fleet.clock.advance(120_000);
  assert.match(await fleet.run('prod'), /^applied/);
  settle('prod', true);
  fleet.clock.advance(10_000);
  await fleet.run('prod', 'health');

  await fleet.push([deployment('bad:2')], { rollback });
  await fleet.run('dev');
  settle('dev', false);
  await fleet.run('dev', 'watch');
  fleet.clock.advance(30_000);
  assert.match(await fleet.run('dev', 'watch'), /to be rolled back: it is Degraded/);
  const failed = fleet.world.bus.events.find(({ type }) => type === 'RevisionFailed');
  assert.ok(failed?.type === 'RevisionFailed');
  assert.match(await rollBackFailed(failed.detail, fleet.world.deps), /^rolled back/);
  assert.match(await fleet.run('dev'), /^applied/);
  settle('dev', true);
  fleet.clock.advance(3_600_000);
  assert.match(
    await fleet.run('prod'),
    /waits for stage canary: dev is pinned to commit 0000000 by trueup/,
    'what failed in the first stage is not tried in the next',
  );
  const pointer = async (cluster: string) =>
    (
      await readDocument(
        fleet.world.store,
        keys.desired({ cluster, application: 'web' }),
        desiredPointerSchema,
      )
    )?.value;
  assert.deepEqual([(await pointer('dev'))?.revision, (await pointer('prod'))?.revision], [3, 2]);
});
