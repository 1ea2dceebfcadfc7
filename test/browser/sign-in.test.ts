import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { apiResponse, readApiCall } from '../../adapters/api-function.ts';
import { readUrlRequest } from '../../adapters/function-url.ts';
import { OidcTokens } from '../../adapters/oidc-tokens.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import { answerApi } from '../../core/api.ts';
import { signIn } from '../../core/api/sign-in.ts';
import type { DashboardConfig } from '../../core/contract/dashboard.ts';
import { siteHeaders, tokenHeader } from '../../core/contract/site-headers.ts';
import { buildSite } from '../../web/build.ts';
import { findChromium, openBrowser } from './open-browser.ts';
import { simulatedFleet } from './simulated-fleet.ts';

const chromium = findChromium();
const clientId = 'dash';

async function listening(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks = await Array.fromAsync(request.setEncoding('utf8'), String);
  return chunks.join('');
}

/** An issuer that signs everybody in at once, holds the client to PKCE, and tells what it was asked. */
async function issuerFor(t: TestContext, home: () => string) {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const asked: URLSearchParams[] = [];
  const codes = new Map<string, URLSearchParams>();
  const answer: RequestListener = (request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '', issuer);
      const json = (body: object, status = 200): void => {
        // As Cognito has it: any page may ask, and only who has the verifier gets anything.
        response.writeHead(status, {
          'content-type': 'application/json',
          'access-control-allow-origin': home(),
        });
        response.end(JSON.stringify(body));
      };
      if (url.pathname === '/.well-known/openid-configuration')
        return json({
          issuer,
          jwks_uri: `${issuer}/keys`,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
        });
      if (url.pathname === '/keys')
        return json({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }] });
      if (url.pathname === '/authorize') {
        asked.push(url.searchParams);
        codes.set('c1', url.searchParams);
        const back = new URL(url.searchParams.get('redirect_uri') ?? '');
        back.search = new URLSearchParams({
          code: 'c1',
          state: url.searchParams.get('state') ?? '',
        }).toString();
        response.writeHead(302, { location: back.href }).end();
        return undefined;
      }
      const sent = new URLSearchParams(await bodyOf(request));
      const begun = codes.get(sent.get('code') ?? '');
      codes.clear();
      const digest = createHash('sha256')
        .update(sent.get('code_verifier') ?? '')
        .digest('base64url');
      if (begun === undefined || digest !== begun.get('code_challenge'))
        return json({ error: 'invalid_grant' }, 400);
      const nonce = begun.get('nonce');
      const claims = { email: 'ada@example.com', email_verified: true, groups: ['ops'], nonce };
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'k' })
        .setIssuer(issuer)
        .setSubject('u-1')
        .setAudience(clientId)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey);
      return json({ access_token: 'a', token_type: 'Bearer', expires_in: 3600, id_token: token });
    })();
  };
  const issuer = await listening(t, answer);
  return { issuer, asked };
}

/**
 * What CloudFront does by its configuration (`infra/dashboard-site.ts`): `api/*` to the function as a function URL would tell
 * it, all else out of the bucket, where what is not there is 403; the same headers on both.
 */
async function distributionFor(t: TestContext, config: () => DashboardConfig): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'trueup-cloudfront-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await buildSite(folder);
  const { deps } = await simulatedFleet();
  const tokens = new OidcTokens(new SystemClock());
  const types: Readonly<Record<string, string>> = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.css': 'text/css',
    '.svg': 'image/svg+xml',
  };
  return listening(t, (request, response) => {
    void (async () => {
      const { pathname, search } = new URL(request.url ?? '/', 'http://x');
      const { issuer } = config().oidc;
      for (const [name, value] of Object.entries(siteHeaders([issuer]))) response.setHeader(name, value);
      if (pathname.startsWith('/api/')) {
        const event = readUrlRequest({
          rawPath: pathname,
          rawQueryString: search.slice(1),
          requestContext: { http: { method: request.method, sourceIp: '192.0.2.1' } },
          // CloudFront signs to the function: what a viewer sends as `authorization` never arrives.
          headers: { ...request.headers, authorization: 'AWS4-HMAC-SHA256 …' },
          body: await bodyOf(request),
        });
        const who = await signIn(event.headers[tokenHeader], { tokens, dashboard: config() });
        const reply =
          who.kind === 'problem' ? who : await answerApi({ ...readApiCall(event), person: who.person }, deps);
        const { statusCode, headers, body, isBase64Encoded } = await apiResponse(reply, event.headers);
        response
          .writeHead(statusCode, headers)
          .end(Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8'));
        return;
      }
      if (pathname === '/config.json') {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ oidc: { issuer, clientId, scope: 'openid email' } }));
        return;
      }
      const name = pathname === '/' ? 'index.html' : pathname.slice(1);
      const file = await readFile(join(folder, name)).catch(() => undefined);
      if (file === undefined) response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
      else response.writeHead(200, { 'content-type': types[extname(name)] ?? '' }).end(file);
    })();
  });
}

test(
  'in the installation a person signs in, comes back to where they wanted to go, and by nobody else’s code',
  { skip: chromium === undefined ? 'there is no Chromium' : false },
  async (t) => {
    let home = '';
    const { issuer, asked } = await issuerFor(t, () => home);
    const config: DashboardConfig = {
      oidc: { issuer, clientId, scope: 'openid email', origins: [] },
      roles: [{ group: 'ops', role: 'viewer', projects: ['*'] }],
      links: [],
    };
    home = await distributionFor(t, () => config);
    const browser = await openBrowser(chromium ?? '');
    t.after(() => browser.close());
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    assert.equal((await fetch(`${home}/api/v1/fleet`)).status, 401);
    await page.goto(`${home}/#/?cluster=cluster-2`);
    await page.locator('a.fleet-row').first().waitFor();
    // The code is not left in the address, where it would be copied and kept in histories.
    assert.equal(page.url(), `${home}/#/?cluster=cluster-2`);
    const [request] = asked;
    assert.equal(asked.length, 1);
    assert.deepEqual(
      [request?.get('response_type'), request?.get('code_challenge_method'), request?.get('client_secret')],
      ['code', 'S256', null],
    );
    assert.match(request?.get('state') ?? '', /^[0-9a-f]{32};/);
    assert.equal(request?.get('redirect_uri'), `${home}/`);
    assert.ok((request?.get('nonce') ?? '').length >= 16, 'a nonce binds the token to this sign-in');
    assert.equal(await page.evaluate('document.cookie'), '');
    // A code that somebody else began is refused: their sign-in is not taken for that of this person.
    await page.goto('about:blank');
    await page.goto(`${home}/?code=c1&state=00000000000000000000000000000000`);
    await page.getByText('Cannot sign in').waitFor();
    await page.getByRole('link', { name: 'Begin again' }).click();
    await page.locator('a.fleet-row').first().waitFor();
    assert.deepEqual(complaints, []);
  },
);
