import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { suspend } from '../../../core/suspend.ts';
import { configMap } from './reconcile-world.ts';
import { deployment } from './rollout.ts';
import { StagedFleet } from './staged-fleet.ts';

const minute = 60_000;
const twoStages = [
  { name: 'canary', clusters: ['dev'] },
  { name: 'prod', clusters: ['eu', 'us'] },
];

describe('stages of a rollout', () => {
  test('a later stage touches nothing until the one before it is in, and is asked to look then', async () => {
    const fleet = new StagedFleet(twoStages);
    await fleet.push([configMap('a')]);
    assert.equal(await fleet.run('eu'), 'waiting: waits for stage canary: dev has it not yet');
    assert.deepEqual(fleet.clusters.get('eu')?.effects, []);
    assert.deepEqual(fleet.asked(), []);
    // Nothing is written again while the reason is the same.
    assert.equal(await fleet.run('eu', 'pending'), 'rested: waits for stage canary: dev has it not yet');
    assert.match(await fleet.run('dev'), /^applied/);
    assert.deepEqual(fleet.asked(), ['eu promote in 0 s', 'us promote in 0 s']);
    assert.match(await fleet.run('eu', 'promote'), /^applied/);
    assert.match(await fleet.run('us', 'promote'), /^applied/);
  });

  test('a target whose render did not change is in already', async () => {
    const fleet = new StagedFleet(twoStages);
    await fleet.push([configMap('a')]);
    await fleet.run('dev');
    await fleet.run('eu', 'promote');
    await fleet.push([configMap('a', { b: '2' })], { only: ['eu'] });
    assert.match(await fleet.run('eu'), /^applied/);
  });

  test('while a commit is still being followed elsewhere, pointers may be old: it waits', async () => {
    const fleet = new StagedFleet(twoStages);
    await fleet.push([configMap('a')]);
    await fleet.run('dev');
    const moving = { sha: 'b'.repeat(40), at: '2026-11-23T12:00:00.000Z', targets: ['dev/web'] };
    await fleet.noteState({ moving });
    assert.equal(await fleet.run('eu'), 'waiting: a commit is being followed on other clusters');
    assert.equal(fleet.asked().at(-1), 'eu promote in 15 s');
  });

  test('what is not healthy holds the next stage; what failed stops it, and going on is by itself', async () => {
    const fleet = new StagedFleet(twoStages);
    await fleet.push([deployment('a')]);
    await fleet.run('dev');
    assert.equal(await fleet.run('eu'), 'waiting: waits for stage canary: dev is Progressing');
    await fleet.becomes('dev', 'Degraded');
    assert.equal(
      await fleet.run('eu', 'pending'),
      'waiting: stage canary has stopped: dev is Degraded: is Degraded',
    );
    await fleet.becomes('dev', 'Healthy');
    assert.match(await fleet.run('eu', 'pending'), /^applied/);
  });

  test('what a revision left half done is never healed away while the next one waits', async () => {
    const fleet = new StagedFleet(twoStages);
    await fleet.push([configMap('a')]);
    await fleet.run('dev');
    await fleet.run('eu', 'promote');
    const eu = fleet.clusters.get('eu');
    // The second revision comes through the gate, makes `b`, and fails at `c`.
    await fleet.push([configMap('a'), configMap('b'), configMap('c')], { only: ['eu'] });
    eu?.answers.set('c', { kind: 'invalid', message: 'no' });
    assert.match(await fleet.run('eu'), /^failed/);
    eu?.answers.clear();
    await fleet.push([configMap('a'), configMap('b'), configMap('c', { d: '1' })]);
    assert.match(await fleet.run('eu'), /^waiting: waits for stage canary/);
    const effects = eu?.effects.length;
    assert.match(await fleet.run('eu', 'heal'), /^rested: a sync was begun and has not ended/);
    assert.equal(eu?.effects.length, effects, 'b is not pruned');
    await fleet.run('dev');
    assert.match(await fleet.run('eu', 'promote'), /^applied/);
    assert.match(await fleet.run('eu', 'heal'), /^applied/);
  });

  test('a record of another cluster that cannot be read holds its stage, and says so', async () => {
    const fleet = new StagedFleet(twoStages);
    await fleet.push([configMap('a')]);
    await fleet.run('dev');
    await fleet.world.store.put('inventory/dev/web.json', '{"version":7}', 'any');
    assert.match(await fleet.run('eu'), /^waiting: waits for stage canary: dev: its records cannot be read/);
  });

  test('a failed run stops it, and a newer commit begins anew', async () => {
    const fleet = new StagedFleet(twoStages);
    await fleet.push([configMap('a')]);
    fleet.clusters.get('dev')?.answers.set('a', { kind: 'invalid', message: 'no' });
    assert.match(await fleet.run('dev'), /^failed/);
    assert.match(
      await fleet.run('eu'),
      /^waiting: stage canary has stopped: dev: 1 objects failed .*ConfigMap default\/a: no$/,
    );
    fleet.clusters.get('dev')?.answers.clear();
    await fleet.push([configMap('a', { b: '2' })]);
    await fleet.run('dev');
    assert.match(await fleet.run('eu', 'promote'), /^applied/);
  });

  test('soaks from when it was first applied and healthy, whatever heals and syncs come between', async () => {
    const fleet = new StagedFleet([
      { name: 'canary', clusters: ['dev'], soakSeconds: 600 },
      { name: 'prod', clusters: ['eu'] },
    ]);
    await fleet.push([configMap('a')]);
    await fleet.run('dev');
    fleet.asked();
    const until = '2026-11-23T12:10:00.000Z';
    assert.equal(await fleet.run('eu'), `waiting: waits for stage canary: dev soaks until ${until}`);
    assert.deepEqual(fleet.asked(), ['eu promote in 600 s']);
    fleet.clock.advance(9 * minute);
    await fleet.run('dev', 'sync');
    assert.match(await fleet.run('eu', 'pending'), /^rested: .* dev soaks until 2026-11-23T12:10/);
    fleet.clock.advance(minute);
    assert.match(await fleet.run('eu', 'promote'), /^applied/);
  });

  test('a health that came and went begins the soak anew', async () => {
    const fleet = new StagedFleet([
      { name: 'canary', clusters: ['dev'], soakSeconds: 600 },
      { name: 'prod', clusters: ['eu'] },
    ]);
    await fleet.push([configMap('a')]);
    await fleet.run('dev');
    fleet.clock.advance(9 * minute);
    await fleet.swept('dev', {});
    fleet.clock.advance(2 * minute);
    assert.match(await fleet.run('eu'), /soaks until 2026-11-23T12:19:00/);
  });
});

describe('a pause', () => {
  const stages = [
    { name: 'canary', clusters: ['dev'], pause: true as const },
    { name: 'prod', clusters: ['eu', 'us'] },
  ];

  test('waits for a person, whose word holds for what was there', async () => {
    const fleet = new StagedFleet(stages);
    await fleet.push([configMap('a')]);
    await fleet.run('dev');
    const paused = 'waiting: stage canary is in; it waits for `trueup promote --app web --stage canary`';
    assert.equal(await fleet.run('eu'), paused);
    fleet.clock.advance(minute);
    assert.equal(await fleet.promote(), 'canary');
    assert.match(await fleet.run('eu', 'promote'), /^applied/);
    // A newer commit is another thing to agree to.
    fleet.clock.advance(minute);
    await fleet.push([configMap('a', { b: '2' })]);
    await fleet.run('dev');
    assert.equal(await fleet.run('eu'), paused);
  });

  test('a cluster that is new takes what the others have', async () => {
    const fleet = new StagedFleet(stages);
    await fleet.push([configMap('a')], { only: ['dev', 'eu'] });
    await fleet.run('dev');
    await fleet.run('eu');
    await fleet.promote();
    fleet.clock.advance(minute);
    await fleet.push([configMap('a')], { only: ['us'] });
    assert.match(await fleet.run('us'), /^applied/);
  });

  test('promotes past what cannot be in: an unreachable cluster, one that a person suspended or rolled back', async () => {
    const fleet = new StagedFleet(stages);
    await fleet.push([configMap('a')]);
    await fleet.swept('dev', { unreachable: 'no route to host' });
    assert.match(await fleet.run('eu'), /dev cannot be reached: no route to host$/);
    await fleet.swept('dev', {});
    await suspend(fleet.world, { cluster: 'dev' }, { by: 'ada', reason: 'an incident' });
    assert.match(
      await fleet.run('eu', 'pending'),
      /dev has it not yet: cluster dev is suspended by ada .*: an incident$/,
    );
    fleet.clock.advance(minute);
    await fleet.promote();
    assert.match(await fleet.run('eu', 'promote'), /^applied/);
  });

  test('does not promote past what failed afterwards', async () => {
    const fleet = new StagedFleet(stages);
    await fleet.push([configMap('a')]);
    await fleet.run('dev');
    await fleet.run('eu');
    fleet.clock.advance(minute);
    await fleet.promote();
    fleet.clock.advance(minute);
    await fleet.becomes('dev', 'Degraded');
    assert.match(await fleet.run('eu', 'promote'), /^waiting: stage canary has stopped/);
    fleet.clock.advance(minute);
    await fleet.promote('canary');
    assert.match(await fleet.run('eu', 'promote'), /^applied/);
  });

  test('says what there is to promote', async () => {
    const fleet = new StagedFleet(stages);
    await fleet.push([configMap('a')]);
    await assert.rejects(fleet.promote(), /nothing of it waits for a stage/);
    await fleet.run('eu');
    await assert.rejects(fleet.promote('beta'), /there is no stage beta; its stages are: canary, prod/);
  });
});

describe('inside a stage', () => {
  test('so many are under way at once, each next one is asked when one is in, and a failure stops the rest', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const fleet = new StagedFleet([{ name: 'all', clusters: names, maxParallel: '25%' }]);
    await fleet.push([deployment('x')]);
    for (const name of ['b', 'c', 'd']) {
      assert.equal(await fleet.run(name), 'waiting: waits for its turn in stage all (maxParallel 25%)');
    }
    assert.match(await fleet.run('a'), /^applied/);
    assert.match(await fleet.run('b', 'promote'), /^rested: waits for its turn/);
    await fleet.becomes('a', 'Healthy');
    assert.match(await fleet.run('b', 'promote'), /^applied/);
    await fleet.becomes('b', 'Degraded');
    assert.equal(
      await fleet.run('c', 'promote'),
      'waiting: stage all has stopped: b is Degraded: is Degraded',
    );
    assert.match(
      await fleet.run('d', 'promote'),
      /^waiting: stage all has stopped|^rested: waits for its turn/,
    );
  });

  test('asks the next one of the stage, then those of the next stage', async () => {
    const fleet = new StagedFleet([
      { name: 'one', clusters: ['a', 'b'], maxParallel: 1 },
      { name: 'two', clusters: ['c', 'd'], maxParallel: 1 },
    ]);
    await fleet.push([configMap('x')]);
    await fleet.run('b');
    await fleet.run('a');
    assert.deepEqual(fleet.asked(), ['b promote in 0 s']);
    await fleet.run('b', 'promote');
    assert.deepEqual(fleet.asked(), ['c promote in 0 s']);
  });
});

describe('what a rollout does not hold', () => {
  test('a heal of what is applied, while the wait goes on', async () => {
    const fleet = new StagedFleet(twoStages);
    await fleet.push([configMap('a')]);
    await fleet.run('dev');
    await fleet.run('eu');
    await fleet.push([configMap('a', { b: '2' })]);
    await fleet.run('eu');
    assert.match(await fleet.run('eu', 'heal'), /^applied/);
    const { applied, waiting } = (await fleet.inventory('eu')) ?? {};
    assert.equal(applied?.revision, 1);
    assert.equal(waiting?.reason, 'waits for stage canary: dev has it not yet');
    await fleet.run('dev');
    assert.match(await fleet.run('eu', 'promote'), /^applied/);
  });

  test('a target that a person names; a sync of all keeps the order, with sync: manual too', async () => {
    const fleet = new StagedFleet(twoStages);
    await fleet.push([configMap('a')], { sync: 'manual' });
    assert.match(await fleet.run('eu', 'sync', { staged: true }), /^waiting/);
    assert.match(await fleet.run('us', 'sync'), /^applied/);
    assert.match(await fleet.run('dev', 'sync', { staged: true }), /^applied/);
    assert.match(await fleet.run('eu', 'promote'), /^applied/);
  });

  test('a revision that was begun: it is brought to its end', async () => {
    const fleet = new StagedFleet(twoStages);
    await fleet.push([configMap('a')]);
    await fleet.run('dev');
    const late = await fleet.run('eu', 'push');
    assert.match(late, /^applied/);
    await fleet.push([deployment('a')]);
    await fleet.run('dev');
    await fleet.becomes('dev', 'Healthy');
    await fleet.run('eu');
    await fleet.becomes('dev', 'Degraded');
    assert.match(await fleet.run('eu', 'sync', { staged: true }), /^applied/);
  });
});

describe('alarms', () => {
  const stages = [
    { name: 'canary', clusters: ['dev'], soakSeconds: 600 },
    { name: 'prod', clusters: ['eu'] },
  ];

  test('hold every step but the first until they are OK, and for as long as it soaks', async () => {
    const fleet = new StagedFleet(stages, ['errors']);
    await fleet.push([configMap('a')]);
    assert.match(await fleet.run('dev'), /^applied/);
    fleet.clock.advance(10 * minute);
    assert.equal(await fleet.run('eu'), 'waiting: there is no alarm errors');
    fleet.alarms.set('errors', { state: 'ALARM', since: fleet.clock.now() });
    assert.equal(await fleet.run('eu', 'pending'), 'waiting: stopped by the alarm errors: ALARM');
    fleet.alarms.set('errors', { state: 'INSUFFICIENT_DATA', since: fleet.clock.now() });
    assert.equal(await fleet.run('eu', 'pending'), 'waiting: stopped by the alarm errors: INSUFFICIENT_DATA');
    fleet.alarms.set('errors', { state: 'OK', since: fleet.clock.now() });
    assert.match(await fleet.run('eu', 'pending'), /^waiting: the alarm errors soaks until/);
    fleet.clock.advance(10 * minute);
    assert.match(await fleet.run('eu', 'promote'), /^applied/);
  });
});
