import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { writeDocument } from '../../../core/documents.ts';
import type { DesiredPointer } from '../../../core/model/desired.ts';
import { describePin } from '../../../core/model/pin.ts';
import { isoTime } from '../../../core/model/time.ts';
import { liftPin, rollBack, type RollbackWish } from '../../../core/rollback.ts';
import { produce } from '../../../core/produce.ts';
import { askForExpiredPins } from '../../../core/sweep/expired-pins.ts';
import { application, ProduceWorld, files } from './world.ts';

const target = { cluster: 'prod', application: 'web' };
const person = { by: 'alice', reason: 'checkout is down' };
const minute = 60_000;

/** What the reconcile function leaves behind of a run, as far as a rollback reads it. */
async function ran(world: ProduceWorld, kind: 'applied' | 'failed' = 'applied'): Promise<string> {
  const { revision, snapshot, commit } = await world.pointer('web');
  const at = isoTime(world.clock.now());
  const id = at.replaceAll(/[^0-9]/g, '');
  const outcome = { kind, at, message: '', counts, objects: [], faults: [] };
  const said = { version: 1, id, target, reason: 'push', requestedBy: 'webhook', startedAt: at };
  const record = { ...said, revision, snapshot, commit, plan: { actions: [] }, outcome };
  await writeDocument(world.store, keys.run(target, at, id), record, 'any');
  await world.clock.sleep(minute);
  return id;
}
const counts = { created: 0, updated: 0, unchanged: 0, pruned: 0, failed: 0 };

/** Commits a, b, c … that give `web` the values 1, 2, 3 …, each applied. */
async function history(values: readonly string[]): Promise<{ world: ProduceWorld; runs: string[] }> {
  const world = new ProduceWorld();
  const runs: string[] = [];
  for (const [index, value] of values.entries()) {
    await world.push(String.fromCodePoint(97 + index), files(value));
    runs.push(await ran(world));
  }
  return { world, runs };
}

async function back(world: ProduceWorld, wish: Partial<RollbackWish> = {}): Promise<string> {
  const { to, pointer } = await rollBack(world, target, { ...person, ...wish });
  assert.equal(pointer.snapshot, to.snapshot);
  await world.clock.sleep(minute);
  return pointer.commit.sha.slice(0, 1);
}

const shown = ({ state, revision, commit, examined, pin, held }: DesiredPointer) =>
  [
    `${state} r${revision} commit ${commit.sha[0]} examined ${examined.sha[0]}`,
    pin === undefined ? 'no pin' : `pinned by ${pin.by}`,
    held === undefined ? 'nothing held' : `held ${held.state} ${held.commit.sha[0]}`,
  ].join(', ');

describe('rolling back', () => {
  test('goes to what was applied before, pins it there and says who, why and until when', async () => {
    const { world, runs } = await history(['1', '2']);
    const until = isoTime(world.clock.now() + 60 * minute);
    const before = await world.pointer('web');
    const { from, to, pointer } = await rollBack(world, target, { ...person, until });
    assert.deepEqual(
      [from.commit.sha[0], from.snapshot, to.commit.sha[0], to.runId],
      ['b', before.snapshot, 'a', runs[0]],
    );
    assert.deepEqual(await world.pointer('web'), pointer);
    assert.equal(shown(pointer), 'present r3 commit a examined b, pinned by alice, held present b');
    assert.deepEqual(pointer.pin, { ...person, at: isoTime(world.clock.now()), until });
    assert.equal(pointer.seq, before.seq + 1);
  });

  test('skips what failed, and runs that healed the same snapshot', async () => {
    const { world } = await history(['1', '2']);
    await ran(world);
    await world.push('c', files('3'));
    await ran(world, 'failed');
    assert.equal(await back(world), 'b', 'what runs is 2: that is what was applied before the head');
  });

  test('twice goes further back, and not forward again', async () => {
    const { world } = await history(['1', '2', '3']);
    assert.equal(await back(world), 'b');
    await ran(world);
    assert.equal(await back(world), 'a');
    await ran(world);
    await assert.rejects(back(world), /nothing was applied before what it has now; to choose from: revision/);
    assert.equal(
      shown(await world.pointer('web')),
      'present r5 commit a examined c, pinned by alice, held present c',
    );
  });

  test('goes to a run, a revision, a commit or a snapshot that is named', async () => {
    const { world, runs } = await history(['1', '2', '3']);
    const first = (await rollBack(world, target, { ...person, to: 'aaaaaaa' })).to.snapshot;
    for (const to of [runs[0] ?? '', '1', 'a'.repeat(40), first, first.slice(0, 20)]) {
      assert.equal(await back(world, { to }), 'a', to);
    }
    assert.equal(await back(world, { to: 'c'.repeat(8) }), 'c', 'the present one may be pinned as well');
    await assert.rejects(
      back(world, { to: 'f'.repeat(8) }),
      /no applied run fits ffffffff; to choose from: revision 3, commit ccccccc "[^"]*" \(.*\); revision 2/,
    );
  });

  test('stops with what is missing: no snapshot any more, no such target, gone from Git, a time that is over', async () => {
    const { world } = await history(['1', '2']);
    const older = { ...person, until: isoTime(world.clock.now()) };
    await assert.rejects(rollBack(world, target, older), /the pin would end at .* which is over/);
    await assert.rejects(rollBack(world, { ...target, application: 'none' }, person), /has this target/);
    const { to } = await rollBack(world, target, person);
    await liftPin(world, target);
    await world.store.delete(keys.snapshot('web', to.snapshot), 'any');
    await assert.rejects(rollBack(world, target, person), /is not kept any more; choose a later one/);
    await world.push('d', { 'applications/none.yaml': '' });
    await assert.rejects(rollBack(world, target, person), /gone from Git/);
  });

  test('and a commit at the same time: the pin is not lost, nor is the commit', async () => {
    const { world } = await history(['1', '2']);
    const push = world.push('c', files('3'));
    await Promise.all([push, rollBack(world, target, person)]);
    const pointer = await world.pointer('web');
    assert.match(shown(pointer), /pinned by alice, held present c/);
  });
});

describe('while it is pinned', () => {
  test('commits are examined and not followed, and no run is asked for', async () => {
    const { world } = await history(['1', '2']);
    await back(world);
    world.takeRuns();
    const pinnedAt = await world.pointer('web');
    await world.push('c', files('3'));
    const pointer = await world.pointer('web');
    assert.equal(shown(pointer), 'present r3 commit a examined c, pinned by alice, held present c');
    assert.equal(pointer.snapshot, pinnedAt.snapshot);
    assert.notEqual(pointer.held?.snapshot, pinnedAt.held?.snapshot);
    assert.deepEqual(world.takeRuns(), []);
  });

  test('a commit that cannot be rendered is noted; the pin and what was held stay', async () => {
    const { world } = await history(['1', '2']);
    await back(world);
    await world.push('c', { ...files('3'), 'apps/web/a.yaml': 'kind: [' });
    const pointer = await world.pointer('web');
    assert.equal(shown(pointer), 'present r3 commit a examined c, pinned by alice, held present b');
    assert.equal(pointer.failed?.sha[0], 'c');
    await world.push('d', files('4'));
    assert.equal((await world.pointer('web')).failed, undefined);
  });

  test('a deletion from Git waits as well, and comes when the pin is lifted', async () => {
    const { world } = await history(['1', '2']);
    await back(world);
    const { 'applications/web.yaml': _, ...others } = files('1');
    await world.push('c', others);
    assert.equal(
      shown(await world.pointer('web')),
      'present r3 commit a examined c, pinned by alice, held gone b',
    );
    const lifted = await liftPin(world, target);
    assert.equal(lifted && shown(lifted), 'gone r4 commit b examined c, no pin, nothing held');
  });

  test('a deletion from Git is found by a later look, once the pin has run out', async () => {
    const { world } = await history(['1', '2']);
    await back(world, { until: isoTime(world.clock.now() + 5 * minute) });
    const { 'applications/web.yaml': _, ...others } = files('1');
    await world.push('c', others);
    assert.equal((await world.pointer('web')).state, 'present');
    await world.clock.sleep(5 * minute);
    world.takeRuns();
    await world.push('d', { ...others, 'README.md': 'more' });
    assert.equal(shown(await world.pointer('web')), 'gone r4 commit a examined d, no pin, nothing held');
    assert.deepEqual(world.takeRuns(), ['web on prod']);
  });

  test('put back into Git, it is held again', async () => {
    const { world } = await history(['1', '2']);
    await back(world);
    const { 'applications/web.yaml': _, ...others } = files('1');
    await world.push('c', others);
    await world.push('d', files('4'));
    assert.match(shown(await world.pointer('web')), /held present d/);
  });
});

describe('the end of a pin', () => {
  test('lifting it goes to the head without a push', async () => {
    const { world } = await history(['1', '2']);
    await back(world);
    await world.push('c', files('3'));
    const lifted = await liftPin(world, target);
    assert.equal(lifted && shown(lifted), 'present r4 commit c examined c, no pin, nothing held');
    assert.equal(await liftPin(world, target), undefined, 'there is none any more');
  });

  test('a revision is not counted when what was pinned is what the head says', async () => {
    const { world } = await history(['1', '2']);
    await back(world);
    await world.push('c', files('1'));
    const lifted = await liftPin(world, target);
    assert.equal(lifted && shown(lifted), 'present r3 commit a examined c, no pin, nothing held');
  });

  test('the next commit after its time follows the head again', async () => {
    const { world } = await history(['1', '2']);
    const until = isoTime(world.clock.now() + 5 * minute);
    await back(world, { until });
    await world.push('c', files('3'));
    await world.clock.sleep(5 * minute);
    world.takeRuns();
    await world.push('d', files('3', '2'));
    assert.equal(shown(await world.pointer('web')), 'present r4 commit d examined d, no pin, nothing held');
    assert.deepEqual(world.takeRuns(), ['api on prod', 'web on prod']);
  });

  test('a look at a commit that was seen already lifts it too, and so does a failing one', async () => {
    const { world } = await history(['1', '2']);
    const until = isoTime(world.clock.now() + 5 * minute);
    await back(world, { until });
    await world.clock.sleep(5 * minute);
    await world.push('b', files('2'));
    assert.equal(shown(await world.pointer('web')), 'present r4 commit b examined b, no pin, nothing held');
    await ran(world);
    await back(world, { to: 'aaaaaaa', until: isoTime(world.clock.now() + 5 * minute) });
    await world.clock.sleep(5 * minute);
    await world.push('e', { ...files('5'), 'apps/web/a.yaml': 'kind: [' });
    assert.equal(shown(await world.pointer('web')), 'present r6 commit b examined e, no pin, nothing held');
  });

  test('the sweep asks for a look at the repository, and no push need come', async () => {
    const { world } = await history(['1', '2']);
    await back(world, { until: isoTime(world.clock.now() + 5 * minute) });
    const hints = async () => {
      world.bus.events.splice(0);
      await askForExpiredPins([await world.pointer('web'), await world.pointer('api')], world);
      return world.bus.events.splice(0);
    };
    assert.deepEqual(await hints(), [], 'it still holds');
    await world.clock.sleep(5 * minute);
    const [hint, ...more] = await hints();
    assert.ok(hint?.type === 'PushReceived' && more.length === 0);
    world.takeRuns();
    await produce(hint.detail, 1, world.deps());
    assert.equal(shown(await world.pointer('web')), 'present r4 commit b examined b, no pin, nothing held');
    assert.deepEqual(world.takeRuns(), ['web on prod']);
    assert.deepEqual(await hints(), []);
  });
});

describe('a pin of trueup itself', () => {
  /** b failed and gave way to a. */
  async function rejected(): Promise<ProduceWorld> {
    const { world } = await history(['1', '2']);
    const { revision, snapshot, commit } = await world.pointer('web');
    await back(world);
    const { pin, ...pointer } = await world.pointer('web');
    const own = {
      by: 'trueup',
      reason: 'it is Degraded',
      at: pin?.at ?? '',
      rejects: { revision, snapshot, commit },
    };
    await writeDocument(world.store, keys.desired(target), { ...pointer, pin: own }, 'any');
    world.takeRuns();
    return world;
  }

  test('gives way to a commit that renders something else', async () => {
    const world = await rejected();
    await world.push('c', files('3'));
    assert.equal(shown(await world.pointer('web')), 'present r4 commit c examined c, no pin, nothing held');
    assert.deepEqual(world.takeRuns(), ['web on prod']);
  });

  test('and to no other: one that renders what failed, another application, a faulty one, settings alone', async () => {
    const world = await rejected();
    await world.push('c', files('2', '2'));
    await world.push('d', { ...files('3', '2'), 'apps/web/a.yaml': 'kind: [' });
    const settings = { 'applications/web.yaml': application('web', { timeout: '5m' }) };
    await world.push('e', { ...files('2', '2'), ...settings });
    const { pin, revision, held, failed } = await world.pointer('web');
    assert.deepEqual(
      [pin?.by, revision, held?.settings.timeoutSeconds, failed],
      ['trueup', 3, 300, undefined],
    );
    assert.deepEqual(world.takeRuns(), ['api on prod']);
  });

  test('a commit that takes the change back ends it, and nothing is applied anew', async () => {
    const world = await rejected();
    await world.push('c', files('1'));
    assert.equal(shown(await world.pointer('web')), 'present r3 commit a examined b, no pin, nothing held');
    assert.deepEqual(world.takeRuns(), []);
  });

  describe('under one of a person, with a time', () => {
    const timed = async (world: ProduceWorld, to: string) =>
      back(world, { to: to.repeat(7), until: isoTime(world.clock.now() + 5 * minute) });
    const end = async (world: ProduceWorld) => world.clock.sleep(5 * minute);
    const kept = 'pinned by trueup, held present b';

    test('holds again when the time is over: what failed does not come back, by a look, a fault or a mere setting', async () => {
      const settings = { 'applications/web.yaml': application('web', { timeout: '5m' }) };
      const looks: readonly [string, string, Readonly<Record<string, string>>, string][] = [
        ['the sweep', 'b', files('2'), kept],
        ['another application', 'c', files('2', '2'), kept],
        ['a fault', 'd', { ...files('2'), 'apps/web/a.yaml': 'kind: [' }, kept],
        ['settings alone', 'e', { ...files('2'), ...settings }, kept],
      ];
      for (const [name, letter, changed, words] of looks) {
        const world = await rejected();
        assert.equal(await timed(world, 'a'), 'a');
        const { revision, pin } = await world.pointer('web');
        assert.deepEqual([pin?.by, pin?.rejects, pin?.over?.rejects.told], ['alice', undefined, true]);
        await end(world);
        world.takeRuns();
        await world.push(letter, changed);
        const pointer = await world.pointer('web');
        assert.match(shown(pointer), new RegExp(`^present r${revision} commit a .*${words}$`), name);
        assert.ok(!world.takeRuns().includes('web on prod'), name);
        world.bus.events.splice(0);
        await askForExpiredPins([pointer], world);
        assert.deepEqual(world.bus.events, [], 'it does not run out any more');
      }
    });

    test('what came meanwhile is followed at its end, also out of the mended state', async () => {
      const world = await rejected();
      await timed(world, 'a');
      await world.push('c', files('3'));
      assert.match(shown(await world.pointer('web')), /commit a .*pinned by alice, held present c$/);
      await end(world);
      await world.push('c', files('3'));
      assert.match(shown(await world.pointer('web')), /commit c .*no pin, nothing held$/);
    });

    test('a second one of a person remembers it as well; a deletion from Git ends all', async () => {
      const world = await rejected();
      await timed(world, 'a');
      await timed(world, 'a');
      await end(world);
      await world.push('b', files('2'));
      assert.match(shown(await world.pointer('web')), new RegExp(`${kept}$`));
      await timed(world, 'a');
      const { 'applications/web.yaml': _, ...others } = files('2');
      await world.push('c', others);
      await end(world);
      await world.push('d', { ...others, 'README.md': 'more' });
      assert.match(shown(await world.pointer('web')), /^gone .*no pin, nothing held$/);
    });

    test('lifted by a person, what failed comes and is not rolled back again; so it is where they pin just that', async () => {
      const world = await rejected();
      await timed(world, 'a');
      const lifted = await liftPin(world, target);
      assert.match(lifted === undefined ? '' : shown(lifted), /commit b .*no pin, nothing held$/);
      assert.equal(lifted?.insisted, lifted?.snapshot);
      const other = await rejected();
      await timed(other, 'b');
      await end(other);
      await other.push('b', files('2'));
      const wanted = await other.pointer('web');
      assert.match(shown(wanted), /commit b .*no pin, nothing held$/);
      assert.equal(wanted.insisted, wanted.snapshot);
    });

    test('what a person wanted all the same stays wanted, though they went back from it for a while', async () => {
      const world = await rejected();
      const lifted = await liftPin(world, target);
      await timed(world, 'a');
      await end(world);
      await world.push('b', files('2'));
      const { snapshot, insisted } = await world.pointer('web');
      assert.deepEqual([snapshot, insisted], [lifted?.snapshot, lifted?.snapshot]);
      await world.push('c', files('3'));
      assert.equal((await world.pointer('web')).insisted, undefined);
    });

    test('says so: until when, and what then', async () => {
      const world = await rejected();
      await timed(world, 'a');
      assert.match(
        describePin(await world.pointer('web')) ?? '',
        /by alice since .*, until .*Z, and then until a commit gives other objects than bbbbbbb, or it is lifted/,
      );
    });
  });

  test('an application that is gone from Git is gone, and so is its entry', async () => {
    const world = await rejected();
    const { 'applications/web.yaml': _, ...others } = files('1');
    await world.push('c', others);
    assert.equal((await world.pointer('web')).state, 'gone');
    assert.deepEqual(Object.keys((await world.state()).applications), ['api']);
  });
});
