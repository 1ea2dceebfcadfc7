import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { RequestGate } from '../../adapters/request-gate.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

let clock: ManualClock;
let gate: RequestGate;
let start: number;
beforeEach(() => {
  clock = new ManualClock();
  gate = new RequestGate(clock, 100);
  start = clock.now();
});

const forever = () => Number.POSITIVE_INFINITY;

/** Sends so many requests that take no time, all asked for at once; gives when each went out, in ms. */
async function send(count: number): Promise<number[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const at = await gate.enter(forever);
      gate.leave();
      assert.ok(at !== undefined);
      return at - start;
    }),
  );
}

describe('a token bucket', () => {
  test('lets a burst of two seconds out at once, and then no more than the rate', async () => {
    const times = await send(400);
    assert.equal(times.filter((at) => at === 0).length, 200);
    assert.equal(times.at(-1), 2000);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
  });

  test('fills again while nobody asks, and never beyond the burst', async () => {
    await send(200);
    clock.advance(60_000);
    const times = await send(201);
    assert.deepEqual([times[199], times[200]], [60_000, 60_010]);
  });

  test('of a fraction of a request a second lets the first one out', async () => {
    gate = new RequestGate(clock, 0.5);
    assert.deepEqual(await send(2), [0, 2000]);
  });
});

describe('a server that says: wait', () => {
  test('stops all who wait, once; then the rate is half and grows back step by step', async () => {
    gate.pause(clock.now() + 1, 5_000);
    assert.equal(gate.rate, 50);
    const times = await send(10);
    assert.ok(
      times.every((at) => at >= 5_000),
      'none goes out in the meantime',
    );
    assert.ok((times.at(-1) ?? 0) >= 5_000 + 150, 'and there is no burst after it');
    clock.advance(5_000);
    const grown = gate.rate;
    assert.ok(grown > 70 && grown < 80, String(grown));
    clock.advance(60_000);
    assert.equal(gate.rate, 100);
  });

  test('answers to requests that went out before the pause halve the rate once', () => {
    const sent = clock.now();
    clock.advance(10);
    for (let each = 0; each < 16; each += 1) gate.pause(sent, 1_000);
    assert.equal(gate.rate, 50);
    clock.advance(1_001);
    gate.pause(clock.now(), 1_000);
    assert.ok(gate.rate < 26);
    for (let each = 0; each < 40; each += 1) {
      clock.advance(1);
      gate.pause(clock.now(), 1);
    }
    assert.ok(gate.rate >= 1, 'it never comes to a halt');
  });

  test('turns those away whose time does not last, and lets the others in', async () => {
    gate.pause(clock.now() + 1, 5_000);
    const [late, patient] = await Promise.all([gate.enter(() => start + 4_999), gate.enter(forever)]);
    assert.equal(late, undefined);
    assert.ok((patient ?? 0) >= start + 5_000);
  });

  test('for longer than a run can wait turns all away at once', async () => {
    gate.pause(clock.now() + 1, 120_000);
    assert.equal(await gate.enter(forever), undefined);
    assert.equal(clock.now(), start);
    assert.equal(gate.pauseMs, 120_000);
  });
});

test('sixteen at once, the next one when one of them is done, in order', async () => {
  const order: number[] = [];
  const entered = Array.from({ length: 20 }, async (_, index) => {
    await gate.enter(forever);
    order.push(index);
  });
  await Promise.all(entered.slice(0, 16));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(order.length, 16);
  gate.leave();
  await entered[16];
  assert.equal(order.length, 17);
  for (let each = 0; each < 3; each += 1) gate.leave();
  await Promise.all(entered);
  assert.deepEqual(order, [...Array(20).keys()]);
});
