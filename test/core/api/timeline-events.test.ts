import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventOfDelivery } from '../../../core/api/timeline-events.ts';
import type { Delivery } from '../../../core/model/delivery.ts';

const delivery: Delivery = {
  version: 1,
  provider: 'github',
  id: '1',
  bodyDigest: 'sha256:0',
  event: 'push',
  receivedAt: '2026-11-24T08:00:00.000Z',
  state: 'claimed',
  claimExpiresAt: '2026-11-24T08:01:00.000Z',
  attempts: 1,
};

const states: readonly [string, Partial<Delivery>, string][] = [
  ['is being taken', { claimExpiresAt: '2026-11-24T08:06:00.000Z' }, 'running'],
  ['was never taken', {}, 'bad'],
  ['could not be published', { outcome: 'not published: the bus does not answer' }, 'bad'],
  ['asks for nothing', { state: 'ignored' }, 'neutral'],
  ['was rendered', { state: 'published', outcome: 'commit 36ec0bd: 1 changed (web on dev)' }, 'good'],
  ['failed', { state: 'published', outcome: 'commit 36ec0bd: no applications', failed: true }, 'bad'],
];
for (const [what, change, state] of states) {
  test(`a delivery that ${what} is ${state} on a timeline`, () => {
    const now = Date.parse('2026-11-24T08:05:00Z');
    assert.equal(eventOfDelivery({ ...delivery, ...change }, now).state, state);
  });
}
