import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { parseStackConfig } from '../../core/contract/config.ts';
import { Blocked, Retry } from '../../core/errors.ts';
import type { HookAttempt, HookAttempts } from '../../core/ports.ts';
import { redeliverFailed, toRedeliver } from '../../core/redeliver.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

const clock = new ManualClock();
const now = clock.now();

/** Minutes ago, delivery, whether it got through, event. */
const cases = z
  .array(
    z.object({
      name: z.string(),
      attempts: z.array(z.tuple([z.number(), z.string(), z.boolean(), z.string()])),
      again: z.array(z.number()),
    }),
  )
  .parse(
    load(`
# again: places in the list of attempts
- name: nothing failed
  attempts: [[10, a, true, push], [20, b, true, push]]
  again: []
- name: failed ones, oldest first
  attempts: [[10, a, false, push], [20, b, true, push], [30, c, false, package]]
  again: [2, 0]
- name: what got through at a second try is done
  attempts: [[5, a, true, push], [10, a, false, push]]
  again: []
- name: what failed twice is tried by its newest try
  attempts: [[5, a, false, push], [10, a, false, push]]
  again: [0]
- name: what failed five times is left to a person
  attempts: [[2, a, false, push], [3, a, false, push], [4, a, false, push], [5, a, false, push], [6, a, false, push]]
  again: []
- name: events that ask for nothing, and those of this minute
  attempts: [[10, a, false, issues], [0.5, b, false, push]]
  again: []
- name: what GitHub gives out no more
  attempts: [[4321, a, false, push], [4319, b, false, push]]
  again: [1]
`),
  );
for (const { name, attempts, again } of cases) {
  test(name, () => {
    const listed = attempts.map(([minutes, guid, succeeded, event], id): HookAttempt => {
      return { id, guid, event, succeeded, at: new Date(now - minutes * 60_000).toISOString() };
    });
    assert.deepEqual(
      toRedeliver(listed, now).map(({ id }) => id),
      again,
    );
  });
}

const redeliver = { of: 'repos/acme/shop', id: 1, tokenSecret: 't' };
const config = parseStackConfig({
  repositories: [{ name: 'apps', url: 'https://github.com/acme/shop', provider: 'github' }],
  clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
  hooks: [
    { provider: 'github', redeliver },
    { provider: 'github', id: 'two', redeliver: { ...redeliver, id: 2 } },
    { provider: 'github', id: 'silent' },
    { provider: 'harbor' },
  ],
});

function attemptsOf(list: HookAttempts['list']) {
  const again: string[] = [];
  const attempts: HookAttempts = {
    list,
    redeliver: async ({ id }, attempt) => void again.push(`${id}/${attempt}`),
  };
  return { attempts, again };
}
const failed = {
  id: 7,
  guid: 'a',
  event: 'push',
  succeeded: false,
  at: new Date(now - 600_000).toISOString(),
};

test('each webhook that says how is asked', async () => {
  const { attempts, again } = attemptsOf(async () => [failed]);
  assert.deepEqual(await redeliverFailed(config, { attempts, clock }), [
    'github: 1 asked for again',
    'github.two: 1 asked for again',
  ]);
  assert.deepEqual(again, ['1/7', '2/7']);
});

test('one that is overloaded is told, one that refuses is thrown, and neither keeps the others from it', async () => {
  const limited = attemptsOf(async ({ id }) => {
    if (id === 1) throw new Retry({ subject: 'webhook 1', message: 'too many requests' });
    return [failed];
  });
  assert.deepEqual(await redeliverFailed(config, { attempts: limited.attempts, clock }), [
    'github: not asked: webhook 1: too many requests',
    'github.two: 1 asked for again',
  ]);
  const refused = attemptsOf(async ({ id }) => {
    if (id === 1) throw new Blocked({ subject: 'webhook 1', message: '404' });
    return [failed];
  });
  await assert.rejects(redeliverFailed(config, { attempts: refused.attempts, clock }), Blocked);
  assert.deepEqual(refused.again, ['2/7']);
});
