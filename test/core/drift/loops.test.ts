import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptDrift } from '../../../core/accept.ts';
import { keys } from '../../../core/contract/keys.ts';
import { ruleSchema } from '../../../core/model/rule.ts';
import { at } from '../../cluster/cluster-client.ts';
import { driftWorlds, settingsMap, workload, type DriftWorld } from './drift-world.ts';

/** A real rival that rewrites a field after each heal, against `loopBreaker: {flips: 3, minutes: 30}`. */

const newWorld = driftWorlds('loops');

async function rivalWrites(world: DriftWorld, path: string): Promise<void> {
  await (await world.as('rival-controller')).patch(path, { spec: { replicas: 7 } }, 'rival');
}

/** Sweeps and heals until the sweep asks for nothing more; gives how many heals there were. */
async function fight(world: DriftWorld, path: string, most = 6): Promise<number> {
  for (let heals = 0; heals < most; heals += 1) {
    await rivalWrites(world, path);
    if (!(await world.looks()).includes('heal')) return heals;
    assert.equal(await world.reconcile('heal'), 'applied');
    world.clock.advance(60_000);
  }
  return most;
}

const loopRecord = (name: string, flips: number): string =>
  `open Deployment ${name}: changed spec.replicas observe (loop of rival, ${flips} flips)`;

const detected = ({ bus }: DriftWorld) => bus.events.filter(({ type }) => type === 'DriftDetected');

describe('a heal loop', () => {
  it('ends after three flips, with the rival named, an event and a metric; the rest is healed as before', async () => {
    const world = newWorld();
    const [front, other] = [workload(world, 'front'), settingsMap(world, 'other')];
    const { name } = front.metadata;
    await world.has([front, other]);
    world.sentMetrics();
    assert.equal(await fight(world, world.pathTo(front)), 3);
    assert.deepEqual(
      (await world.told()).filter((line) => line.startsWith('open')),
      [loopRecord(name, 3)],
    );
    assert.ok(world.sentMetrics().includes('fleet HealLoops 1'));
    const told = detected(world).at(-1);
    assert.ok(told?.type === 'DriftDetected');
    assert.deepEqual(
      [told.detail.loop?.manager, told.detail.loop?.flips, told.detail.mode],
      ['rival', 3, 'observe'],
    );

    // Nothing new for a while: no heal, no record, no event.
    const events = detected(world).length;
    assert.equal(await world.looks(), 'Drifted 1');
    assert.equal(detected(world).length, events);
    // Another object, and another field of the same object, are healed; the contested field is left alone.
    await world.admin.patch(world.pathTo(other), { data: { a: 'by hand' } });
    await world.admin.patch(world.pathTo(front), [
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'a:9' },
    ]);
    assert.equal(await world.looks(), 'Drifted 2, asks for heal');
    assert.equal(await world.reconcile('heal'), 'applied');
    const live = await world.live(front);
    assert.deepEqual(
      [at(live, 'spec', 'replicas'), at(live, 'spec', 'template', 'spec', 'containers', 0, 'image')],
      [7, 'a:1'],
    );
    assert.deepEqual(at(await world.live(other), 'data'), { a: '1' });
    assert.equal(await world.looks(), 'Drifted 1');
  });

  it('is tried once more after as long a time without a heal, and broken anew by the first flip', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front]);
    await fight(world, world.pathTo(front));
    world.clock.advance(28 * 60_000);
    assert.equal(await world.looks(), 'Drifted 1');
    world.clock.advance(2 * 60_000);
    assert.equal(await fight(world, world.pathTo(front)), 1);
    assert.equal(await world.looks(), 'Drifted 1');
    // The rival gave up: the next try holds, and then all is forgotten.
    world.clock.advance(30 * 60_000);
    assert.equal(await world.looks(), 'Drifted 1, asks for heal');
    assert.equal(await world.reconcile('heal'), 'applied');
    assert.equal(await world.looks(), 'Synced');
    world.clock.advance(31 * 60_000);
    assert.equal(await fight(world, world.pathTo(front)), 3);
  });

  it('ends when a person syncs', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front]);
    await fight(world, world.pathTo(front));
    assert.equal(await world.reconcile('sync'), 'applied');
    assert.equal(at(await world.live(front), 'spec', 'replicas'), 0);
    assert.equal(await world.looks(), 'Synced');
    assert.equal(
      await world.store.get(keys.heals({ cluster: 'east', application: world.application })),
      undefined,
    );
    assert.equal(await fight(world, world.pathTo(front)), 3);
  });

  it('ends when Git wants something else', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front]);
    await fight(world, world.pathTo(front));
    await world.push(world.application, [workload(world, 'front', { replicas: 1 })]);
    assert.equal(await world.reconcile('push'), 'applied');
    assert.equal(at(await world.live(front), 'spec', 'replicas'), 1);
    assert.equal(await fight(world, world.pathTo(front)), 3);
  });

  it('never brings back what is to be ignored since, by Git or by a person', async () => {
    for (const by of ['Git', 'a person']) {
      const world = newWorld();
      const front = workload(world, 'front');
      await world.has([front]);
      assert.equal(await fight(world, world.pathTo(front)), 3);
      const target = { cluster: 'east', application: world.application };
      const rule = ruleSchema.parse({
        match: { kind: 'Deployment' },
        fields: ['/spec/replicas'],
        drift: 'ignore',
      });
      if (by === 'a person') await acceptDrift(world.deps, target, { by: 'ada', reason: 'theirs' });
      const rules = by === 'Git' ? [rule] : [];
      await world.push(world.application, [workload(world, 'front', {}, 'a:2')], { rules });
      assert.equal(await world.reconcile('push'), 'applied');
      const live = await world.live(front);
      const image = at(live, 'spec', 'template', 'spec', 'containers', 0, 'image');
      assert.deepEqual([at(live, 'spec', 'replicas'), image], [7, 'a:2'], by);
      assert.equal(await world.looks(), 'Synced');
    }
  });

  it('over an item of a list says as little of what is beneath it to the check as to the heal', async () => {
    const world = newWorld();
    const containers = [
      { name: 'app', image: 'a:1' },
      { name: 'side', image: 's:1' },
    ];
    const two = workload(world, 'two', {
      template: { metadata: { labels: { app: 'two' } }, spec: { containers } },
    });
    await world.has([two]);
    const path = '/spec/template/spec/containers/1';
    let heals = 0;
    for (; heals < 6; heals += 1) {
      await world.admin.patch(world.pathTo(two), [{ op: 'remove', path }]);
      if (!(await world.looks()).includes('heal')) break;
      assert.equal(await world.reconcile('heal'), 'applied');
      world.clock.advance(60_000);
    }
    assert.equal(heals, 3);
    const closed = (await world.told()).filter((line) => line.startsWith('healed'));
    // Back with another image: part of what is fought about. No run is asked for that would write nothing of it.
    const rival = await world.as('rival-controller');
    const value = { name: 'side', image: 'other:9' };
    await rival.patch(world.pathTo(two), [{ op: 'add', path, value }], 'rival');
    assert.equal(await world.looks(), 'Drifted 1');
    await world.reconcile('heal');
    assert.deepEqual(
      (await world.told()).filter((line) => line.startsWith('healed')),
      closed,
      'nothing was healed',
    );
    world.clock.advance(30 * 60_000);
    assert.equal(await world.looks(), 'Drifted 1, asks for heal');
    assert.equal(await world.reconcile('heal'), 'applied');
    assert.equal(await world.looks(), 'Synced');
  });

  it('over an object that goes missing says nothing of its fields once it is there', async () => {
    const world = newWorld();
    const config = settingsMap(world, 'c');
    await world.has([config]);
    for (let heals = 0; heals < 3; heals += 1) {
      await world.admin.remove(world.pathTo(config));
      assert.match(await world.looks(), /heal/);
      assert.equal(await world.reconcile('heal'), 'applied');
    }
    await world.admin.remove(world.pathTo(config));
    assert.equal(await world.looks(), 'Drifted 1');
    await world.kubectl(['create', 'configmap', config.metadata.name, '--from-literal=a=other']);
    assert.equal(await world.looks(), 'Drifted 1, asks for heal');
    assert.equal(await world.reconcile('heal'), 'applied');
    assert.deepEqual(at(await world.live(config), 'data'), { a: '1' });
    assert.equal(await world.looks(), 'Synced');
  });

  it('is seen where the target is checked once an hour', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front], { intervalSeconds: 3600 });
    let heals = 0;
    for (; heals < 6; heals += 1) {
      await rivalWrites(world, world.pathTo(front));
      if (!(await world.looks()).includes('heal')) break;
      assert.equal(await world.reconcile('heal'), 'applied');
      world.clock.advance(3_600_000);
    }
    assert.equal(heals, 3);
  });

  it('is none where the same edits come once in a long while', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front]);
    for (let day = 0; day < 5; day += 1) {
      assert.equal(await fight(world, world.pathTo(front), 1), 1);
      world.clock.advance(3 * 3_600_000);
    }
  });

  it('over an object that somebody deletes and makes again', async () => {
    const world = newWorld();
    const config = settingsMap(world, 'c');
    await world.has([config]);
    let heals = 0;
    for (; heals < 6; heals += 1) {
      await world.admin.remove(world.pathTo(config));
      await world.kubectl(['create', 'configmap', config.metadata.name, '--from-literal=a=other']);
      if (!(await world.looks()).includes('heal')) break;
      assert.equal(await world.reconcile('heal'), 'applied');
      world.clock.advance(60_000);
    }
    assert.equal(heals, 3);
    // Whatever run comes next: what the loop is about stays as the rival has it.
    assert.equal(await world.reconcile('heal'), 'applied');
    assert.deepEqual(at(await world.live(config), 'data'), { a: 'other' });
    assert.ok((await world.told()).some((line) => line.includes('3 flips')));
  });

  it('over an object that somebody deletes again and again', async () => {
    const world = newWorld();
    const config = settingsMap(world, 'c');
    await world.has([config]);
    let heals = 0;
    for (; heals < 6; heals += 1) {
      await world.admin.remove(world.pathTo(config));
      if (!(await world.looks()).includes('heal')) break;
      assert.equal(await world.reconcile('heal'), 'applied');
    }
    assert.equal(heals, 3);
    const open = (await world.told()).filter((line) => line.startsWith('open'));
    assert.deepEqual(open, [
      `open ConfigMap ${config.metadata.name}: missing observe (loop of unknown, 3 flips)`,
    ]);
  });
});
