import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../../core/ports.ts';
import { keepingPastDays } from '../../../core/view/past-days.ts';
import { MemoryStore } from '../../fakes/memory-store.ts';

/** The same store, which notes what it is asked to list. */
function watched(inner: Store, listed: string[]): Store {
  return {
    get: async (key) => inner.get(key),
    put: async (...args) => inner.put(...args),
    delete: async (...args) => inner.delete(...args),
    entries: async (prefix) => inner.entries(prefix),
    list: (prefix, options) => {
      listed.push(prefix);
      return inner.list(prefix, options);
    },
  };
}

test('a day that is over is listed once, and one that is not, each time', async () => {
  const inner = new MemoryStore();
  let now = Date.parse('2026-11-24T00:30:00Z');
  const listed: string[] = [];
  const store = keepingPastDays(watched(inner, listed), { now: () => now });
  const yesterday = 'runs/date=2026-11-23/east/web/';
  await store.put(`${yesterday}1.json`, '{}', 'any');
  const ask = async () => (await Array.fromAsync(store.list(yesterday))).length;
  assert.equal(await ask(), 1);
  // It began before midnight, and is written down now.
  await store.put(`${yesterday}2.json`, '{}', 'any');
  assert.equal(await ask(), 2);
  now += 3_600_000;
  assert.deepEqual([await ask(), await ask(), listed.length], [2, 2, 3]);
  await Array.fromAsync(store.list('desired/'));
  await Array.fromAsync(store.list('desired/'));
  await Array.fromAsync(store.list(yesterday, { limit: 1 }));
  assert.deepEqual(listed.slice(3), ['desired/', 'desired/', yesterday]);
});

test('what several ask for at once counts once against what is kept', async () => {
  const inner = new MemoryStore();
  const day = (name: string): string => `runs/date=2026-11-01/${name}/`;
  for (const name of ['east', 'west', 'south', 'north']) {
    for (const id of [1, 2, 3]) await inner.put(`${day(name)}${id}.json`, '{}', 'any');
  }
  const listed: string[] = [];
  const store = keepingPastDays(
    watched(inner, listed),
    { now: () => Date.parse('2026-11-24T00:00:00Z') },
    10,
  );
  const ask = async (name: string) => Array.fromAsync(store.list(day(name)));
  await Promise.all([ask('east'), ask('east'), ask('east')]);
  await ask('west');
  await ask('south');
  // 9 keys of 10: nothing has to go.
  listed.length = 0;
  await ask('east');
  await ask('west');
  await ask('south');
  assert.deepEqual(listed, []);
  // A fourth drives out what was asked for longest ago, and nothing else.
  await ask('north');
  await ask('west');
  await ask('east');
  assert.deepEqual(listed, [day('north'), day('east')]);
});
