import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at } from '../../cluster/cluster-client.ts';
import { driftWorlds, settingsMap, workload } from './drift-world.ts';

/** Modes by application, kind, object and path: what a check tells and what an apply writes must agree. */

const newWorld = driftWorlds('modes');
const image = ['spec', 'template', 'spec', 'containers', 0, 'image'] as const;
const imagePath = 'spec.template.spec.containers[name="app"].image';

describe('what rules ignore is neither told nor written', () => {
  const rules = [
    { name: 'by JSON pointer', rule: { fields: ['/spec/replicas'] } },
    { name: 'by manager', rule: { managers: ['kubectl'] } },
    { name: 'by CEL', rule: { when: 'field.path == "/spec/replicas" && field.live > field.desired' } },
    {
      name: 'by CEL over the object',
      rule: { when: 'object.metadata.name.startsWith("front")', fields: ['/spec/replicas'] },
    },
  ];
  for (const { name, rule } of rules) {
    it(name, async () => {
      const world = newWorld();
      const front = workload(world, 'front');
      const ignoring = { match: { kind: 'Deployment' }, drift: 'ignore', ...rule };
      await world.has([front], { rules: [ignoring] });
      await world.kubectl(['scale', `deployment/${front.metadata.name}`, '--replicas=3']);
      assert.equal(await world.looks(), 'Synced');
      await world.admin.patch(world.pathTo(front), [
        { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'a:9' },
      ]);
      assert.equal(await world.looks(), 'Drifted 1, asks for heal');
      assert.equal(await world.reconcile('heal'), 'applied');
      const healed = await world.live(front);
      assert.deepEqual([at(healed, ...image), at(healed, 'spec', 'replicas')], ['a:1', 3]);
      // A push writes the object, and leaves the ignored field to whoever has it.
      await world.has([workload(world, 'front', {}, 'a:2')], { rules: [ignoring] });
      const pushed = await world.live(front);
      assert.deepEqual([at(pushed, ...image), at(pushed, 'spec', 'replicas')], ['a:2', 3]);
      assert.equal(await world.looks(), 'Synced');
    });
  }

  it('by list key, in one container and not in the other', async () => {
    const world = newWorld();
    const containers = ['app', 'log'].map((name) => ({ name, image: `${name}:1` }));
    const labels = { app: 'two' };
    const spec = {
      template: { metadata: { labels }, spec: { containers } },
      selector: { matchLabels: labels },
    };
    const two = workload(world, 'two', spec);
    const fields = ['/spec/template/spec/containers/[name="log"]/image'];
    await world.has([two], { rules: [{ fields, drift: 'ignore' }] });
    for (const place of [0, 1]) {
      const path = `/spec/template/spec/containers/${place}/image`;
      await world.admin.patch(world.pathTo(two), [{ op: 'replace', path, value: 'x:9' }]);
    }
    assert.equal(await world.looks(), 'Drifted 1, asks for heal');
    assert.deepEqual(await world.told(), [`open Deployment ${two.metadata.name}: changed ${imagePath} heal`]);
    assert.equal(await world.reconcile('heal'), 'applied');
    const found = [0, 1].map(async (place) =>
      at(await world.live(two), 'spec', 'template', 'spec', 'containers', place, 'image'),
    );
    assert.deepEqual(await Promise.all(found), ['app:1', 'x:9']);
    assert.equal(await world.looks(), 'Synced');
  });

  it('a whole kind: changed or missing, it is not told', async () => {
    const world = newWorld();
    const [front, config, gone] = [
      workload(world, 'front'),
      settingsMap(world, 'c'),
      settingsMap(world, 'gone'),
    ];
    await world.has([front, config, gone], { rules: [{ match: { kind: 'ConfigMap' }, drift: 'ignore' }] });
    await world.admin.patch(world.pathTo(config), { data: { a: 'by hand' } });
    await world.admin.remove(world.pathTo(gone));
    assert.equal(await world.looks(), 'Synced');
    assert.deepEqual(await world.told(), []);
  });

  it('a whole application is not watched, and is not called Synced either', async () => {
    const world = newWorld();
    const config = settingsMap(world, 'c');
    await world.has([config], { drift: 'ignore' });
    await world.admin.patch(world.pathTo(config), { data: { a: 'by hand' } });
    const check = await world.sweep(world.application);
    assert.deepEqual([check?.sync, check?.drifted], ['Unknown', 0]);
    assert.match(check?.reason ?? '', /^drift is ignored/);
    assert.equal(await world.reconcile('heal'), 'drift is ignored');
    // Git still rules: what a commit changes is applied.
    await world.has([settingsMap(world, 'c', { a: '2' })], { drift: 'ignore' });
    assert.equal(at(await world.live(config), 'data', 'a'), '2');
  });
});

describe('what is only observed is told and left alone by a heal', () => {
  it('a field, beside a field that is healed', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    const rules = [{ fields: ['/spec/replicas'], drift: 'observe' }];
    await world.has([front], { rules });
    await world.kubectl(['scale', `deployment/${front.metadata.name}`, '--replicas=3']);
    assert.equal(await world.looks(), 'Drifted 1');
    await world.admin.patch(world.pathTo(front), [
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'a:9' },
    ]);
    assert.equal(await world.looks(), 'Drifted 1, asks for heal');
    assert.equal(await world.reconcile('heal'), 'applied');
    const healed = await world.live(front);
    assert.deepEqual([at(healed, ...image), at(healed, 'spec', 'replicas')], ['a:1', 3]);
    assert.equal(await world.looks(), 'Drifted 1');
    assert.deepEqual(await world.told(), [
      `open Deployment ${front.metadata.name}: changed spec.replicas observe`,
    ]);
    // A push overwrites what was observed, and says so.
    await world.push(world.application, [workload(world, 'front', {}, 'a:2')], { drift: 'observe' });
    assert.equal(await world.reconcile('push'), 'applied');
    assert.equal(at(await world.live(front), 'spec', 'replicas'), 0);
    assert.deepEqual(await world.told(), [
      `overwritten Deployment ${front.metadata.name}: changed spec.replicas observe`,
    ]);
    assert.equal(await world.looks(), 'Synced');
  });

  it('a field that was taken away stays gone', async () => {
    const world = newWorld();
    const front = workload(world, 'front', { minReadySeconds: 3 });
    await world.has([front], { rules: [{ fields: ['/spec/minReadySeconds'], drift: 'observe' }] });
    await world.admin.patch(world.pathTo(front), {
      spec: { minReadySeconds: null, paused: true, replicas: 2 },
    });
    assert.equal(await world.looks(), 'Drifted 1, asks for heal');
    assert.equal(await world.reconcile('heal'), 'applied');
    const spec = at(await world.live(front), 'spec');
    assert.deepEqual([at(spec, 'minReadySeconds'), at(spec, 'replicas')], [undefined, 0]);
    assert.equal(await world.looks(), 'Drifted 1');
  });

  it('one field is healed where the application is only observed', async () => {
    const world = newWorld();
    const config = settingsMap(world, 'c', { a: '1', b: '1' });
    await world.has([config], { drift: 'observe', rules: [{ fields: ['/data/a'], drift: 'heal' }] });
    await world.admin.patch(world.pathTo(config), { data: { b: 'by hand' } });
    assert.equal(await world.looks(), 'Drifted 1');
    await world.admin.patch(world.pathTo(config), { data: { a: 'by hand' } });
    assert.equal(await world.looks(), 'Drifted 1, asks for heal');
    assert.equal(await world.reconcile('heal'), 'applied');
    assert.deepEqual(at(await world.live(config), 'data'), { a: '1', b: 'by hand' });
  });

  it('an object by its annotation in Git, missing or changed', async () => {
    const world = newWorld();
    const [held, other] = [settingsMap(world, 'held'), settingsMap(world, 'other')];
    const annotated = {
      ...held,
      metadata: { ...held.metadata, annotations: { 'trueup.dev/drift': 'observe' } },
    };
    await world.has([annotated, other]);
    await world.admin.remove(world.pathTo(held));
    assert.equal(await world.looks(), 'Drifted 1');
    await world.admin.remove(world.pathTo(other));
    assert.equal(await world.looks(), 'Drifted 2, asks for heal');
    assert.equal(await world.reconcile('heal'), 'applied');
    assert.equal(await world.looks(), 'Drifted 1');
    assert.deepEqual(await world.told(), [
      `healed ConfigMap ${other.metadata.name}: missing heal`,
      `open ConfigMap ${held.metadata.name}: missing observe`,
    ]);
  });

  it('an object is healed by its annotation where the application is only observed', async () => {
    const world = newWorld();
    const [held, other] = [settingsMap(world, 'held'), settingsMap(world, 'other')];
    const annotated = {
      ...held,
      metadata: { ...held.metadata, annotations: { 'trueup.dev/drift': 'heal' } },
    };
    await world.has([annotated, other], { drift: 'observe' });
    for (const object of [held, other])
      await world.admin.patch(world.pathTo(object), { data: { a: 'by hand' } });
    assert.equal(await world.looks(), 'Drifted 2, asks for heal');
    assert.equal(await world.reconcile('heal'), 'applied');
    assert.deepEqual(at(await world.live(held), 'data'), { a: '1' });
    assert.deepEqual(at(await world.live(other), 'data'), { a: 'by hand' });
  });
});

describe('what is yielded to its owner', () => {
  it('is theirs, whatever they write: neither drift nor foreign', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    const rules = [{ fields: ['/spec/replicas'], conflicts: 'yield' }];
    await world.has([front], { rules });
    for (const count of ['3', '4']) {
      await world.kubectl(['scale', `deployment/${front.metadata.name}`, `--replicas=${count}`]);
      assert.equal(await world.looks(), 'Synced');
      assert.equal(await world.reconcile('sync'), 'applied');
      assert.equal(await world.looks(), 'Synced');
    }
    assert.equal(at(await world.live(front), 'spec', 'replicas'), 4);
  });
});
