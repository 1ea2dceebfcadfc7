import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { receive } from '../../../core/receive.ts';
import { everyHook, world } from '../../fakes/hook-world.ts';
import { RecordingBus } from '../../fakes/recorders.ts';
import { signed } from '../../fakes/senders.ts';
import { payloadsOf, secretOf, unsigned } from './payloads.ts';

function requestOf(provider: 'bitbucket' | 'quay' | 'docker-hub' | 'jfrog') {
  const [payload] = payloadsOf(provider);
  assert.ok(payload);
  return signed(provider, unsigned(provider, payload));
}

test('several refs in one push are an event for each repository that tracks one of them', async () => {
  const url = 'https://bitbucket.org/acme/shop.git';
  const stack = parseStackConfig({
    repositories: [
      { name: 'main', provider: 'bitbucket', url },
      { name: 'feature', provider: 'bitbucket', url, branch: 'feature/x' },
      { name: 'tag', provider: 'bitbucket', url, tag: 'v1' },
      { name: 'elsewhere', provider: 'bitbucket', url, branch: 'other' },
    ],
    clusters: everyHook.clusters,
  });
  const { deps, bus, rotate } = world(new RecordingBus(), stack);
  rotate({ current: secretOf('bitbucket') });
  await receive(requestOf('bitbucket'), deps);
  const told = bus.events.map(({ detail }) =>
    'deleted' in detail ? [detail.repository, detail.ref, detail.deleted] : [],
  );
  assert.deepEqual(told, [
    ['main', 'refs/heads/main', false],
    ['feature', 'refs/heads/feature/x', false],
    ['tag', 'refs/tags/v1', true],
  ]);
});

// Where a body names its moment, the same bytes are the same delivery; where not, they may be a new fact.
for (const [provider, events] of [
  ['docker-hub', 1],
  ['quay', 4],
  ['jfrog', 2],
] as const) {
  test(`${provider} without ids: the same request twice is ${events} events`, async () => {
    const { deps, bus, clock, rotate } = world(new RecordingBus(), everyHook);
    rotate({ current: secretOf(provider) });
    await receive(requestOf(provider), deps);
    clock.advance(1_000);
    assert.equal((await receive(requestOf(provider), deps)).status, 202);
    assert.equal(bus.events.length, events);
  });
}

test('of a thousand untracked refs the reasons are told in short', async () => {
  const { deps, rotate } = world(new RecordingBus(), everyHook);
  rotate({ current: secretOf('bitbucket') });
  const change = (index: number) => ({
    new: { type: 'branch', name: `b${index}`, target: { hash: 'a'.repeat(40) } },
    old: null,
  });
  const body = JSON.stringify({
    repository: { full_name: 'acme/shop', links: { html: { href: 'https://bitbucket.org/acme/shop' } } },
    push: { changes: Array.from({ length: 1000 }, (_, index) => change(index)) },
  });
  const headers = { 'x-event-key': 'repo:push', 'x-request-uuid': 'many' };
  const answer = await receive(signed('bitbucket', { headers, body, secret: secretOf('bitbucket') }), deps);
  assert.match(answer.body.reason ?? '', /^ref refs\/heads\/b0 .*b2 is not tracked .*; and 997 more$/);
});
