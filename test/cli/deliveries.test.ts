import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliveries, replayDelivery } from '../../cli/deliveries.ts';
import { keys } from '../../core/contract/keys.ts';
import { receive } from '../../core/receive.ts';
import { payloadsOf, secretOf, unsigned } from '../core/receive/payloads.ts';
import { delivery } from '../fakes/github-delivery.ts';
import { config, everyHook, world } from '../fakes/hook-world.ts';
import { RecordingBus } from '../fakes/recorders.ts';
import { signed } from '../fakes/senders.ts';

const whoAmI = async () => 'arn:aws:sts::123456789012:assumed-role/Admin/alice';

test('deliveries are listed newest first, with what came of each', async () => {
  const { deps, clock } = world();
  await receive(delivery({ id: 'd1' }), deps);
  clock.advance(60_000);
  await receive(delivery({ id: 'd2', event: 'ping' }), deps);
  clock.advance(86_400_000);
  await receive(delivery({ id: 'd3', event: 'issues', body: '{}' }), deps);
  const { text } = await deliveries(deps);
  const lines = text.split('\n').map((line) => line.split(/ {2,}/));
  assert.deepEqual(
    lines
      .slice(1)
      .map(([received, from, event, what, state, outcome, id]) => [
        received,
        from,
        event,
        what,
        state,
        outcome,
        id,
      ]),
    [
      [
        '0s ago',
        'github',
        'issues',
        '-',
        'ignored',
        'event issues is not used (used: push, pull_request, pull_request_review…',
        'd3',
      ],
      ['24h ago', 'github', 'ping', '-', 'ignored', 'ping', 'd2'],
      ['24h ago', 'github', 'push', 'hello refs/heads/master 6113728', 'published', '-', 'd1'],
    ],
  );
});

test('nothing came', async () => {
  assert.equal((await deliveries(world().deps)).text, 'no deliveries in the last 30 days');
});

test('a push for a repository that nobody configured is replayed once somebody has', async () => {
  const { deps, bus, record } = world();
  const [repository] = config.repositories;
  assert.ok(repository);
  const other = { ...config, repositories: [{ ...repository, url: 'https://github.com/acme/else' }] };
  await receive(delivery({ id: 'early' }), { ...deps, config: other });
  assert.equal(bus.events.length, 0);
  const listed = await deliveries(deps);
  assert.match(listed.text, /repository Codertocat\/Hello-World is not configured/);

  const { text } = await replayDelivery({ whoAmI }, 'early', deps);
  assert.match(text, /^github\/early replayed at .* by arn:.*alice\nhello refs\/heads\/master 6113728$/);
  assert.deepEqual(
    bus.events.map(({ detail }) => 'deliveryId' in detail && detail.deliveryId),
    ['early'],
  );
  assert.equal((await record(keys.delivery('github', 'early')))?.state, 'published');
});

test('what was published is published once more, since a person says so', async () => {
  const bus = new RecordingBus();
  const { deps, rotate } = world(bus, everyHook);
  rotate({ current: secretOf('quay') });
  const [payload] = payloadsOf('quay');
  assert.ok(payload);
  const { body } = await receive(signed('quay', unsigned('quay', payload)), deps);
  assert.equal(bus.events.length, 2);
  await replayDelivery({ whoAmI }, body.delivery ?? '', deps);
  assert.equal(bus.events.length, 4);
});

test('an id that two senders gave must be told apart', async () => {
  const bus = new RecordingBus();
  const { deps, rotate } = world(bus, everyHook);
  rotate({ current: secretOf('acr') });
  const push = { body: JSON.stringify({ id: 'same', push: genericPush }), secret: secretOf('generic') };
  await receive(signed('generic', push), deps);
  await receive(signed('oidc', { ...push, secret: 'good' }), deps);
  await assert.rejects(
    replayDelivery({ whoAmI }, 'same', deps),
    /say (generic|oidc)\/same or (generic|oidc)\/same/,
  );
  await replayDelivery({ whoAmI }, 'generic/same', deps);
  assert.equal(bus.events.length, 3);
});

const genericPush = {
  repository: 'https://git.example.com/acme/shop.git',
  ref: 'refs/heads/main',
  after: 'a'.repeat(40),
};

test('what cannot be replayed says why', async () => {
  const { deps, store } = world();
  await assert.rejects(replayDelivery({ whoAmI }, 'none', deps), /There is no delivery none/);
  await receive(delivery({ id: 'ping', event: 'ping' }), deps);
  await assert.rejects(replayDelivery({ whoAmI }, 'ping', deps), /was not kept, or longer ago than 3 days/);
  await receive(delivery({ id: 'gone' }), deps);
  for await (const key of store.list('bodies/')) await store.delete(key, 'any');
  await assert.rejects(replayDelivery({ whoAmI }, 'gone', deps), /was not kept/);
});
