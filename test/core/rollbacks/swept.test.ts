import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from '../../../core/model/time.ts';
import { deployment, scriptedWorld } from '../sweep/sweep-world.ts';

const rollback = { onFailure: { windowSeconds: 3600, alarms: ['errors'] } };

/** What sweeps ask for besides, a quarter of an hour apart. */
async function asked(window: Partial<typeof rollback.onFailure> = {}, sweeps = 6): Promise<string[][]> {
  const world = scriptedWorld();
  const settings = { rollback: { onFailure: { ...rollback.onFailure, ...window } } };
  const before = await world.deploy('web', [deployment('front', 'a:1')], settings);
  const pointer = await world.deploy('web', [deployment('front', 'a:2')], settings);
  const { revision, snapshot, commit } = before;
  const since = isoTime(world.clock.now());
  await world.changeInventory('web', ({ applied }) => ({
    trial: { revision: pointer.revision, since, back: { revision, snapshot, commit, runId: 'r' } },
    ...(applied && { applied: { ...applied, at: since } }),
  }));
  const reasons: string[][] = [];
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    await world.sweep();
    reasons.push(
      world.queues.later
        .splice(0)
        .map(({ request: { reason, requestedBy } }) => `${reason} by ${requestedBy}`),
    );
    world.clock.advance(15 * 60_000);
  }
  return reasons;
}

test('sweeps ask for a look at a revision in its window, whatever message was lost, and for none after it', async () => {
  const one = ['watch by sweep'];
  assert.deepEqual(await asked(), [one, one, one, one, [], []]);
});

test('of a rollback that nobody was told of they ask as well', async () => {
  const world = scriptedWorld();
  const { revision, snapshot, commit } = await world.deploy('web', [deployment('front')], { rollback });
  const pin = { by: 'trueup', reason: 'bad', at: isoTime(world.clock.now()) };
  const rejects = { revision, snapshot, commit };
  await world.changePointer('web', { pin: { ...pin, rejects } });
  await world.sweep();
  const reasons = () => world.queues.later.splice(0).map(({ request }) => request.reason);
  assert.deepEqual(reasons(), ['watch']);
  await world.changePointer('web', { pin: { ...pin, rejects: { ...rejects, told: true } } });
  await world.sweep();
  assert.deepEqual(reasons(), []);
});
