import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DevLoop, type Ask } from '../../cli/dev-loop.ts';

/** A loop whose work ends when the test says so. */
function world() {
  const begun: Ask[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const loop = new DevLoop(
    async (ask) => {
      begun.push(ask);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
    },
    async () => undefined,
  );
  const turn = () => new Promise<void>((done) => void setImmediate(done));
  return { loop, begun, gates, turn };
}

test('what is saved while a plan is made is looked at once, afterwards', async () => {
  const { loop, begun, gates, turn } = world();
  loop.want('plan');
  await turn();
  for (let save = 0; save < 5; save += 1) loop.want('plan');
  await turn();
  assert.deepEqual(begun, ['plan']);
  gates[0]?.resolve();
  await turn();
  assert.deepEqual(begun, ['plan', 'plan']);
  gates[1]?.resolve();
  await turn();
  assert.deepEqual(begun, ['plan', 'plan']);
});

test('a save does not take back that an apply was asked for', async () => {
  const { loop, begun, gates, turn } = world();
  loop.want('plan');
  await turn();
  loop.want('apply');
  loop.want('plan');
  gates[0]?.resolve();
  await turn();
  assert.deepEqual(begun, ['plan', 'apply']);
});

test('stopped, it ends what is under way and begins nothing', async () => {
  const { loop, begun, gates, turn } = world();
  loop.want('apply');
  await turn();
  loop.want('plan');
  loop.stop();
  let isEnded = false;
  const ended = loop.ended.then(() => (isEnded = true));
  await turn();
  assert.equal(isEnded, false);
  gates[0]?.resolve();
  await ended;
  assert.deepEqual(begun, ['apply']);
});

test('a bug ends it', async () => {
  const { loop, gates, turn } = world();
  loop.want('plan');
  await turn();
  gates[0]?.reject(new TypeError('a bug'));
  await assert.rejects(loop.ended, TypeError);
});
