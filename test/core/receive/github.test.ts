import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { parseStackConfig, type RepositoryConfig } from '../../../core/contract/config.ts';
import { github } from '../../../core/receive/github.ts';
import type { HookRequest } from '../../../core/receive/hook-request.ts';
import { understand, type Understood } from '../../../core/receive/understand.ts';
import { delivery, examplesOf, pushOf, type Payload } from '../../fakes/github-delivery.ts';

function repositories(...urls: readonly string[]): readonly RepositoryConfig[] {
  const list = urls.map((url, index) => ({ name: `repo-${index}`, url, branch: 'master' }));
  const clusters = [{ name: 'prod', access: { type: 'eks', name: 'prod' } }];
  return parseStackConfig({ repositories: list, clusters }).repositories;
}

const readMessage = (request: HookRequest, known: readonly RepositoryConfig[]): Understood =>
  understand(github.read(request, { provider: 'github' }), known);

const configured = repositories('https://github.com/Codertocat/Hello-World.git');
const read = (payload: Payload, event = 'push') =>
  readMessage(delivery({ event, body: JSON.stringify(payload) }), configured);

describe('the examples that GitHub publishes', () => {
  test('a push that creates a branch', () => {
    assert.deepEqual(read(pushOf()), {
      kind: 'wanted',
      deliveryId: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      event: 'push',
      pushes: [
        {
          repository: 'repo-0',
          ref: 'refs/heads/master',
          before: '0000000000000000000000000000000000000000',
          after: '6113728f27ae82c7b1a177c8d03f9e96e0adf246',
        },
      ],
      images: [],
      pulls: [],
      stamped: true,
    });
  });

  test('every push is understood, and tags are not tracked', () => {
    const kinds = examplesOf('push').map((payload) => read(payload).kind);
    assert.deepEqual(kinds, ['ignored', 'ignored', 'ignored', 'ignored', 'wanted', 'wanted', 'ignored']);
    const reason = 'ref refs/tags/simple-tag is not tracked (tracked: refs/heads/master)';
    assert.equal(reasonOf(read(examplesOf('push')[0] ?? {})), reason);
  });

  test('every ping, of a repository or an organization', () => {
    assert.equal(examplesOf('ping').length, 4);
    for (const payload of examplesOf('ping')) assert.equal(reasonOf(read(payload, 'ping')), 'ping');
  });

  test('every pull request, where something is done about them', () => {
    const examples = ['pull_request', 'pull_request_review'].flatMap((event) =>
      examplesOf(event).map((payload) => ({ event, payload })),
    );
    const following = configured.map((repository) => ({
      ...repository,
      preview: { forks: 'ignore' as const, clusters: true },
    }));
    const kinds = new Map<string, number>();
    for (const { event, payload } of examples) {
      const request = delivery({ event, body: JSON.stringify(payload) });
      const message = readMessage(request, following);
      const known =
        message.kind === 'wanted' ? message.pulls.map(({ action }) => action).join() : message.kind;
      kinds.set(known, (kinds.get(known) ?? 0) + 1);
      assert.notEqual(readMessage(request, configured).kind, 'wanted');
    }
    assert.deepEqual(Object.fromEntries(kinds), {
      opened: 9,
      ignored: 10,
      closed: 2,
      updated: 8,
      reviewed: 4,
    });
  });

  test('other events are ignored by name', () => {
    const [payload = {}] = examplesOf('issues');
    assert.equal(
      reasonOf(read(payload, 'issues')),
      'event issues is not used (used: push, pull_request, pull_request_review, ping)',
    );
  });
});

function reasonOf(message: Understood): string {
  return message.kind === 'wanted' ? 'wanted' : message.reason;
}

const namesOf = (message: Understood) =>
  message.kind === 'wanted' && message.pushes.map(({ repository }) => repository);

test('a body without the moment of the push is not stamped', () => {
  const { pushed_at: _, ...repository } = z.record(z.string(), z.unknown()).parse(pushOf()['repository']);
  const message = read(pushOf({ repository }));
  assert.equal(message.kind === 'wanted' && message.stamped, false);
});

const matches = z
  .array(z.object({ config: z.string(), payload: z.record(z.string(), z.string()), match: z.boolean() }))
  .parse(
    load(`
# how the stack spells it, how the Git host spells it
- { config: https://github.com/acme/shop.git, match: true, payload: { clone_url: https://github.com/acme/shop.git } }
- { config: https://github.com/acme/shop, match: true, payload: { clone_url: https://github.com/acme/shop.git } }
- { config: https://github.com/acme/shop/, match: true, payload: { clone_url: https://github.com/acme/shop.git } }
- { config: https://GitHub.com/Acme/Shop.git, match: true, payload: { clone_url: https://github.com/acme/shop.git } }
- { config: https://github.com:443/acme/shop, match: true, payload: { clone_url: https://github.com/acme/shop.git } }
- { config: https://git.corp:8443/acme/shop, match: true, payload: { clone_url: https://git.corp:8443/acme/shop.git } }
- { config: http://127.0.0.1:3000/shop.git, match: true, payload: { clone_url: http://127.0.0.1:3000/shop.git } }
- { config: "http://[::1]:3000/shop.git", match: true, payload: { clone_url: "http://[::1]:3000/shop" } }
# only one of the URLs has to fit
- { config: https://git.corp/acme/shop, match: true, payload: { clone_url: https://x/y, ssh_url: git@git.corp:acme/shop.git } }
- { config: https://git.corp/acme/shop, match: true, payload: { clone_url: https://x/y, ssh_url: ssh://git@git.corp:22/acme/shop.git } }
- { config: https://git.corp/acme/shop, match: true, payload: { clone_url: https://x/y, html_url: https://user:pw@git.corp/acme/shop } }
# the host has another name for us: the full name decides
- { config: https://mirror.corp/git/acme/shop.git, match: true, payload: { clone_url: https://github.com/acme/shop.git } }
# not it
- { config: https://github.com/acme/shop-2, match: false, payload: { clone_url: https://github.com/acme/shop.git } }
- { config: https://github.com/pacme/shop, match: false, payload: { clone_url: https://github.com/acme/shop.git } }
- { config: https://git.corp:8443/x/shop, match: false, payload: { clone_url: https://git.corp:9443/x/shop.git, full_name: y/shop } }
- { config: https://github.com/acme/shop, match: false, payload: { clone_url: "", full_name: other/thing } }
- { config: https://github.com/acme/shop, match: false, payload: { clone_url: ":::@@//", full_name: other/thing } }
`),
  );
for (const { config, payload, match } of matches) {
  test(`${config} ${match ? 'is' : 'is not'} ${Object.values(payload).join(' ')}`, () => {
    const repository = { full_name: 'acme/shop', ...payload };
    const body = JSON.stringify(pushOf({ repository }));
    const message = readMessage(delivery({ body }), repositories(config));
    assert.equal(message.kind, match ? 'wanted' : 'ignored');
    if (!match) assert.match(reasonOf(message), /is not configured \(configured: https:/);
  });
}

test('a full name that fits two hosts is no match, a URL that fits is', () => {
  const two = repositories('https://one.corp/acme/shop', 'https://two.corp/acme/shop');
  const at = (clone_url: string) =>
    readMessage(
      delivery({ body: JSON.stringify(pushOf({ repository: { full_name: 'acme/shop', clone_url } })) }),
      two,
    );
  assert.equal(at('https://three.corp/acme/shop').kind, 'ignored');
  const message = at('https://two.corp/acme/shop');
  assert.deepEqual(namesOf(message), ['repo-1']);
});

test('a repository that is configured twice is told to both', () => {
  const url = 'https://github.com/Codertocat/Hello-World';
  const message = readMessage(delivery(), repositories(url, `${url}.git`));
  assert.deepEqual(namesOf(message), ['repo-0', 'repo-1']);
});

const bad: readonly (readonly [what: string, request: Parameters<typeof delivery>[0], says: RegExp])[] = [
  ['no JSON', { body: '{"ref":' }, /not JSON/],
  ['nothing', { body: '' }, /not JSON/],
  ['null', { body: 'null' }, /body must be of the type object/],
  ['a list', { body: '[]' }, /body must be of the type object/],
  ['another shape', { body: '{"ref":1,"repository":{}}' }, /ref: .*before: .*repository\.full_name: /],
  ['a ref that is none', { body: JSON.stringify(pushOf({ ref: 'main' })) }, /body ref: /],
  [
    'a commit that is none',
    { body: JSON.stringify(pushOf({ after: '../../x' })) },
    /body after: must be 40 hex digits/,
  ],
  [
    'a form',
    { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    /choose the content type application\/json/,
  ],
  ['no delivery id', { headers: { 'x-github-delivery': undefined } }, /x-github-delivery/],
  ['a delivery id that is a path', { id: '../../desired/prod' }, /x-github-delivery: must be the id/],
  ['no event', { headers: { 'x-github-event': undefined } }, /x-github-event/],
];
for (const [what, request, says] of bad) {
  test(`a delivery with ${what} is invalid, with the reason`, () => {
    const message = readMessage(delivery(request), configured);
    assert.equal(message.kind, 'invalid');
    assert.match(reasonOf(message), says);
  });
}
