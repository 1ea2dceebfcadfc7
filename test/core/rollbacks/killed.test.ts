import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rollBackFailed } from '../../../core/auto-rollback.ts';
import type { ReconcileDeps } from '../../../core/reconcile.ts';
import { Killed, mortal, type Death } from '../reconcile/mortal.ts';
import { configMap } from '../reconcile/reconcile-world.ts';
import { TrialWorld } from './trial-world.ts';

/** `good:1` is healthy, `bad:2` was pushed and its message is there. */
async function pushed(): Promise<TrialWorld> {
  const world = new TrialWorld();
  await world.push('good:1');
  await world.pass(600);
  await world.push('bad:2', [configMap('more')]);
  return world;
}

/** Whether the work was cut short by its death. */
async function dies(
  work: (deps: ReconcileDeps) => Promise<unknown>,
  world: TrialWorld,
  death: Death,
): Promise<boolean> {
  return work(mortal(world.deps, death).deps).then(
    () => false,
    (error: unknown) => {
      assert.ok(error instanceof Killed, String(error));
      return true;
    },
  );
}

/** Rolled back once, to what was healthy; everybody was told, and nothing goes on. */
async function assertRolledBack(world: TrialWorld, where: string): Promise<void> {
  const { pin, commit } = await world.pointer();
  assert.deepEqual(
    [world.image(), commit.subject, pin?.by, pin?.rejects?.told],
    ['good:1', 'good:1', 'trueup', true],
    where,
  );
  assert.ok(world.rolledBack().length >= 1, `${where}: it was said`);
  const revisions = world.world.bus.events.flatMap((event) =>
    event.type === 'RolledBack' ? [event.detail.revision] : [],
  );
  assert.deepEqual(new Set(revisions), new Set([3]), `${where}: one rollback, however often it was said`);
  const { applied, health, lastRun } = await world.world.inventory();
  assert.deepEqual([applied?.revision, health?.status, lastRun?.outcome], [3, 'Healthy', 'applied'], where);
  assert.equal(await world.pass(7200), 0, `${where}: nothing goes on`);
}

/** The message comes again, and a sweep asks for what was lost. */
async function recover(world: TrialWorld, again: () => Promise<unknown>): Promise<void> {
  world.clock.advance(120_000);
  await again();
  await world.pass(1200);
  await world.handle(world.request('watch', 'sweep'));
  await world.pass(60);
  await world.handle(world.request('pending', 'sweep'));
  await world.pass(60);
}

for (const when of ['before', 'after'] as const) {
  test(`killed ${when} any effect of the run of the bad revision`, async () => {
    for (let at = 1; ; at += 1) {
      const world = await pushed();
      const [message] = world.world.queues.runs.splice(0);
      assert.ok(message);
      const died = await dies((deps) => world.handle(message, deps), world, { at, when });
      if (!died) {
        assert.ok(at > 10, `${at} places to die`);
        break;
      }
      await recover(world, async () => world.handle(message));
      await assertRolledBack(world, `${when} effect ${at}`);
    }
  });

  test(`killed ${when} any effect of the look that finds it bad`, async () => {
    for (const look of [1, 2]) {
      for (let at = 1; ; at += 1) {
        const world = await pushed();
        const [run] = world.world.queues.runs.splice(0);
        assert.ok(run);
        await world.handle(run);
        world.world.queues.later.length = 0;
        const message = world.request('watch', 'trial');
        if (look === 2) {
          await world.handle(message);
          world.world.queues.later.length = 0;
          world.clock.advance(30_000);
        }
        if (!(await dies((deps) => world.handle(message, deps), world, { at, when }))) break;
        await recover(world, async () => world.handle(message));
        await assertRolledBack(world, `look ${look}, ${when} effect ${at}`);
      }
    }
  });

  test(`killed ${when} any effect of moving the pointer`, async () => {
    for (const isRedelivered of [true, false]) {
      for (let at = 1; ; at += 1) {
        const world = await pushed();
        const [run] = world.world.queues.runs.splice(0);
        assert.ok(run);
        await world.handle(run);
        world.world.queues.later.length = 0;
        await world.handle(world.request('watch', 'sweep'));
        world.clock.advance(30_000);
        await world.handle(world.request('watch', 'sweep'));
        const [failed] = world.failures();
        assert.ok(failed);
        if (!(await dies((deps) => rollBackFailed(failed, deps), world, { at, when }))) {
          assert.ok(at > 4, `${at} places to die`);
          break;
        }
        // The message comes again, or was given up: then the sweep finds it.
        await recover(world, async () => (isRedelivered ? rollBackFailed(failed, world.deps) : undefined));
        await assertRolledBack(world, `${when} effect ${at}, ${isRedelivered ? 'redelivered' : 'given up'}`);
      }
    }
  });

  test(`killed ${when} any effect of the run that goes back`, async () => {
    for (let at = 1; ; at += 1) {
      const world = await pushed();
      const [run] = world.world.queues.runs.splice(0);
      assert.ok(run);
      await world.handle(run);
      await world.handle(world.request('watch', 'sweep'));
      world.clock.advance(30_000);
      await world.handle(world.request('watch', 'sweep'));
      await world.rollBackWhatFailed();
      const [back] = world.world.queues.runs.splice(0);
      assert.ok(back);
      if (!(await dies((deps) => world.handle(back, deps), world, { at, when }))) break;
      await recover(world, async () => world.handle(back));
      await assertRolledBack(world, `${when} effect ${at}`);
    }
  });
}
