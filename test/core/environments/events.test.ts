import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { askAnew, LostSnapshot } from '../../../core/lost-snapshot.ts';
import { traceOf } from '../../../core/model/trace.ts';
import {
  followPullEvent,
  isPullRef,
  pollPulls,
  remakeEnvironments,
} from '../../../core/preview-environments.ts';
import { EnvironmentWorld, runningWorld, shop } from './environment-world.ts';

/** The event of a pull request whose delivery is in the ledger. */
async function eventOf(world: EnvironmentWorld, action: 'opened' | 'updated' | 'closed' | 'reviewed') {
  const { deliveryId, provider, at } = await world.pushed('b'.repeat(40));
  const trace = traceOf('push', at, provider, deliveryId);
  const head = { branch: 'feature-b', sha: 'b'.repeat(12) };
  const pull = { repository: 'fleet', id: '1', action, head, base: { branch: 'main' } } as const;
  return { version: 1 as const, at, deliveryId, provider, trace, ...pull };
}

describe('an event of a pull request', () => {
  test('is followed, traced to the run, and told in the ledger', async () => {
    const world = new EnvironmentWorld();
    world.git.push('a', shop());
    world.open('b', shop('2'));
    const event = await eventOf(world, 'opened');
    await followPullEvent(event, 1, world.environmentDeps);
    assert.equal(await world.outcomeOf(event.deliveryId), '1 changed (shop-pr-1 on dev)');
    const [run] = world.queues.runs;
    assert.deepEqual(run?.trace, event.trace);
    assert.deepEqual((await world.environment('shop-pr-1'))?.trace, event.trace);
    const ready = world.bus.events.map(({ type, detail }) => [type, detail.trace?.id]);
    assert.deepEqual(ready, [['SnapshotReady', event.trace.id]]);
  });

  test('says nothing over what others said of the same delivery', async () => {
    const world = await runningWorld();
    const event = await eventOf(world, 'updated');
    const key = keys.delivery(event.provider, event.deliveryId);
    const text = (await world.store.get(key))?.text ?? '';
    await world.store.put(key, JSON.stringify({ ...JSON.parse(text), outcome: 'compared' }), 'any');
    await followPullEvent(event, 1, world.environmentDeps);
    assert.equal(await world.outcomeOf(event.deliveryId), 'compared');
  });

  test('of a review asks nobody anything', async () => {
    const world = await runningWorld();
    world.host.calls.length = 0;
    await followPullEvent(await eventOf(world, 'reviewed'), 1, world.environmentDeps);
    assert.deepEqual(world.host.calls, []);
  });

  test('that was lost is made up for by the poll, which tells of repositories with environments alone', async () => {
    const world = await runningWorld();
    world.host.change('fleet', '1', { state: 'merged' });
    const [outcome, ...more] = await pollPulls(['fleet'], world.environmentDeps);
    assert.match(outcome?.outcome ?? '', /^1 being removed \(shop-pr-1: the pull request was merged\)$/);
    assert.deepEqual(more, []);
    const none = { name: 'fleet', url: 'https://git.example/fleet.git' };
    const other = new EnvironmentWorld();
    other.config = { ...other.config, repositories: [none] };
    assert.deepEqual(await pollPulls(['fleet'], other.environmentDeps), []);
  });
});

test('a run that finds its snapshot lost has it made anew, by a hint that no branch is moved by', async () => {
  const world = await runningWorld();
  const pointer = await world.environment('shop-pr-1');
  assert.ok(pointer);
  await world.store.delete(keys.snapshot('shop-pr-1', pointer.snapshot), 'any');
  world.takeEvents();
  await askAnew([{ error: new LostSnapshot(pointer.snapshot, 'is gone'), pointer }], world);
  const [hint] = world.bus.events.splice(0);
  assert.ok(hint?.type === 'PushReceived' && isPullRef(hint.detail.ref));
  await remakeEnvironments(hint.detail, world.environmentDeps);
  assert.ok(await world.store.get(keys.snapshot('shop-pr-1', pointer.snapshot)));
});
