import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { loadDesired } from '../../../core/desired-state.ts';
import { LostSnapshot, askAnew } from '../../../core/lost-snapshot.ts';
import type { DesiredPointer } from '../../../core/model/desired.ts';
import { produce } from '../../../core/produce.ts';
import { ProduceWorld, files } from './world.ts';

async function lossOf(world: ProduceWorld, { snapshot }: DesiredPointer): Promise<LostSnapshot> {
  const lost: unknown = await loadDesired(world, 'web', snapshot).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(lost instanceof LostSnapshot);
  return lost;
}

describe('a snapshot that is lost', () => {
  for (const [what, says, lose] of [
    ['deleted', /is not in the bucket; it is rendered anew/, undefined],
    ['damaged', /is not JSON; it is rendered anew/, '{'],
  ] as const) {
    test(`${what}: the hint of whoever needed it has it rendered, though no input changed`, async () => {
      const world = new ProduceWorld();
      await world.push('a', files('1'));
      const pointer = await world.pointer('web');
      const key = keys.snapshot('web', pointer.snapshot);
      const other = keys.snapshot('api', (await world.pointer('api')).snapshot);
      await (lose === undefined ? world.store.delete(key, 'any') : world.store.put(key, lose, 'any'));
      world.takeEvents();
      const error = await lossOf(world, pointer);
      assert.match(error.message, says);

      await askAnew([{ error, pointer }], world);
      const [hint] = world.bus.events.splice(0);
      assert.ok(hint?.type === 'PushReceived');
      assert.deepEqual(hint.detail.anew, ['web']);
      const etag = (await world.store.get(other))?.etag;
      assert.match(await produce(hint.detail, 1, world.deps()), /2 unchanged \(api; web\)/);
      await loadDesired(world, 'web', pointer.snapshot);
      assert.equal((await world.store.get(other))?.etag, etag);
      assert.deepEqual((await world.pointer('web')).revision, pointer.revision);
    });
  }

  test('is not asked for where the newest commit would give another one', async () => {
    const world = new ProduceWorld();
    await world.push('a', files('1'));
    const pointer = await world.pointer('web');
    const error = new LostSnapshot(pointer.snapshot, 'is not in the bucket');
    world.takeEvents();
    const pin = { by: 'ada', reason: 'wait', at: '2026-11-23T12:00:00.000Z' };
    await askAnew(
      [
        { error, pointer: { ...pointer, pin } },
        { error, pointer: { ...pointer, failed: { sha: 'b'.repeat(40), at: pin.at, faults: [] } } },
        { error: new LostSnapshot('sha256:older', 'is not in the bucket'), pointer },
        { error: new Error('another fault'), pointer },
        { error, pointer: undefined },
      ],
      world,
    );
    assert.deepEqual(world.takeEvents(), []);
  });

  test('of many applications is one hint for each repository', async () => {
    const world = new ProduceWorld();
    await world.push('a', files('1'));
    const pointers = [await world.pointer('web'), await world.pointer('api')];
    world.takeEvents();
    await askAnew(
      pointers.map((pointer) => ({
        error: new LostSnapshot(pointer.snapshot, 'is not in the bucket'),
        pointer,
      })),
      world,
    );
    const [hint, ...more] = world.bus.events;
    assert.ok(hint?.type === 'PushReceived' && more.length === 0);
    assert.deepEqual(hint.detail.anew, ['web', 'api']);
  });
});
