import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { frozenBy } from '../../core/freeze.ts';
import { freezeSchema } from '../../core/model/freeze.ts';

/** Each line under `at` is a time and when the freeze ends then; `-` is no freeze. */
const cases = z
  .array(z.object({ case: z.string(), freeze: z.array(freezeSchema), at: z.record(z.string(), z.string()) }))
  .parse(
    load(`
- case: no window at all
  freeze: []
  at: {"2026-11-23T12:00:00Z": "-"}

- case: one span of absolute times, its end left out
  freeze: [{from: "2026-12-24T00:00:00+01:00", until: "2026-12-27T00:00:00+01:00"}]
  at:
    "2026-12-23T22:59:59Z": "-"
    "2026-12-23T23:00:00Z": "2026-12-26T23:00:00.000Z"
    "2026-12-26T22:59:59Z": "2026-12-26T23:00:00.000Z"
    "2026-12-26T23:00:00Z": "-"

- case: every weekday in UTC
  freeze: [{days: [mon, tue, wed, thu, fri], from: "09:00", until: "17:30"}]
  at:
    "2026-11-23T08:59:59Z": "-"
    "2026-11-23T09:00:00Z": "2026-11-23T17:30:00.000Z"
    "2026-11-23T17:30:00Z": "-"
    "2026-11-22T12:00:00Z": "-"

- case: past midnight, into a day that is not named
  freeze: [{days: [fri], from: "22:00", until: "06:00"}]
  at:
    "2026-11-27T21:59:00Z": "-"
    "2026-11-27T22:00:00Z": "2026-11-28T06:00:00.000Z"
    "2026-11-28T05:59:59Z": "2026-11-28T06:00:00.000Z"
    "2026-11-28T06:00:00Z": "-"
    "2026-11-28T23:00:00Z": "-"
    "2026-11-27T03:00:00Z": "-"

- case: the day is the local one
  freeze: [{days: [mon], from: "00:00", until: "08:00", timeZone: Asia/Tokyo}]
  at:
    "2026-11-22T14:59:00Z": "-"
    "2026-11-22T15:00:00Z": "2026-11-22T23:00:00.000Z"
    "2026-11-23T01:00:00Z": "-"

- case: a zone whose offset has minutes
  freeze: [{days: [mon], from: "09:00", until: "10:00", timeZone: Asia/Kathmandu}]
  at:
    "2026-11-23T03:14:59Z": "-"
    "2026-11-23T03:15:00Z": "2026-11-23T04:15:00.000Z"

- case: the same hour by the wall clock in summer and in winter
  freeze: [{days: [sat, sun, mon], from: "16:00", until: "18:00", timeZone: Europe/Berlin}]
  at:
    "2026-10-24T14:30:00Z": "2026-10-24T16:00:00.000Z"
    "2026-10-25T14:30:00Z": "-"
    "2026-10-25T15:30:00Z": "2026-10-25T17:00:00.000Z"

- case: over the night in which the clock is set back, an hour longer
  freeze: [{days: [sat], from: "22:00", until: "06:00", timeZone: Europe/Berlin}]
  at:
    "2026-10-24T20:00:00Z": "2026-10-25T05:00:00.000Z"
    "2026-10-25T00:30:00Z": "2026-10-25T05:00:00.000Z"
    "2026-10-25T05:00:00Z": "-"

- case: an hour that comes twice is frozen twice
  freeze: [{days: [sun], from: "02:15", until: "02:45", timeZone: Europe/Berlin}]
  at:
    "2026-10-25T00:14:00Z": "-"
    "2026-10-25T00:15:00Z": "2026-10-25T01:45:00.000Z"
    "2026-10-25T01:40:00Z": "2026-10-25T01:45:00.000Z"
    "2026-10-25T01:45:00Z": "-"

- case: a time that the clock skips counts as if it had not been set forward
  freeze: [{days: [sun], from: "02:30", until: "05:00", timeZone: Europe/Berlin}]
  at:
    "2026-03-29T01:29:00Z": "-"
    "2026-03-29T01:30:00Z": "2026-03-29T03:00:00.000Z"

- case: from and until alike are a whole day, and days that follow each other are one window
  freeze: [{days: [fri, sat, sun], from: "00:00", until: "00:00"}]
  at:
    "2026-11-26T23:59:00Z": "-"
    "2026-11-27T00:00:00Z": "2026-11-30T00:00:00.000Z"
    "2026-11-29T12:00:00Z": "2026-11-30T00:00:00.000Z"
    "2026-11-30T00:00:00Z": "-"

- case: of several windows the one that ends last counts
  freeze:
    - {days: [mon], from: "09:00", until: "10:00"}
    - {from: "2026-11-23T09:30:00Z", until: "2026-11-23T12:00:00Z"}
  at:
    "2026-11-23T09:15:00Z": "2026-11-23T12:00:00.000Z"
    "2026-11-23T09:45:00Z": "2026-11-23T12:00:00.000Z"
`),
  );

describe('a freeze window', () => {
  for (const { case: name, freeze, at } of cases) {
    it(name, () => {
      const ends = Object.keys(at).map((time) => [
        time,
        frozenBy({ freeze }, 'push', Date.parse(time))?.until ?? '-',
      ]);
      assert.deepEqual(Object.fromEntries(ends), at);
    });
  }

  it('tells its reason, in words of its own where there is none', () => {
    const now = Date.parse('2026-11-23T09:15:00Z');
    const window = freezeSchema.parse({ days: ['mon'], from: '09:00', until: '10:00' });
    assert.equal(frozenBy({ freeze: [window] }, 'push', now)?.reason, 'a freeze window');
    assert.equal(frozenBy({ freeze: [{ ...window, reason: 'the sale' }] }, 'push', now)?.reason, 'the sale');
  });

  it('that never ends is told an end all the same', () => {
    const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
    const always = freezeSchema.parse({ days, from: '00:00', until: '00:00' });
    assert.match(
      frozenBy({ freeze: [always] }, 'push', Date.parse('2026-11-23T09:15:00Z'))?.until ?? '',
      /^2027-01/,
    );
  });

  for (const [name, value] of [
    [
      'a time zone that does not exist',
      { days: ['mon'], from: '09:00', until: '10:00', timeZone: 'Mars/Base' },
    ],
    ['a day of 25 hours', { days: ['mon'], from: '09:00', until: '25:00' }],
    ['an end before its beginning', { from: '2026-12-27T00:00:00Z', until: '2026-12-24T00:00:00Z' }],
  ] as const) {
    it(`is refused at commit time: ${name}`, () => {
      assert.equal(freezeSchema.safeParse(value).success, false);
    });
  }
});

/** Of a schedule; each line under `at` is a time and when it is free again then, `-` where it is. */
const schedules = z
  .array(
    z.object({
      case: z.string(),
      schedule: z.array(freezeSchema),
      freeze: z.array(freezeSchema).default([]),
      at: z.record(z.string(), z.string()),
    }),
  )
  .parse(
    load(`
- case: free inside of its windows alone, until the next one of the week
  schedule: [{days: [mon, tue, wed, thu], from: "09:00", until: "16:00", timeZone: Europe/Berlin}]
  at:
    "2026-11-23T07:59:00Z": "2026-11-23T08:00:00.000Z"
    "2026-11-23T08:00:00Z": "-"
    "2026-11-23T15:00:00Z": "2026-11-24T08:00:00.000Z"
    "2026-11-26T15:00:00Z": "2026-11-30T08:00:00.000Z"

- case: by the wall clock, though it was set back in between
  schedule: [{days: [mon], from: "09:00", until: "10:00", timeZone: Europe/Berlin}]
  at:
    "2026-10-19T08:00:00Z": "2026-10-26T08:00:00.000Z"
    "2026-10-19T07:00:00Z": "-"

- case: a window that opens into a freeze is no way out
  schedule: [{days: [mon, tue], from: "09:00", until: "16:00"}]
  freeze: [{from: "2026-11-23T00:00:00Z", until: "2026-11-24T12:00:00Z"}]
  at:
    "2026-11-23T10:00:00Z": "2026-11-24T12:00:00.000Z"
    "2026-11-22T10:00:00Z": "2026-11-24T12:00:00.000Z"
    "2026-11-24T12:00:00Z": "-"

- case: windows that are all over
  schedule: [{from: "2026-11-22T00:00:00Z", until: "2026-11-23T00:00:00Z"}]
  at:
    "2026-11-22T10:00:00Z": "-"
    "2026-11-24T10:00:00Z": never

- case: of deletions alone, nothing else is held
  schedule: [{days: [mon], from: "09:00", until: "16:00", applies: [prune]}]
  at: {"2026-11-24T10:00:00Z": "-"}
`),
  );

describe('a schedule', () => {
  for (const { case: name, schedule, freeze, at } of schedules) {
    it(name, () => {
      const ends = Object.keys(at).map((time) => {
        const frozen = frozenBy({ freeze, schedule }, 'push', Date.parse(time));
        return [time, frozen === undefined ? '-' : (frozen.until ?? 'never')];
      });
      assert.deepEqual(Object.fromEntries(ends), at);
    });
  }
});
