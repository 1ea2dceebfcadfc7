import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { everywhere, mayAct, maySee, seesAll, type Person } from '../../../core/api/person.ts';
import { signIn } from '../../../core/api/sign-in.ts';
import { dashboardSchema, signInOrigins } from '../../../core/contract/dashboard.ts';
import { Retry } from '../../../core/errors.ts';
import type { IdentityTokens } from '../../../core/ports.ts';

const issuer = 'https://id.example.com/pool';
const dashboard = dashboardSchema.parse({
  oidc: { issuer, clientId: 'dash' },
  roles: [
    { group: 'platform', role: 'admin', projects: ['*'] },
    { group: 'shop', role: 'operator', projects: ['shop', 'default'] },
    { group: 'everyone', role: 'viewer', projects: ['*'] },
    { group: 'audit', role: 'viewer', projects: ['pay'] },
  ],
});
const ada = { sub: 'u-1', aud: 'dash', email: 'ada@example.com', email_verified: true };

function issuing(claims: Readonly<Record<string, unknown>>): IdentityTokens {
  return {
    verify: async (token, expected) => {
      assert.deepEqual([token, expected], ['a.b.c', { issuer, audience: 'dash' }]);
      return { kind: 'verified', claims };
    },
  };
}

async function personOf(claims: Readonly<Record<string, unknown>>): Promise<Person> {
  const who = await signIn('Bearer a.b.c', { tokens: issuing(claims), dashboard });
  assert.equal(who.kind, 'person', JSON.stringify(who));
  return who.kind === 'person' ? who.person : assert.fail();
}

async function refusal(
  claims: Readonly<Record<string, unknown>>,
  bearer: string | undefined = 'Bearer a.b.c',
) {
  const who = await signIn(bearer, { tokens: issuing(claims), dashboard });
  return who.kind === 'problem' ? who.problem.status : 'let in';
}

describe('roles of groups hold in their own projects', () => {
  const see = (person: Person) => ['shop', 'pay', 'default'].map((project) => maySee(person, project));
  const act = (person: Person) => ['shop', 'pay', 'default'].map((project) => mayAct(person, project));
  for (const { groups, sees, acts } of [
    { groups: ['platform'], sees: [true, true, true], acts: [true, true, true] },
    { groups: ['shop'], sees: [true, false, true], acts: [true, false, true] },
    { groups: ['everyone'], sees: [true, true, true], acts: [false, false, false] },
    // Neither makes the operator of one project one of all, nor one that is viewed.
    { groups: ['shop', 'everyone'], sees: [true, true, true], acts: [true, false, true] },
    { groups: ['audit', 'shop'], sees: [true, true, true], acts: [true, false, true] },
    { groups: ['audit'], sees: [false, true, false], acts: [false, false, false] },
  ]) {
    test(groups.join(' and '), async () => {
      const person = await personOf({ ...ada, groups });
      assert.deepEqual([see(person), act(person)], [sees, acts]);
      assert.equal(
        seesAll(person),
        groups.some((group) => group === 'platform' || group === 'everyone'),
      );
    });
  }

  test('a group is that group: not another in part, nor a list in one text', async () => {
    for (const groups of [
      ['platform-x'],
      ['Platform'],
      'platform,shop',
      'platform shop',
      [['platform']],
      {},
      undefined,
      [],
    ])
      assert.equal(await refusal({ ...ada, groups }), 403, JSON.stringify(groups));
  });

  test("Cognito's claim goes before the usual one, and a claim of one's own before both", async () => {
    const grants = (person: Person) => person.grants.map(({ role }) => role);
    const both = { ...ada, 'cognito:groups': ['audit'], groups: ['platform'] };
    assert.deepEqual(grants(await personOf(both)), ['viewer']);
    const named = { ...dashboard, oidc: { ...dashboard.oidc, groupsClaim: 'roles' } };
    const tokens = issuing({ ...both, roles: 'shop' });
    const who = await signIn('Bearer a.b.c', { tokens, dashboard: named });
    assert.deepEqual(who.kind === 'person' && grants(who.person), ['operator']);
  });

  test('a role that holds everywhere', () => {
    assert.ok(mayAct(everywhere('ada', 'operator'), 'pay') && !mayAct(everywhere('vic', 'viewer'), 'pay'));
  });
});

test('records name what people cannot give themselves', async () => {
  const groups = ['platform'];
  const nameOf = async (claims: object) =>
    (await personOf({ groups, aud: 'dash', sub: 'u-1', ...claims })).name;
  assert.equal(await nameOf({ email: 'ada@example.com', email_verified: 'true' }), 'ada@example.com');
  assert.equal(await nameOf({ email: 'boss@example.com', email_verified: false }), 'boss@example.com (u-1)');
  assert.equal(await nameOf({ preferred_username: 'boss' }), 'boss (u-1)');
  assert.equal(await nameOf({ 'cognito:username': 'ada', preferred_username: 'boss' }), 'ada');
  assert.equal(await nameOf({ preferred_username: 'a\nb' }), 'u-1');
  assert.equal(await refusal({ groups, aud: 'dash' }), 401);
});

test('only an ID token for this dashboard signs anybody in', async () => {
  const good = { ...ada, groups: ['platform'] };
  const others = [{ token_use: 'access' }, { azp: 'other' }, { aud: ['dash', 'other'] }, { events: {} }];
  for (const claims of others)
    assert.equal(await refusal({ ...good, ...claims }), 401, JSON.stringify(claims));
  for (const claims of [{ token_use: 'id' }, { azp: 'dash', aud: ['dash', 'other'] }])
    assert.equal(await refusal({ ...good, ...claims }), 'let in');
  for (const bearer of ['', 'a.b.c', 'Basic a.b.c', 'Bearer ', 'Bearer a b', `Bearer ${'a'.repeat(20_000)}`])
    assert.equal(await refusal(good, bearer), 401, bearer.slice(0, 20));
  assert.equal((await signIn(undefined, { tokens: issuing(good), dashboard })).kind, 'problem');
  assert.equal(
    (await signIn('Bearer a.b.c', { tokens: issuing(good), dashboard: undefined })).kind,
    'problem',
  );
});

test('an answer says why, and never repeats the token', async () => {
  const refused: IdentityTokens = {
    verify: async () => ({ kind: 'refused', reason: 'the token is not good: "exp" claim' }),
  };
  const away: IdentityTokens = {
    verify: async () =>
      Promise.reject(new Retry({ subject: `issuer ${issuer}`, message: 'cannot be asked' })),
  };
  const answers = [
    await signIn('Bearer a.b.c', { tokens: refused, dashboard }),
    await signIn('Bearer a.b.c', { tokens: away, dashboard }),
  ];
  assert.deepEqual(
    answers.map((who) => who.kind === 'problem' && who.problem.status),
    [401, 503],
  );
  assert.ok(!JSON.stringify(answers).includes('a.b.c'));
});

test('the page asks the issuer and what else the sign-in needs, and nobody else', () => {
  const origins = ['https://acme.auth.eu-west-1.amazoncognito.com'];
  const told = { ...dashboard, oidc: { ...dashboard.oidc, origins } };
  assert.deepEqual(signInOrigins(told), ['https://id.example.com', ...origins]);
  const bad = ["https://x; script-src 'unsafe-inline'", 'http://x', 'https://x/path', 'https://*'];
  for (const origin of bad) {
    const oidc = { issuer, clientId: 'dash', origins: [origin] };
    assert.ok(!dashboardSchema.safeParse({ ...dashboard, oidc }).success, origin);
  }
});
