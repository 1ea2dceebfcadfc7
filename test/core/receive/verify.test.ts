import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { hasSecretPath, hooksOf, type HookProvider } from '../../../core/contract/hooks.ts';
import type { HookRequest } from '../../../core/receive/hook-request.ts';
import { receive } from '../../../core/receive.ts';
import { everyHook, world } from '../../fakes/hook-world.ts';
import { RecordingBus } from '../../fakes/recorders.ts';
import { signed, type Unsigned } from '../../fakes/senders.ts';
import { payloadsOf, providers, secretOf, unsigned } from './payloads.ts';

/** The first payload of a provider, which asks for something. */
function messageOf(provider: HookProvider): Unsigned {
  const [payload] = payloadsOf(provider);
  assert.ok(payload);
  return unsigned(provider, payload);
}

async function statusOf(
  provider: HookProvider,
  request: HookRequest,
  values: { readonly current: string; readonly previous?: string } = { current: secretOf(provider) },
) {
  const { deps, store, bus, rotate } = world(new RecordingBus(), everyHook);
  rotate(values);
  const answer = await receive(request, deps);
  if (answer.status !== 202) assert.deepEqual([store.writes, bus.events], [[], []]);
  return answer;
}

const isPath = (provider: HookProvider) => hasSecretPath({ provider });
const showsToken = (provider: HookProvider) => provider === 'oidc' || provider === 'gcr';
const refused = (provider: HookProvider) => (isPath(provider) ? 404 : 401);
const other = 'fedcba9876543210fedcba9876543210';

for (const provider of providers) {
  const message = messageOf(provider);
  const request = signed(provider, message);

  describe(provider, () => {
    test('takes what carries its secret, whatever the names of the headers are in', async () => {
      assert.equal((await statusOf(provider, request)).status, 202);
    });

    test('refuses another secret, and says nothing of the body', async () => {
      const secret = showsToken(provider) ? 'forged' : other;
      const answer = await statusOf(provider, signed(provider, { ...message, secret }));
      assert.equal(answer.status, refused(provider));
      assert.doesNotMatch(answer.body.reason ?? '', /shop|0123456789abcdef/);
    });

    test('refuses a request without any proof', async () => {
      const proof = Object.keys(request.headers).filter(
        (name) => name !== 'content-type' && message.headers?.[name] === undefined,
      );
      const bare = Object.fromEntries(proof.map((name) => [name, undefined]));
      const path = isPath(provider) ? `/hooks/${provider}` : request.path;
      const answer = await statusOf(provider, {
        ...request,
        path,
        headers: { ...request.headers, ...bare },
      });
      assert.equal(answer.status, refused(provider));
    });

    test('refuses its own request on every other route', async () => {
      for (const route of providers.filter((one) => one !== provider)) {
        // GHCR is GitHub's: its secret may be the same, and then only the event tells them apart.
        const path = request.path.replace(`/hooks/${provider}`, `/hooks/${route}`);
        const { status } = await statusOf(provider, { ...request, path });
        assert.ok(status >= 400 || sharesProof(provider, route), `${route}: ${status}`);
      }
    });

    test('refuses a GET, and a body above the limit', async () => {
      assert.equal((await statusOf(provider, { ...request, method: 'GET' })).status, 405);
      const body = new Uint8Array(everyHook.hookBodyLimit + 1);
      assert.equal((await statusOf(provider, { ...request, body })).status, 413);
    });
  });
}

/** Providers whose proof is the same; then the body or the event decides, and it is ignored or refused with 400. */
function sharesProof(one: HookProvider, two: HookProvider): boolean {
  const families: readonly (readonly HookProvider[])[] = [
    ['github', 'ghcr', 'gitea'],
    ['bitbucket', 'bitbucket-data-center'],
    ['gitea', 'forgejo'],
    ['harbor', 'distribution', 'acr'],
    ['docker-hub', 'quay', 'cdevents'],
    ['oidc', 'gcr'],
  ];
  return families.some((family) => family.includes(one) && family.includes(two));
}

describe('during a rotation both secrets are good, and no third one', () => {
  for (const provider of providers.filter((one) => !showsToken(one))) {
    test(provider, async () => {
      const message = messageOf(provider);
      const request = signed(provider, message);
      const [fresh, secret] = [other, message.secret];
      for (const values of [{ current: fresh, previous: secret }, { current: secret }]) {
        assert.equal((await statusOf(provider, request, values)).status, 202);
      }
      const { status } = await statusOf(provider, request, { current: fresh, previous: 'x'.repeat(32) });
      assert.equal(status, refused(provider));
    });
  }
});

describe('a body that was changed after it was signed', () => {
  for (const provider of ['github', 'bitbucket', 'gitea', 'forgejo', 'generic', 'jfrog'] as const) {
    test(provider, async () => {
      const request = signed(provider, messageOf(provider));
      const body = Buffer.from(`${request.text} `);
      assert.equal((await statusOf(provider, { ...request, body, text: body.toString() })).status, 401);
    });
  }

  test('nexus signs it without whitespace: more of that is no change, all else is', async () => {
    const request = signed('nexus', messageOf('nexus'));
    const spaced = (text: string) => ({ ...request, body: Buffer.from(text), text });
    const text = JSON.stringify(JSON.parse(request.text), undefined, 2);
    assert.equal((await statusOf('nexus', spaced(text))).status, 202);
    assert.equal((await statusOf('nexus', spaced(text.replace('CREATED', 'UPDATED')))).status, 401);
  });
});

test('a string without an end is read once: what anybody may send to nexus does not hold the function', async () => {
  const request = signed('nexus', messageOf('nexus'));
  for (const endless of ['"'.concat('\\"'.repeat(1_000_000)), '"\\\n'.repeat(600_000)]) {
    const body = Buffer.from(endless);
    const { status } = await statusOf('nexus', { ...request, body, text: endless });
    assert.equal(status, 401);
  }
});

describe('a signing token of Standard Webhooks, signed by its reference library', () => {
  const secret = `whsec_${Buffer.from('k'.repeat(32)).toString('base64')}`;
  const now = Date.parse('2026-11-23T12:00:00.000Z') / 1000;
  const at = (seconds: number, headers: Readonly<Record<string, string>> = {}) => {
    const message = messageOf('gitlab');
    const all = { ...message.headers, ...headers };
    return signed('gitlab', { ...message, headers: all, secret, at: seconds });
  };
  const statusAt = async (request: HookRequest) => statusOf('gitlab', request, { current: secret });

  for (const [what, seconds, status] of [
    ['now', now, 202],
    ['5 minutes ago', now - 300, 202],
    ['in 5 minutes, by a clock that is ahead', now + 300, 202],
    ['5 minutes and a second ago', now - 301, 401],
    ['in 5 minutes and a second', now + 301, 401],
    ['at the beginning of time', 0, 401],
  ] as const) {
    test(`${what}: ${status}`, async () => {
      const answer = await statusAt(at(seconds));
      assert.equal(answer.status, status);
      if (status === 401) assert.match(answer.body.reason ?? '', /more than 300 s off/);
    });
  }

  test('one of several signatures is enough', async () => {
    const request = at(now);
    const right = request.headers['webhook-signature'] ?? '';
    const headers = { ...request.headers, 'webhook-signature': `v1,AAAA v1a,xyz ${right}` };
    assert.equal((await statusAt({ ...request, headers })).status, 202);
  });

  for (const [what, change] of [
    ['another time than the signed one', { 'webhook-timestamp': String(now - 1) }],
    ['another id than the signed one', { 'webhook-id': 'msg_2' }],
    ['no time', { 'webhook-timestamp': undefined }],
    ['a time that is no number', { 'webhook-timestamp': 'today' }],
    ['no id', { 'webhook-id': undefined }],
    ['the token in clear in its place', { 'webhook-signature': undefined, 'x-gitlab-token': secret }],
    ['an empty signature', { 'webhook-signature': '' }],
  ] as const) {
    test(`refuses ${what}`, async () => {
      const request = at(now);
      assert.equal((await statusAt({ ...request, headers: { ...request.headers, ...change } })).status, 401);
    });
  }

  test('a token that is being replaced by a signing token is good until it is gone', async () => {
    const old = signed('gitlab', { ...messageOf('gitlab'), secret: 'in-clear' });
    const values = { current: secret, previous: 'in-clear' };
    assert.equal((await statusOf('gitlab', old, values)).status, 202);
    assert.equal((await statusOf('gitlab', at(now), values)).status, 202);
  });

  test('a key that is not base64 verifies nothing', async () => {
    assert.equal((await statusOf('gitlab', at(now), { current: 'whsec_%%%' })).status, 401);
  });
});

describe('addresses', () => {
  for (const [address, status] of [
    ['192.0.2.77', 202],
    ['::ffff:192.0.2.77', 202],
    ['2001:db8::9', 202],
    ['198.51.100.1', 403],
    ['2001:db9::9', 403],
    ['', 403],
    ['192.0.2.77, 198.51.100.1', 403],
    ['0xc0.0.2.1x', 403],
  ] as const) {
    test(`${address || 'none'}: ${status}`, async () => {
      const request = signed('docker-hub', { ...messageOf('docker-hub'), sourceIp: address });
      assert.equal((await statusOf('docker-hub', request)).status, status);
    });
  }
});

describe('a path that is the secret', () => {
  test('is refused as an unknown route when it is wrong, cut, longer or absent', async () => {
    const request = signed('quay', messageOf('quay'));
    for (const path of [
      '/hooks/quay',
      '/hooks/quay/',
      request.path.slice(0, -1),
      `${request.path}0`,
      `${request.path}/x`,
    ]) {
      const { status, body } = await statusOf('quay', { ...request, path });
      assert.equal(status, 404, path);
      assert.match(body.reason ?? '', /\/hooks\/quay\/<secret>/);
    }
  });

  test('that could be guessed serves nobody, and is a fault of ours to mend', async () => {
    const short = 'a'.repeat(21);
    const request = signed('quay', { ...messageOf('quay'), secret: short });
    const answer = await statusOf('quay', request, { current: short });
    assert.equal(answer.status, 503);
    assert.match(String(answer.fault), /shorter than 22 characters/);
  });
});

describe('a token of a CI job', () => {
  const message = messageOf('oidc');
  test('of somebody else at the same issuer is refused, by the rule that it breaks', async () => {
    const answer = await statusOf('oidc', signed('oidc', { ...message, secret: 'foreign' }));
    assert.equal(answer.status, 401);
    assert.equal(answer.body.reason, 'claim sub of the token is not acme/*');
  });

  test('must be a Bearer token', async () => {
    for (const authorization of ['good', 'Basic good', 'Bearer', 'Bearer a b']) {
      const request = signed('oidc', message);
      const headers = { ...request.headers, authorization };
      assert.equal((await statusOf('oidc', { ...request, headers })).status, 401);
    }
  });
});

describe('a token of Pub/Sub', () => {
  for (const [token, reason] of [
    ['foreign', /^claim email of the token is not push@acme/],
    ['unverified', /^claim email_verified of the token is not true$/],
  ] as const) {
    test(`${token}: refused`, async () => {
      const answer = await statusOf('gcr', signed('gcr', { ...messageOf('gcr'), secret: token }));
      assert.equal(answer.status, 401);
      assert.match(answer.body.reason ?? '', reason);
    });
  }
});

describe('routes', () => {
  test('are those of the repositories and those that are declared', () => {
    const routes = hooksOf(everyHook).map(({ provider, id }) => `${provider}${id ? `/${id}` : ''}`);
    assert.deepEqual(routes, [
      'github',
      'gitlab',
      'bitbucket',
      'bitbucket-data-center',
      'gitea',
      'forgejo',
      'azure-devops',
      'generic',
      'oidc',
      'ghcr',
      'docker-hub',
      'harbor',
      'quay',
      'distribution',
      'nexus',
      'jfrog',
      'jfrog/token',
      'acr',
      'gcr',
      'cdevents',
    ]);
  });

  for (const path of ['/', '/hooks', '/hooks/', '/HOOKS/github', '/hooks/github/x', '//hooks/github', '']) {
    test(`${path || 'nothing'} is none`, async () => {
      const request = signed('github', messageOf('github'));
      assert.equal((await statusOf('github', { ...request, path })).status, 404);
    });
  }

  test('a declared hook takes the place of the implied one, and has a secret of its own', async () => {
    const [repository] = everyHook.repositories;
    assert.ok(repository);
    const stack = parseStackConfig({
      repositories: [repository],
      clusters: everyHook.clusters,
      hooks: [{ provider: 'github', id: 'team-a', secret: 'acme/hook' }],
    });
    const { deps, asked, rotate } = world(new RecordingBus(), stack);
    rotate({ current: secretOf('github') });
    const request = signed('github', { ...messageOf('github'), hook: 'team-a' });
    const answer = await receive(request, deps);
    assert.equal(answer.status, 202);
    assert.deepEqual(asked, ['acme/hook']);
    assert.equal((await receive({ ...request, path: '/hooks/github' }, deps)).status, 404);
  });
});
