import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { mortal, type Death, Killed } from './mortal.ts';
import { configMap, ReconcileWorld } from './reconcile-world.ts';
import { widget, widgetDefinition } from './widgets.ts';

const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
const inShop = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, namespace: 'shop' },
});

const first = [configMap('same'), configMap('changing'), configMap('old'), configMap('older')];
const second = [
  configMap('same'),
  configMap('changing', { a: '2' }),
  configMap('new'),
  namespace,
  inShop(configMap('content')),
  widgetDefinition,
  widget,
];
/** Drops what the dying run was about to create, and wants again what it was about to prune. */
const third = [configMap('same'), configMap('changing', { a: '3' }), configMap('old')];

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  cluster.write(
    { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'bystander' },
    { kind: 'ConfigMap', data: {} },
  );
  return { world: new ReconcileWorld(clock, cluster), cluster, clock };
}

/** Lives until the given death in the second revision; false when the run ended before it. */
async function dies(death: Death) {
  const { world, cluster, clock } = newWorld();
  await world.push(first);
  await world.run();
  await world.push(second);
  const { deps, effects } = mortal(world.deps, death);
  const died = await world.run('push', deps).then(
    () => false,
    (error: unknown) => {
      assert.ok(error instanceof Killed, String(error));
      return true;
    },
  );
  return { world, cluster, clock, died, effects: effects() };
}

/** The queue delivers the message again, and whatever the runs asked for, until all is quiet. */
async function settle(world: ReconcileWorld<ManualClock>, clock: ManualClock): Promise<void> {
  clock.advance(120_000);
  await world.run();
  const { queues } = world;
  for (let turn = 0; turn < 20 && queues.later.length + queues.runs.length > 0; turn += 1) {
    const requests = [...queues.runs.splice(0), ...queues.later.splice(0).map(({ request }) => request)];
    clock.advance(900_000);
    for (const { reason } of requests) await world.run(reason);
  }
  // What was only marked goes with the run that the sweep asks for.
  clock.advance(900_000);
  await world.run('pending');
}

/** Everything of ours on the cluster is what is desired, and the inventory knows it as ours. */
async function assertWhole(
  world: ReconcileWorld<ManualClock>,
  cluster: MemoryCluster,
  desired: readonly KubeObject[],
  revision: number,
): Promise<void> {
  const nameOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.name}`;
  const live = cluster.labelled();
  assert.deepEqual(live.map(nameOf).toSorted(), desired.map(nameOf).toSorted());
  const { entries, applied, lastRun } = await world.inventory();
  assert.equal(Object.keys(entries).length, desired.length, 'nothing but what is desired is tracked');
  const tracked = new Map(Object.values(entries).map((entry) => [entry.uid, entry]));
  for (const object of live) {
    const entry = tracked.get(object.metadata.uid);
    assert.deepEqual(
      [entry?.state, entry?.created],
      ['applied', true],
      `${nameOf(object)} is known to be ours`,
    );
  }
  assert.deepEqual([applied?.revision, lastRun?.outcome], [revision, 'applied'], lastRun?.message);
  assert.ok(
    cluster.live({ apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'bystander' }),
    'what is not ours is not touched',
  );
  const finished = world.bus.events.filter(
    ({ type, detail }) =>
      type === 'ReconcileFinished' && 'revision' in detail && detail.revision === revision,
  );
  assert.ok(finished.length > 0, 'its end was announced');
}

for (const when of ['before', 'after'] as const) {
  test(`killed ${when} any effect, the next run completes it and nothing is orphaned`, async () => {
    let deaths = 0;
    for (let at = 1; ; at += 1) {
      const { world, cluster, clock, died } = await dies({ at, when });
      if (!died) break;
      deaths += 1;
      await settle(world, clock);
      await assertWhole(world, cluster, second, 2);
    }
    assert.ok(deaths >= 15, `${deaths} places to die`);
  });

  test(`killed ${when} any effect, and a newer commit comes before the next run`, async () => {
    for (let at = 1; ; at += 1) {
      const { world, cluster, clock, died } = await dies({ at, when });
      if (!died) break;
      world.pruneCap = { percent: 100, objects: 0 };
      await world.push(third);
      await settle(world, clock);
      await assertWhole(world, cluster, third, 3);
    }
  });
}
