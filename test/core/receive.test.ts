import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../core/contract/keys.ts';
import { traceOf } from '../../core/model/trace.ts';
import type { Bus, Secrets, Store } from '../../core/ports.ts';
import { receive } from '../../core/receive.ts';
import { defaultId as id, delivery, examplesOf, hookSecret, pushOf } from '../fakes/github-delivery.ts';
import { config, idKey, world } from '../fakes/hook-world.ts';

describe('a push', () => {
  test('is published, recorded by id and by body, and answered with its id', async () => {
    const { deps, bus, record, store } = world();
    assert.deepEqual(await receive(delivery(), deps), {
      status: 202,
      body: { delivery: id, state: 'published' },
    });
    assert.deepEqual(bus.events, [
      {
        type: 'PushReceived',
        detail: {
          version: 1,
          at: '2026-11-23T12:00:00.000Z',
          trace: traceOf('push', '2026-11-23T12:00:00.000Z', 'github', id),
          deliveryId: id,
          provider: 'github',
          repository: 'hello',
          ref: 'refs/heads/master',
          before: '0'.repeat(40),
          after: '6113728f27ae82c7b1a177c8d03f9e96e0adf246',
          deleted: false,
        },
      },
    ]);
    const byId = await record();
    assert.equal(byId?.state, 'published');
    assert.equal(byId.attempts, 1);
    assert.deepEqual(
      byId.pushes?.map(({ repository }) => repository),
      ['hello'],
    );
    assert.deepEqual(await record(keys.deliveryBody('github', byId.bodyDigest)), byId);
    // Intent before effect: both records are claimed before the event is out.
    const bodyKey = keys.deliveryBody('github', byId.bodyDigest);
    const log = keys.deliveryLog('github', byId.receivedAt, id);
    assert.deepEqual(store.writes.slice(0, 4), [keys.body('github', byId.bodyDigest), bodyKey, idKey, log]);
  });

  test('that deletes the tracked branch is published as such', async () => {
    const { deps, bus } = world();
    const body = JSON.stringify(pushOf({ after: '0'.repeat(40), deleted: true, head_commit: null }));
    assert.equal((await receive(delivery({ body }), deps)).status, 202);
    assert.deepEqual(
      bus.events.map(({ detail }) => 'deleted' in detail && detail.deleted),
      [true],
    );
  });

  test('keeps the outcome that was written before it was marked as published', async () => {
    const { deps, store, record } = world();
    const bus: Bus = {
      publish: async () => {
        const current = await record();
        assert.equal(current?.state, 'claimed');
        await store.put(idKey, JSON.stringify({ ...current, outcome: 'snapshot ready' }), 'any');
      },
    };
    await receive(delivery(), { ...deps, bus });
    assert.equal((await record())?.outcome, 'snapshot ready');
    assert.equal((await record())?.state, 'published');
  });
});

describe('what asks for nothing is recorded with the reason', () => {
  const other = pushOf({ repository: { full_name: 'acme/x', clone_url: 'https://github.com/acme/x.git' } });
  const [tag, tagDeletion] = examplesOf('push');
  for (const [what, event, payload, says] of [
    ['ping', 'ping', examplesOf('ping')[0], /^ping$/],
    ['an event we do not use', 'issues', examplesOf('issues')[0], /^event issues is not used/],
    ['a tag', 'push', tag, /^ref refs\/tags\/simple-tag is not tracked \(tracked: refs\/heads\/master\)$/],
    ['the deletion of a tag', 'push', tagDeletion, /simple-tag is not tracked/],
    ['another branch', 'push', pushOf({ ref: 'refs/heads/x' }), /^ref refs\/heads\/x is not tracked/],
    [
      'another repository',
      'push',
      other,
      /^repository acme\/x is not configured \(configured: https:.*Hello-World/,
    ],
  ] as const) {
    test(what, async () => {
      const { deps, bus, record } = world();
      const answer = await receive(delivery({ event, body: JSON.stringify(payload) }), deps);
      assert.equal(answer.status, 202);
      assert.equal(answer.body.state, 'ignored');
      const recorded = await record();
      assert.equal(recorded?.state, 'ignored');
      assert.match(recorded.outcome ?? '', says);
      assert.equal(answer.body.reason, recorded.outcome);
      assert.equal(bus.events.length, 0);
    });
  }

  test('and is looked at again when it comes again, as after a change of the configuration', async () => {
    const { deps, bus, record } = world();
    const [repository] = config.repositories;
    assert.ok(repository);
    const narrow = { ...config, repositories: [{ ...repository, branch: 'main' }] };
    await receive(delivery(), { ...deps, config: narrow });
    assert.equal((await record())?.state, 'ignored');
    await receive(delivery(), deps);
    assert.equal((await record())?.state, 'published');
    assert.equal(bus.events.length, 1);
    // Nor does the record of a published one become ignored afterwards.
    await receive(delivery(), { ...deps, config: narrow });
    assert.equal((await record())?.state, 'published');
  });
});

describe('what is refused leaves no trace', () => {
  const huge = 'x'.repeat(6_000_001);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const payload = JSON.stringify(pushOf());
  const cases: readonly (readonly [
    what: string,
    status: number,
    request: Parameters<typeof delivery>[0],
    says: RegExp,
  ])[] = [
    ['another route', 404, { path: '/hooks/gitlab' }, /there are: \/hooks\/github/],
    ['the root', 404, { path: '/' }, /no such route/],
    ['a GET', 405, { method: 'GET' }, /POST/],
    ['6 MB', 413, { body: huge }, /larger than 5000000 bytes/],
    [
      'no signature',
      401,
      { headers: { 'x-hub-signature-256': undefined } },
      /x-hub-signature-256 is missing/,
    ],
    [
      'no signature and no body',
      401,
      { body: '', headers: { 'x-hub-signature-256': undefined } },
      /is missing/,
    ],
    [
      'a wrong signature',
      401,
      { headers: { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` } },
      /does not fit/,
    ],
    ['an empty signature', 401, { headers: { 'x-hub-signature-256': '' } }, /does not fit/],
    ['a cut signature', 401, { headers: { 'x-hub-signature-256': 'sha256=757107ea' } }, /does not fit/],
    ['the signature of another secret', 401, { secret: 'other' }, /does not fit/],
    ['an empty body', 400, { body: '' }, /not JSON/],
    ['a body that is not JSON', 400, { body: '{"ref":' }, /not JSON/],
    ['a body that is base64', 400, { body: Buffer.from(payload).toString('base64') }, /not JSON/],
    ['JSON of another shape', 400, { body: '{"ref":1}' }, /body ref: /],
    ['a form', 400, { body: `payload=${encodeURIComponent(payload)}`, headers: form }, /application\/json/],
    ['an id that climbs out', 400, { id: '../x' }, /x-github-delivery/],
  ];
  for (const [what, status, request, says] of cases) {
    test(what, async () => {
      const { deps, bus, store } = world();
      const answer = await receive(delivery(request), deps);
      assert.equal(answer.status, status);
      assert.match(answer.body.reason ?? '', says);
      assert.deepEqual([store.writes, bus.events], [[], []]);
    });
  }

  test('a body that was changed after it was signed', async () => {
    const { deps, store } = world();
    const request = delivery();
    const body = Buffer.from(`${request.text} `);
    assert.equal((await receive({ ...request, body, text: body.toString() }, deps)).status, 401);
    assert.deepEqual(store.writes, []);
  });

  test('a legacy SHA-1 signature alone, however right', async () => {
    const { deps } = world();
    const answer = await receive(delivery({ headers: { 'x-hub-signature-256': undefined } }), deps);
    assert.equal(answer.status, 401);
  });
});

describe('the secret', () => {
  test('is that of the provider, and the previous one is good during a rotation', async () => {
    const { deps, asked, rotate } = world();
    rotate({ current: 'next-secret', previous: hookSecret });
    assert.equal((await receive(delivery(), deps)).status, 202);
    assert.deepEqual(asked, ['trueup/hooks/github']);
    rotate({ current: 'third-secret', previous: 'next-secret' });
    assert.equal((await receive(delivery({ id: 'later' }), deps)).status, 401);
  });

  test('is asked for again when a signature does not fit: the sender may know the newer one', async () => {
    const { deps } = world();
    const secrets: Secrets = {
      get: async (_name, { maxAgeSeconds = 60 } = {}) => ({
        current: maxAgeSeconds < 60 ? 'newer' : hookSecret,
      }),
    };
    assert.equal((await receive(delivery({ secret: 'newer' }), { ...deps, secrets })).status, 202);
  });
});

test('whatever fails behind is 503 with nothing of it in the answer', async () => {
  const { deps } = world();
  const boom = async (): Promise<never> => {
    throw new TypeError('s3cret detail');
  };
  const broken: Store = { get: boom, put: boom, delete: boom, entries: boom, list: () => assert.fail() };
  for (const change of [{ store: broken }, { secrets: { get: boom } }]) {
    const answer = await receive(delivery(), { ...deps, ...change });
    assert.equal(answer.status, 503);
    assert.doesNotMatch(JSON.stringify(answer.body), /s3cret/);
    assert.ok(answer.fault instanceof TypeError);
  }
});
