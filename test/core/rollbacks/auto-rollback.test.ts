import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rollBackFailed } from '../../../core/auto-rollback.ts';
import { keys } from '../../../core/contract/keys.ts';
import { describePin } from '../../../core/model/pin.ts';
import type { Store } from '../../../core/ports.ts';
import { liftPin, rollBack } from '../../../core/rollback.ts';
import { suspend } from '../../../core/suspend.ts';
import { isoTime } from '../../../core/model/time.ts';
import { configMap } from '../reconcile/reconcile-world.ts';
import { after, TrialWorld } from './trial-world.ts';

const degraded = /^it is Degraded since .*: Deployment default\/web: ProgressDeadlineExceeded: timed out$/;

describe('a revision that turns out bad', () => {
  test('gives way to the last healthy one, pinned there with who, why and what failed', async () => {
    const world = await after(['good:1', 'bad:2']);
    assert.equal(world.image(), 'good:1');
    const pointer = await world.pointer();
    assert.equal(pointer.commit.subject, 'good:1');
    assert.deepEqual([pointer.pin?.by, pointer.pin?.rejects?.commit.subject], ['trueup', 'bad:2']);
    assert.match(pointer.pin?.reason ?? '', degraded);
    assert.match(
      describePin(pointer) ?? '',
      /^pinned to commit 0000000 by trueup since .*, until a commit gives other objects than 0000000, or it is lifted/,
    );
    const [said, ...more] = world.rolledBack();
    assert.match(said ?? '', /^bad:2 -> good:1: it is Degraded/);
    assert.deepEqual(more, []);
    assert.equal((await world.world.inventory()).health?.status, 'Healthy');
  });

  test('is rolled back once, however long it goes on and however often it is said', async () => {
    const world = await after(['good:1', 'bad:2']);
    const failed = world.world.bus.events.find(({ type }) => type === 'RevisionFailed');
    assert.ok(failed?.type === 'RevisionFailed');
    const pinnedAt = await world.pointer();
    for (let again = 0; again < 3; again += 1) {
      await rollBackFailed(failed.detail, world.deps);
      await world.handle(world.request('watch', 'sweep'));
      await world.pass(3600);
    }
    assert.deepEqual(await world.pointer(), pinnedAt);
    assert.equal(world.rolledBack().length, 1);
    assert.equal(world.world.queues.later.length, 0, 'no message goes on for ever');
  });

  test('a crash that passes is none', async () => {
    const world = await after(['good:1']);
    await world.push('bad:2');
    await world.handle(world.world.queues.runs.shift() ?? world.request('push'));
    await world.handle(world.request('watch', 'sweep'));
    world.cluster.write(
      { apiVersion: 'apps/v1', plural: 'deployments', namespace: 'default', name: 'web' },
      {
        kind: 'Deployment',
        status: { observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
      },
      'kube-controller-manager',
    );
    world.behave = () => undefined;
    await world.pass(3600);
    assert.deepEqual([world.image(), world.rolledBack()], ['bad:2', []]);
  });

  test('after its window it is left to people', async () => {
    const world = await after(['good:1', 'slow:2'], 45);
    world.degrade();
    for (let sweep = 0; sweep < 5; sweep += 1) {
      const { why } = await world
        .handle(world.request('watch', 'sweep'))
        .then((result) => ({ why: 'why' in result ? result.why : '' }));
      assert.match(why, /^the window of revision 2 ended at/);
      await world.pass(900);
    }
    assert.equal(world.image(), 'slow:2');
  });

  test('a run that fails for good is bad at once, with what it had changed by then', async () => {
    const world = await after(['good:1']);
    world.cluster.answers.set('wrong', { kind: 'invalid', message: 'spec.x: unknown field' });
    await world.push('good:2', [configMap('wrong')]);
    await world.pass(60);
    assert.equal(world.image(), 'good:1');
    assert.match(world.rolledBack()[0] ?? '', /^good:2 -> good:1: its run failed: .*unknown field/);
  });

  test('one that was refused is left: a person grants what it needs', async () => {
    const world = await after(['good:1']);
    world.cluster.answers.set('more', { kind: 'refused', message: 'forbidden' });
    await world.push('good:2', [configMap('more')]);
    await world.pass(3600);
    assert.deepEqual([world.image(), world.rolledBack()], ['good:2', []]);
  });

  test('without the setting nobody is rolled back, and nothing is looked at', async () => {
    const world = new TrialWorld();
    world.onFailure = undefined;
    await world.push('good:1');
    await world.pass(600);
    await world.push('bad:2');
    await world.pass(3600);
    assert.deepEqual([world.image(), world.rolledBack()], ['bad:2', []]);
    assert.equal((await world.world.inventory()).trial, undefined);
  });
});

describe('where it goes back to', () => {
  test('never to what failed too: two bad ones in a row end at the healthy one before both', async () => {
    const world = await after(['good:1', 'bad:2', 'bad:3']);
    assert.deepEqual([world.image(), world.rolledBack().length], ['good:1', 2]);
    assert.deepEqual(
      world.rolledBack().map((said) => said.split(':').slice(0, 3).join(':')),
      ['bad:2 -> good:1', 'bad:3 -> good:1'],
    );
  });

  test('a revision that came before the last one had failed passes on what was healthy', async () => {
    const world = await after(['good:1']);
    await world.push('bad:2');
    await world.pass(3);
    await world.push('bad:3');
    await world.pass(600);
    assert.deepEqual(
      [world.image(), (await world.pointer()).pin?.rejects?.commit.subject],
      ['good:1', 'bad:3'],
    );
  });

  test('nothing was healthy before: the first one stays', async () => {
    const world = await after(['bad:1']);
    assert.deepEqual([world.image(), world.rolledBack()], ['bad:1', []]);
    assert.match(
      JSON.stringify(await world.handle(world.request('watch', 'sweep'))),
      /nothing that was healthy was applied before revision 1/,
    );
  });

  test('what was healthy and is Degraded by itself is nowhere to go, nor is what was before it', async () => {
    const world = await after(['good:0', 'good:1']);
    world.degrade();
    const at = isoTime(world.clock.now());
    const web = {
      at,
      triedAt: at,
      sync: 'Synced',
      reason: '',
      drifted: 0,
      revision: 2,
      health: 'Degraded',
      healthMessage: 'Late',
    };
    const check = { version: 1, seq: 1, cluster: 'east', at, targets: { web } };
    await world.world.store.put(keys.check('east'), JSON.stringify(check), 'any');
    await world.push('bad:2');
    await world.pass(600);
    const { why } = { why: '', ...(await world.handle(world.request('watch', 'sweep'))) };
    assert.equal(why, 'nothing that was healthy was applied before revision 3');
    assert.deepEqual([world.image(), world.rolledBack()], ['bad:2', []]);
  });

  test('the snapshot is not kept any more: it stays, and says why', async () => {
    const world = await after(['good:1']);
    const { snapshot } = await world.pointer();
    await world.push('bad:2');
    await world.handle(world.world.queues.runs.shift() ?? world.request('push'));
    await world.world.store.delete(keys.snapshot('web', snapshot), 'any');
    await world.handle(world.request('watch', 'sweep'));
    world.clock.advance(40_000);
    await world.handle(world.request('watch', 'sweep'));
    assert.match((await world.rollBackWhatFailed()).join(), /is not kept any more/);
    assert.equal((await world.pointer()).pin, undefined);
  });

  test('one of the same objects is no way back', async () => {
    const world = await after(['good:1']);
    world.settings = { timeoutSeconds: 60 };
    await world.push('good:1');
    await world.pass(60);
    assert.match(
      JSON.stringify(await world.handle(world.request('watch', 'sweep'))),
      /what was applied before has the same objects/,
    );
  });
});

describe('what ends the pin', () => {
  test('a commit with other objects', async () => {
    const world = await after(['good:1', 'bad:2', 'good:3']);
    const pointer = await world.pointer();
    assert.deepEqual([world.image(), pointer.pin, pointer.held], ['good:3', undefined, undefined]);
  });

  test('not one that renders what failed, nor one that changes settings alone', async () => {
    const world = await after(['good:1', 'bad:2']);
    const before = await world.pointer();
    await world.push('bad:2');
    world.settings = { timeoutSeconds: 60 };
    await world.push('bad:2');
    await world.pass(3600);
    const { revision, pin, held } = await world.pointer();
    assert.deepEqual([revision, pin, world.image()], [before.revision, before.pin, 'good:1']);
    assert.equal(held?.settings.timeoutSeconds, 60);
  });

  test('one that takes the change back: nothing is applied for it', async () => {
    const world = await after(['good:1', 'bad:2']);
    const before = await world.pointer();
    await world.push('good:1');
    const { revision, pin, snapshot } = await world.pointer();
    assert.deepEqual([revision, pin, snapshot], [before.revision, undefined, before.snapshot]);
  });

  test('a person: what failed comes again, and is not rolled back a second time', async () => {
    const world = await after(['good:1', 'bad:2']);
    await liftPin(world.world, world.world.target);
    await world.world.queues.run(world.request('push'));
    await world.pass(7200);
    assert.deepEqual([world.image(), world.rolledBack().length], ['bad:2', 1]);
    assert.match(
      JSON.stringify(await world.handle(world.request('watch', 'sweep'))),
      /was rolled back once, and a person wanted it all the same/,
    );
    await world.push('bad:3');
    await world.pass(600);
    assert.equal((await world.pointer()).insisted, undefined, 'that was said of another one');
  });

  test("a deletion from Git: a tombstone as ever, which a person's pin would hold", async () => {
    const world = await after(['good:1', 'bad:2']);
    const gone = await world.giveUp();
    assert.deepEqual([gone.state, gone.pin, gone.held], ['gone', undefined, undefined]);
  });

  test('a person rolls back further: theirs is the pin now', async () => {
    const world = await after(['good:0', 'good:1', 'bad:2']);
    const { pointer } = await rollBack(world.world, world.world.target, { by: 'ada', reason: 'further' });
    assert.deepEqual([pointer.commit.subject, pointer.pin?.rejects], ['good:0', undefined]);
    await world.push('good:3');
    assert.equal((await world.pointer()).pin?.by, 'ada');
  });
});

describe('what it gives way to', () => {
  test('a newer commit that comes in between', async () => {
    const world = await after(['good:1']);
    await world.push('bad:2');
    await world.handle(world.world.queues.runs.shift() ?? world.request('push'));
    await world.handle(world.request('watch', 'sweep'));
    world.clock.advance(40_000);
    await world.handle(world.request('watch', 'sweep'));
    await world.push('good:3');
    assert.deepEqual(await world.rollBackWhatFailed(), ['revision 3 has come']);
    await world.pass(600);
    assert.deepEqual([world.image(), (await world.pointer()).pin], ['good:3', undefined]);
  });

  test('a newer commit at the very moment of the write', async () => {
    const world = await after(['good:1']);
    await world.push('bad:2');
    await world.handle(world.world.queues.runs.shift() ?? world.request('push'));
    await world.handle(world.request('watch', 'sweep'));
    world.clock.advance(40_000);
    await world.handle(world.request('watch', 'sweep'));
    const { store } = world.world;
    let raced = false;
    const racing: Store = {
      get: (key) => store.get(key),
      entries: (prefix) => store.entries(prefix),
      list: (prefix, options) => store.list(prefix, options),
      delete: (key, condition) => store.delete(key, condition),
      put: async (key, text, condition) => {
        if (key === keys.desired(world.world.target) && !raced) {
          raced = true;
          await world.push('good:3');
        }
        return store.put(key, text, condition);
      },
    };
    const [failed] = world.failures();
    assert.ok(failed);
    assert.equal(await rollBackFailed(failed, { ...world.deps, store: racing }), 'revision 3 has come');
    assert.ok(raced);
    await world.pass(600);
    assert.equal(world.image(), 'good:3');
  });

  test('a person who rolled back first', async () => {
    const world = await after(['good:0', 'good:1']);
    await world.push('bad:2');
    await world.handle(world.world.queues.runs.shift() ?? world.request('push'));
    await rollBack(world.world, world.world.target, { to: '1', by: 'ada', reason: 'saw it first' });
    await world.world.queues.run(world.request('push'));
    await world.pass(600);
    assert.deepEqual(
      [world.image(), (await world.pointer()).pin?.by, world.rolledBack()],
      ['good:0', 'ada', []],
    );
  });

  test('a suspension and a freeze: within its window it is done when they end', async () => {
    const world = await after(['good:1']);
    await world.push('bad:2');
    await world.handle(world.world.queues.runs.shift() ?? world.request('push'));
    const until = isoTime(world.clock.now() + 600_000);
    await suspend(world.world, { application: 'web' }, { by: 'ada', reason: 'incident', until });
    await world.pass(590);
    assert.deepEqual([world.image(), world.rolledBack()], ['bad:2', []]);
    await world.pass(120);
    assert.deepEqual([world.image(), world.rolledBack().length], ['good:1', 1]);
  });

  test('a freeze that outlasts the window: a person decides', async () => {
    const world = await after(['good:1']);
    await world.push('bad:2');
    await world.handle(world.world.queues.runs.shift() ?? world.request('push'));
    const [from, until] = [world.clock.now(), world.clock.now() + 7_200_000].map(isoTime);
    world.world.freeze = [{ from: from ?? '', until: until ?? '', reason: 'sale' }];
    await world.pass(10_000);
    assert.deepEqual([world.image(), world.rolledBack()], ['bad:2', []]);
  });

  test('an event that is replayed from the archive a day later', async () => {
    const world = await after(['good:1']);
    await world.push('bad:2');
    await world.handle(world.world.queues.runs.shift() ?? world.request('push'));
    const at = isoTime(world.clock.now());
    world.clock.advance(86_400_000);
    const failed = { version: 1 as const, at, target: world.world.target, revision: 2, reason: 'was bad' };
    assert.match(await rollBackFailed(failed, world.deps), /^that was at .*; the sweep looks how it is now$/);
  });
});
