import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { JsonObject } from '../../../core/model/json.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import type { ApplyOptions, ApplyOutcome, Clock, ObjectAddress } from '../../../core/ports.ts';
import { at } from '../../cluster/cluster-client.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { Killed, mortal, type Death } from './mortal.ts';
import { realWorld } from './real-world.ts';
import { ReconcileWorld, configMap } from './reconcile-world.ts';

/** Answers as the API server does when the data of an immutable ConfigMap is to change. */
class StrictCluster extends MemoryCluster {
  override async apply(
    address: ObjectAddress,
    object: KubeObject,
    options: ApplyOptions,
  ): Promise<ApplyOutcome> {
    const live = this.live(address);
    const isFixed = live?.['immutable'] === true && at(live, 'data', 'a') !== at(object, 'data', 'a');
    if (!isFixed) return super.apply(address, object, options);
    const message = `ConfigMap "${address.name}" is invalid: data: Forbidden: field is immutable when \`immutable\` is set`;
    return { kind: 'invalid', message };
  }
}

const fixed = (value: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'fixed', annotations: { 'trueup.dev/immutable': 'recreate' } },
  immutable: true,
  data: { a: value },
});
const address = (namespace: string): ObjectAddress => ({
  apiVersion: 'v1',
  plural: 'configmaps',
  namespace,
  name: 'fixed',
});

/** Dies while the object is deleted and made again; undefined when the run ended before that. */
async function dies<C extends Clock>(world: ReconcileWorld<C>, death: Death): Promise<boolean> {
  await world.push([fixed('1'), configMap('other')]);
  await world.run();
  await world.push([fixed('2'), configMap('other')]);
  try {
    await world.run('push', mortal(world.deps, death).deps);
    return false;
  } catch (error) {
    assert.ok(error instanceof Killed, String(error));
    return true;
  }
}

/** The queue delivers the message again, and what the runs asked for. */
async function settle<C extends Clock & { advance(milliseconds: number): void }>(
  world: ReconcileWorld<C>,
): Promise<void> {
  world.clock.advance(120_000);
  await world.run();
  for (let turn = 0; turn < 10 && world.queues.later.length + world.queues.runs.length > 0; turn += 1) {
    const { queues } = world;
    const requests = [...queues.runs.splice(0), ...queues.later.splice(0).map(({ request }) => request)];
    world.clock.advance(900_000);
    for (const { reason } of requests) if (reason !== 'health') await world.run(reason);
  }
}

async function assertRecreated<C extends Clock>(
  world: ReconcileWorld<C>,
  live: JsonObject | undefined,
  death: Death,
): Promise<void> {
  const where = `killed ${death.when} effect ${death.at}`;
  assert.equal(at(live, 'data', 'a'), '2', where);
  const { entries, lastRun } = await world.inventory();
  const entry = entries[`/ConfigMap/${world.namespace}/fixed`];
  assert.deepEqual(
    [
      entry?.state,
      entry?.uid === at(live, 'metadata', 'uid'),
      entry?.created,
      entry?.adopted,
      entry?.intendedAt,
      lastRun?.outcome,
    ],
    ['applied', true, true, false, undefined, 'applied'],
    `${where}: ${lastRun?.message}`,
  );
}

for (const when of ['before', 'after'] as const) {
  test(`killed ${when} any effect of a recreate, the next run finishes it, and it is ours`, async () => {
    let deaths = 0;
    for (let place = 1; ; place += 1) {
      const clock = new ManualClock();
      const cluster = new StrictCluster(clock);
      const world = new ReconcileWorld(clock, cluster);
      const death = { at: place, when };
      if (!(await dies(world, death))) break;
      deaths += 1;
      await settle(world);
      await assertRecreated(world, cluster.live(address(world.namespace)), death);
    }
    assert.ok(deaths >= 8, `${deaths} places to die`);
  });
}

test('killed between deletion and creation, and the next commit drops the object: nothing of it stays', async () => {
  for (let place = 1; ; place += 1) {
    const clock = new ManualClock();
    const cluster = new StrictCluster(clock);
    const world = new ReconcileWorld(clock, cluster);
    if (!(await dies(world, { at: place, when: 'after' }))) break;
    await world.push([configMap('other')]);
    await settle(world);
    const live = cluster.live(address(world.namespace));
    assert.equal(live, undefined, `killed after effect ${place}`);
    assert.deepEqual(Object.keys((await world.inventory()).entries), ['/ConfigMap/default/other']);
  }
});

let real: TestCluster;
before(async () => {
  real = await testCluster('recreate');
});
after(async () => real.stop());

test('on a real API server, at every effect', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let place = 1; ; place += 1) {
      const namespace = `${real.namespace}-${when}-${place}`;
      await real.admin.create('/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace },
      });
      const world = realWorld(real.kubeconfig, `recreate-${when}-${place}`, namespace);
      const death = { at: place, when };
      const died = await dies(world, death);
      if (died) {
        await settle(world);
        const live = await real.admin.get(`/api/v1/namespaces/${namespace}/configmaps/fixed`);
        await assertRecreated(world, live, death);
      }
      await real.admin.remove(`/api/v1/namespaces/${namespace}`);
      if (!died) break;
    }
  }
});
