import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { OidcTokens } from '../../adapters/oidc-tokens.ts';
import { Retry } from '../../core/errors.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

/** An issuer as GitHub Actions and GitLab CI are one: a discovery page, keys, and what it was asked for. */
const asked: string[] = [];
let page: (issuer: string) => unknown = (issuer) => ({ issuer, jwks_uri: `${issuer}/keys` });
const { publicKey, privateKey } = await generateKeyPair('RS256');
const stranger = await generateKeyPair('RS256');
const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
const server = createServer((request, response) => {
  asked.push(request.url ?? '');
  const body = request.url === '/keys' ? { keys: [jwk] } : page(issuer);
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
assert.ok(address !== null && typeof address === 'object');
const issuer = `http://127.0.0.1:${address.port}`;
after(() => server.close());

const clock = new ManualClock();
const now = clock.now() / 1000;

interface Change {
  readonly key?: typeof privateKey;
  readonly issuer?: string;
  readonly audience?: string;
  readonly issuedAt?: number;
  readonly expires?: number;
}

/** A token with the claims of a GitHub Actions job. */
async function token(change: Change = {}): Promise<string> {
  const claims = {
    repository: 'acme/shop',
    ref: 'refs/heads/main',
    job_workflow_ref: 'acme/shop/.github/w.yml',
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setSubject('repo:acme/shop:ref:refs/heads/main')
    .setIssuer(change.issuer ?? issuer)
    .setAudience(change.audience ?? 'trueup')
    .setIssuedAt(change.issuedAt ?? now)
    .setExpirationTime(change.expires ?? now + 300)
    .sign(change.key ?? privateKey);
}
const expected = { issuer, audience: 'trueup' };

test('a token of a job is verified by keys that are asked for once', async () => {
  const tokens = new OidcTokens(clock);
  asked.length = 0;
  for (let count = 0; count < 3; count += 1) {
    const verified = await tokens.verify(await token(), expected);
    assert.equal(verified.kind === 'verified' && verified.claims['repository'], 'acme/shop');
  }
  assert.deepEqual(asked, ['/.well-known/openid-configuration', '/keys']);
});

for (const [what, change] of [
  ['signed by somebody else', { key: stranger.privateKey }],
  ['of another issuer', { issuer: 'https://ci.example.com' }],
  ['for another audience', { audience: 'sts.amazonaws.com' }],
  ['that has expired', { issuedAt: now - 600, expires: now - 31 }],
] as const) {
  test(`a token ${what} is refused, and the reason quotes nothing of it`, async () => {
    const verified = await new OidcTokens(clock).verify(await token(change), expected);
    assert.equal(verified.kind, 'refused');
    assert.doesNotMatch(verified.reason, /acme|eyJ/);
  });
}

for (const [what, text] of [
  ['no token', 'good'],
  ['a token that signs nothing', `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`],
  [
    'a token signed with the public key as a secret',
    `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.e30.AA`,
  ],
] as const) {
  test(`${what} is refused`, async () => {
    assert.equal((await new OidcTokens(clock).verify(text, expected)).kind, 'refused');
  });
}

test('an issuer that cannot be asked, or is not who it should be, is Retry; and it is asked again', async (context) => {
  const tokens = new OidcTokens(clock);
  context.after(() => {
    page = (own) => ({ issuer: own, jwks_uri: `${own}/keys` });
  });
  page = () => ({ issuer: 'https://else.example.com', jwks_uri: `${issuer}/keys` });
  await assert.rejects(tokens.verify(await token(), expected), /it calls itself https:\/\/else/);
  page = () => ({});
  await assert.rejects(tokens.verify(await token(), expected), Retry);
  page = (own) => ({ issuer: own, jwks_uri: `${own}/keys` });
  assert.equal((await tokens.verify(await token(), expected)).kind, 'verified');
  await assert.rejects(
    new OidcTokens(clock).verify(await token(), { ...expected, issuer: 'http://127.0.0.1:9' }),
    Retry,
  );
});
