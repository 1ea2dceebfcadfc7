import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TrueupEvent } from '../../core/contract/events.ts';
import { keys } from '../../core/contract/keys.ts';
import { Retry } from '../../core/errors.ts';
import type { Bus, Store } from '../../core/ports.ts';
import { receive } from '../../core/receive.ts';
import { defaultId as id, delivery, pushOf } from '../fakes/github-delivery.ts';
import { world } from '../fakes/hook-world.ts';
import type { MemoryStore } from '../fakes/memory-store.ts';
import { RecordingBus } from '../fakes/recorders.ts';

/** A bus that fails as often as it is told. */
class FailingBus extends RecordingBus {
  failures = 1;
  override async publish(events: readonly TrueupEvent[]): Promise<void> {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Retry({
        subject: 'event bus main',
        message: 'took 0 of 1 events (PushReceived: InternalFailure)',
      });
    }
    await super.publish(events);
  }
}

describe('the same delivery', () => {
  test('five times at once is one event, and nobody is told of success before there is any', async () => {
    const { deps, bus, record } = world();
    const answers = await Promise.all(Array.from({ length: 5 }, () => receive(delivery(), deps)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202, 202, 202, 202, 202],
    );
    assert.equal(answers.filter(({ body }) => body.duplicate).length, 4);
    assert.equal(bus.events.length, 1);
    assert.equal((await record())?.attempts, 1);
  });

  test('years later is still suppressed', async () => {
    const { deps, bus, clock } = world();
    await receive(delivery(), deps);
    clock.advance(3 * 365 * 86_400_000);
    const answer = await receive(delivery(), deps);
    assert.deepEqual(answer, { status: 202, body: { delivery: id, state: 'published', duplicate: true } });
    assert.equal(bus.events.length, 1);
  });

  test('under five ids at once is one event, and each id has its record', async () => {
    const { deps, bus, record } = world();
    const ids = ['d1', 'd2', 'd3', 'd4', 'd5'];
    const answers = await Promise.all(ids.map((one) => receive(delivery({ id: one }), deps)));
    assert.deepEqual(
      answers.map(({ body }) => body.delivery),
      ids,
    );
    assert.equal(bus.events.length, 1);
    const records = await Promise.all(ids.map((one) => record(keys.delivery('github', one))));
    assert.deepEqual(records.map((one) => `${one?.state}`).toSorted(), [
      'ignored',
      'ignored',
      'ignored',
      'ignored',
      'published',
    ]);
    const published = records.find((one) => one?.state === 'published');
    for (const one of records.filter((known) => known?.state === 'ignored')) {
      assert.equal(one?.outcome, `duplicate of delivery ${published?.id}`);
    }
  });

  test('replayed under another id after the window is one more hint, which does no harm', async () => {
    const { deps, bus, clock } = world();
    await receive(delivery({ id: 'd1' }), deps);
    clock.advance(11 * 60_000);
    for (let index = 2; index < 10; index += 1) await receive(delivery({ id: `d${index}` }), deps);
    assert.equal(bus.events.length, 2);
  });

  test('with another body is another delivery, and each is suppressed for itself', async () => {
    const { deps, bus } = world();
    const second = JSON.stringify(
      pushOf({ before: '6113728f27ae82c7b1a177c8d03f9e96e0adf246', after: 'c'.repeat(40) }),
    );
    for (const body of [undefined, second, undefined, second]) {
      assert.equal((await receive(delivery(body === undefined ? {} : { body }), deps)).status, 202);
    }
    assert.equal(bus.events.length, 2);
  });
});

test('force-pushes there, back and there again are three events, though the bodies may be equal', async () => {
  const { deps, bus, clock } = world();
  const [a, b] = ['a'.repeat(40), 'b'.repeat(40)];
  const repository = {
    full_name: 'Codertocat/Hello-World',
    clone_url: 'https://github.com/Codertocat/Hello-World',
  };
  for (const [index, before, after] of [
    [1, a, b],
    [2, b, a],
    [3, a, b],
  ] as const) {
    clock.advance(1_000);
    const body = JSON.stringify({ ref: 'refs/heads/master', before, after, repository });
    await receive(delivery({ id: `d${index}`, body }), deps);
  }
  assert.deepEqual(
    bus.events.map(({ detail }) => 'after' in detail && detail.after),
    [b, a, b],
  );
});

describe('when publishing fails', () => {
  test('the sender sees it, the ledger says why, and a redelivery works at once', async () => {
    const { deps, bus, record } = world(new FailingBus());
    const answer = await receive(delivery(), deps);
    assert.equal(answer.status, 503);
    assert.deepEqual(answer.body, { reason: 'not taken; deliver it again' });
    assert.ok(answer.fault instanceof Retry);
    const failed = await record();
    assert.equal(failed?.state, 'claimed');
    assert.match(failed.outcome ?? '', /^not published: event bus main: took 0 of 1 events/);

    assert.equal((await receive(delivery(), deps)).status, 202);
    assert.equal(bus.events.length, 1);
    const published = await record();
    assert.deepEqual(
      [published?.state, published?.attempts, published?.outcome],
      ['published', 2, undefined],
    );
    assert.equal((await receive(delivery(), deps)).body.duplicate, true);
  });

  test('five copies at once: the one that fails says so, one of the others publishes', async () => {
    const { deps, bus } = world(new FailingBus());
    const answers = await Promise.all(Array.from({ length: 5 }, () => receive(delivery(), deps)));
    const published = answers.filter(({ status }) => status === 202);
    assert.ok(published.length >= 1 && published.length <= 4);
    assert.equal(published.filter(({ body }) => body.duplicate === undefined).length, 1);
    assert.equal(bus.events.length, 1);
  });
});

/** A store that stops working after so many writes, as when the function is killed there. */
function dyingAfter(writes: number, store: MemoryStore): Store {
  return {
    get: (key) => store.get(key),
    put: (key, text, condition) =>
      store.writes.length >= writes ? new Promise(() => {}) : store.put(key, text, condition),
    delete: (key, condition) => store.delete(key, condition),
    entries: (prefix) => store.entries(prefix),
    list: (prefix, options) => store.list(prefix, options),
  };
}

for (const { writes, published, where, early, events } of [
  { writes: 2, published: false, where: 'after the claim, before anything else', early: 503, events: 1 },
  { writes: 4, published: false, where: 'between claim and publish', early: 503, events: 1 },
  { writes: 4, published: true, where: 'after publish, before that was recorded', early: 503, events: 2 },
  { writes: 5, published: true, where: 'after publish was recorded by id alone', early: 202, events: 1 },
] as const) {
  test(`a function that dies ${where}`, async () => {
    const { deps, bus, store, clock, record } = world();
    const hanging: Bus = { publish: () => new Promise(() => {}) };
    const dying = { ...deps, store: dyingAfter(writes, store), bus: published ? bus : hanging };
    const dead = receive(delivery(), dying);
    const soon = new Promise((resolve) => setImmediate(resolve));
    assert.equal(await Promise.race([dead, soon]), undefined);
    assert.equal(store.writes.length, writes);
    assert.equal(bus.events.length, published ? 1 : 0);

    const copy = await receive(delivery(), deps);
    assert.equal(copy.status, early);
    if (early === 503) assert.match(String(copy.fault), /another copy of it is being handled/);
    clock.advance(60_000);
    assert.equal((await receive(delivery(), deps)).status, 202);
    assert.equal((await record())?.state, 'published');
    assert.equal(bus.events.length, events);
  });
}
