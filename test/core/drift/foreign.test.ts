import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at } from '../../cluster/cluster-client.ts';
import { driftWorlds, settingsMap, workload } from './drift-world.ts';

const newWorld = driftWorlds('foreign');

/** A container that a mesh or a person adds. */
const sidecar = { name: 'mesh', image: 'm:1' };
const addSidecar = [{ op: 'add', path: '/spec/template/spec/containers/-', value: sidecar }];
const meshPath = 'spec.template.spec.containers[name="mesh"]';

describe('fields that others add', () => {
  it('are told with a figure of their own, and neither alarmed nor healed', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front]);
    await world.admin.patch(world.pathTo(front), addSidecar, 'injector');
    assert.equal(await world.looks(), 'Synced');
    assert.deepEqual(await world.told(), [
      `open Deployment ${front.metadata.name}: foreign ${meshPath} observe`,
    ]);
    const sent = world.sentMetrics();
    assert.deepEqual(
      sent.filter((each) => /Foreign|Drifted/.test(each)),
      ['DriftedObjects 0', 'ForeignFields 1', 'fleet DriftedObjects 0', 'fleet ForeignFields 1'],
    );
  });

  it('are taken away where a rule names their manager, and nothing else is touched', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front], { rules: [{ managers: ['injector'], drift: 'heal' }] });
    await world.admin.patch(
      world.pathTo(front),
      [...addSidecar, { op: 'add', path: '/spec/paused', value: true }],
      'injector',
    );
    await world.admin.patch(world.pathTo(front), {
      metadata: { annotations: { 'example.com/note': 'mine' } },
    });
    assert.equal(await world.looks(), 'Synced, asks for heal');
    assert.equal(await world.reconcile('heal'), 'applied');
    const live = await world.live(front);
    assert.deepEqual(
      [at(live, 'spec', 'template', 'spec', 'containers', 1), at(live, 'spec', 'paused')],
      [undefined, undefined],
    );
    assert.equal(at(live, 'metadata', 'annotations', 'example.com/note'), 'mine');
    assert.equal(await world.looks(), 'Synced');
    const lines = await world.told();
    assert.ok(
      lines.includes(
        `open Deployment ${front.metadata.name}: foreign metadata.annotations["example.com/note"] observe`,
      ),
    );
  });

  it('that `trueup restart` leaves are no drift, and stay through heals and syncs that take foreign fields away', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front], { rules: [{ fields: ['/spec/template'], drift: 'heal' }] });
    assert.equal(await world.reconcile('restart'), 'applied');
    const markOf = async () =>
      at(
        await world.live(front),
        'spec',
        'template',
        'metadata',
        'annotations',
        'kubectl.kubernetes.io/restartedAt',
      );
    const mark = await markOf();
    assert.match(JSON.stringify(mark), /^"\d{4}-/);
    assert.equal(await world.looks(), 'Synced');
    assert.deepEqual(await world.told(), []);
    assert.equal(await world.reconcile('sync'), 'applied');
    assert.equal(await markOf(), mark);
    assert.equal(await world.looks(), 'Synced');
  });

  it('are taken away where a rule names the field, last items of a list first', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front], { rules: [{ fields: ['/spec/template/spec/containers'], drift: 'heal' }] });
    const more = ['one', 'two', 'three'].map((name) => ({
      op: 'add',
      path: '/spec/template/spec/containers/0',
      value: { name, image: 'x:1' },
    }));
    await world.admin.patch(world.pathTo(front), more, 'injector');
    assert.equal(await world.looks(), 'Synced, asks for heal');
    assert.equal(await world.reconcile('heal'), 'applied');
    const containers = at(await world.live(front), 'spec', 'template', 'spec', 'containers');
    assert.deepEqual(Array.isArray(containers) ? containers.map((each) => at(each, 'name')) : [], ['app']);
    assert.equal(await world.looks(), 'Synced');
    assert.deepEqual(
      (await world.told()).map((line) => line.split(' ')[0]),
      ['healed'],
    );
  });

  const healsContainers = { rules: [{ fields: ['/spec/template/spec/containers'], drift: 'heal' }] };

  it('are taken away though somebody else writes in that moment, and what they wrote stays', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front], healsContainers);
    await world.admin.patch(world.pathTo(front), addSidecar, 'injector');
    assert.equal(await world.looks(), 'Synced, asks for heal');
    let writes = 0;
    world.meddling.before = async () => {
      writes += 1;
      if (writes > 1) return;
      const status = { metadata: { annotations: { 'example.com/seen': 'yes' } } };
      await world.admin.patch(world.pathTo(front), status, 'other');
    };
    assert.equal(await world.reconcile('heal'), 'applied');
    assert.ok(writes >= 2);
    const live = await world.live(front);
    assert.equal(at(live, 'spec', 'template', 'spec', 'containers', 1), undefined);
    assert.equal(at(live, 'metadata', 'annotations', 'example.com/seen'), 'yes');
  });

  it('stay until the next run where somebody never stops writing', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front], healsContainers);
    await world.admin.patch(world.pathTo(front), addSidecar, 'injector');
    assert.equal(await world.looks(), 'Synced, asks for heal');
    let writes = 0;
    world.meddling.before = async () => {
      writes += 1;
      const status = { metadata: { annotations: { 'example.com/seen': String(writes) } } };
      await world.admin.patch(world.pathTo(front), status, 'other');
    };
    assert.match((await world.reconcile('heal')) ?? '', /Deployment \S+: .*it is changed all the time/);
    assert.equal(writes, 5);
    const live = await world.live(front);
    assert.equal(at(live, 'spec', 'template', 'spec', 'containers', 1, 'name'), 'mesh');
  });

  it('are no business of a rule that heals everything', async () => {
    const world = newWorld();
    const config = settingsMap(world, 'c');
    await world.has([config], { rules: [{ match: { kind: 'ConfigMap' }, drift: 'heal' }] });
    await world.admin.patch(world.pathTo(config), { metadata: { labels: { team: 'red' } } });
    assert.equal(await world.looks(), 'Synced');
    assert.equal(at(await world.live(config), 'metadata', 'labels', 'team'), 'red');
  });

  it('may be ignored by a rule', async () => {
    const world = newWorld();
    const config = settingsMap(world, 'c');
    await world.has([config], { rules: [{ managers: ['labeller'], drift: 'ignore' }] });
    await world.admin.patch(world.pathTo(config), { metadata: { labels: { team: 'red' } } }, 'labeller');
    assert.equal(await world.looks(), 'Synced');
    assert.deepEqual(await world.told(), []);
  });
});

describe('fields that were there before us', () => {
  it('are no news after an adoption; what comes later is', async () => {
    const world = newWorld();
    const config = settingsMap(world, 'c');
    const { name, namespace } = config.metadata;
    const there = {
      ...config,
      metadata: { name, namespace, labels: { team: 'red' } },
      data: { b: 'theirs' },
    };
    await world.kubectl(['create', '-f', '-'], JSON.stringify(there));
    await world.admin.patch(
      world.pathTo(config),
      { metadata: { annotations: { 'example.com/old': 'x' } } },
      'reloader',
    );
    await world.has([config], { adopt: true });
    assert.equal(await world.looks(), 'Synced');
    assert.deepEqual(await world.told(), []);
    await world.admin.patch(
      world.pathTo(config),
      { metadata: { annotations: { 'example.com/new': 'x' } } },
      'reloader',
    );
    await world.looks();
    assert.deepEqual(await world.told(), [
      `open ConfigMap ${name}: foreign metadata.annotations["example.com/new"] observe`,
    ]);
  });
});

describe('defaults of a server', () => {
  it("are nobody's wish: an object that somebody deleted and created again has none that are foreign", async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front]);
    await world.kubectl(['delete', `deployment/${front.metadata.name}`, '--wait=true']);
    const by = JSON.stringify({ ...front, metadata: { ...front.metadata, labels: { team: 'red' } } });
    await world.kubectl(['create', '-f', '-'], by);
    assert.equal(await world.looks(), 'Drifted 1, asks for heal');
    assert.equal(await world.reconcile('heal'), 'applied');
    assert.equal(await world.looks(), 'Synced');
    const open = (await world.told()).filter((line) => line.startsWith('open'));
    assert.deepEqual(open, [`open Deployment ${front.metadata.name}: foreign metadata.labels.team observe`]);
  });
});
