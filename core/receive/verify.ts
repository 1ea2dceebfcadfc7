import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64 } from '@scure/base';
import { hookSecretName } from '../contract/hooks.ts';
import { Blocked } from '../errors.ts';
import type { IdentityTokens, Secrets, Signer } from '../ports.ts';
import { tokenRules, whyClaimsDiffer } from './claims.ts';
import type { HookRequest } from './hook-request.ts';
import type { Verification } from './provider.ts';
import type { Route } from './route.ts';

export interface VerifyDeps {
  readonly secrets: Secrets;
  readonly signer: Signer;
  readonly tokens: IdentityTokens;
  /** The secret of a hook is `${prefix}/${hookName}`, unless the hook names another. */
  readonly hookSecretPrefix: string;
}

/** How far a signed time may be off, either way: what was recorded longer ago cannot be sent again. */
const toleranceSeconds = 300;
/** A secret that was changed a moment ago is asked for again, yet never more often than this, whoever knocks. */
const refreshSeconds = 5;
/** 128 bits in base64, the least for a path that must not be guessed. */
const shortestPathSecret = 22;

/** How the standard marks its keys. */
const standardPrefix = 'whsec_';

const advice = 'give the webhook the secret of this installation';

/** Why a request is not to be believed; undefined where it is. Both secrets of a rotation are good. */
export async function whyUnverified(
  verification: Verification,
  request: HookRequest,
  route: Route,
  now: number,
  deps: VerifyDeps,
): Promise<string | undefined> {
  if (verification.kind === 'oidc') return whyTokenRefused(request, route, deps);
  const name = hookSecretName(route.hook, deps.hookSecretPrefix);
  if (name === undefined) return 'this hook has no secret';
  let reason: string | undefined;
  let minified: Uint8Array | undefined;
  const minify = () => (minified ??= withoutWhitespace(request.text));
  for (const options of [{}, { maxAgeSeconds: refreshSeconds }]) {
    const { current, previous } = await deps.secrets.get(name, options);
    const known = [current, ...(previous === undefined ? [] : [previous])].filter((secret) => secret !== '');
    if (verification.kind === 'path') assertLongEnough(name, known);
    // All of them, whichever fits, so that the time tells nothing.
    const reasons = known.map((secret) =>
      whyWrong(verification, { request, minify, route, secret, now, signer: deps.signer }),
    );
    if (reasons.includes(undefined)) return undefined;
    [reason = 'the secret is empty'] = reasons;
  }
  return reason;
}

function assertLongEnough(name: string, secrets: readonly string[]): void {
  if (secrets.every((secret) => secret.length >= shortestPathSecret)) return;
  const message = `is shorter than ${shortestPathSecret} characters, and so too easy to guess as a path; put a longer one`;
  throw new Blocked({ subject: `secret ${name}`, message });
}

interface Check {
  readonly request: HookRequest;
  /** The body without its whitespace, which is made once for all secrets. */
  readonly minify: () => Uint8Array;
  readonly route: Route;
  readonly secret: string;
  readonly now: number;
  readonly signer: Signer;
}

/** Why one secret does not verify the request. */
function whyWrong(verification: Verification, check: Check): string | undefined {
  const { request, route, secret, signer } = check;
  switch (verification.kind) {
    case 'standard':
      return secret.startsWith(standardPrefix)
        ? whyNotStandard(check)
        : whyWrong(verification.otherwise, check);
    case 'hmac':
      return whyNotSigned(verification, check);
    case 'token':
      return whyNot(verification.header, request, (given) => {
        const isBare = signer.equal(given, secret);
        const isBearer = signer.equal(given, `Bearer ${secret}`);
        return isBare || (verification.bearer === true && isBearer);
      });
    case 'basic':
      return whyNot('authorization', request, (given) =>
        signer.equal(passwordOf(given), bytesToHex(utf8ToBytes(secret))),
      );
    case 'path':
      return signer.equal(route.pathSecret ?? '', secret) ? undefined : 'no such route';
    case 'oidc':
      break;
  }
  return 'a token is verified by its issuer';
}

function whyNot(
  header: string,
  { headers }: HookRequest,
  fits: (given: string) => boolean,
): string | undefined {
  const given = headers[header];
  if (given === undefined) return `header ${header} is missing; ${advice}`;
  return fits(given) ? undefined : `header ${header} does not fit; ${advice}`;
}

function whyNotSigned(
  { algorithm, header, prefix, minified }: Extract<Verification, { kind: 'hmac' }>,
  { request, minify, secret, signer }: Check,
): string | undefined {
  const fits = (given: string, bytes: Uint8Array) =>
    signer.equal(given, `${prefix}${bytesToHex(signer.hmac(algorithm, secret, bytes))}`);
  return whyNot(header, request, (given) => {
    if (fits(given, request.body)) return true;
    return minified === true && fits(given, minify());
  });
}

/**
 * Outside of strings. By its text and not by parsing: numbers stay as they were spelled, and nesting costs nothing.
 * Anybody may send this: a string without an end is taken to the end, or each of its quotes would be read to the end.
 */
function withoutWhitespace(json: string): Uint8Array {
  return utf8ToBytes(json.replaceAll(/("(?:[^"\\]|\\.)*"?)|[ \t\r\n]+/gs, '$1'));
}

/** Password of a Basic header, in hex since its bytes may be anything; a user name has no colon. */
function passwordOf(header: string): string {
  const [, encoded = ''] = /^Basic\s+([\w+/]+=*)$/i.exec(header) ?? [];
  const bytes = bytesOf(encoded) ?? new Uint8Array();
  const colon = bytes.indexOf(0x3a);
  return colon === -1 ? '' : bytesToHex(bytes.subarray(colon + 1));
}

/** Undefined of what is not base64, which the package throws at. */
function bytesOf(text: string): Uint8Array | undefined {
  try {
    return base64.decode(text);
  } catch {
    return undefined;
  }
}

/**
 * Standard Webhooks 1.0: `v1,<base64>` of HMAC-SHA256 over `id.timestamp.body`; several signatures, space separated.
 * The package `standardwebhooks` reads the body as text before it verifies it, and the time from the machine's clock:
 * the tests take it as the other side.
 */
function whyNotStandard({ request, secret, now, signer }: Check): string | undefined {
  const { 'webhook-id': id, 'webhook-timestamp': time } = request.headers;
  if (id === undefined) return `header webhook-id is missing; ${advice}`;
  if (time === undefined) return `header webhook-timestamp is missing; ${advice}`;
  const key = bytesOf(secret.slice(standardPrefix.length));
  const fault = whyNot('webhook-signature', request, (given) => {
    const message = concatBytes(utf8ToBytes(`${id}.${time}.`), request.body);
    const expected = key === undefined ? '' : `v1,${base64.encode(signer.hmac('sha256', key, message))}`;
    const fitting = given
      .split(' ')
      .slice(0, 10)
      .filter((each) => signer.equal(each, expected));
    return key !== undefined && fitting.length > 0;
  });
  if (fault !== undefined) return fault;
  const off = Math.abs(now / 1000 - Number(/^\d{1,12}$/.test(time) ? time : Number.NaN));
  if (off <= toleranceSeconds) return undefined;
  return `webhook-timestamp is more than ${toleranceSeconds} s off: the request is old or the clock is wrong; deliver it again`;
}

async function whyTokenRefused(
  { headers }: HookRequest,
  { hook }: Route,
  { tokens }: VerifyDeps,
): Promise<string | undefined> {
  const rules = tokenRules(hook);
  if (rules === undefined) return 'this hook takes no tokens';
  const [, token] = /^Bearer\s+([\w.-]+)$/i.exec(headers['authorization'] ?? '') ?? [];
  if (token === undefined) return 'header authorization is missing or holds no Bearer token';
  const { issuer, audience } = rules;
  const verified = await tokens.verify(token, { issuer, audience });
  return verified.kind === 'refused' ? verified.reason : whyClaimsDiffer(verified.claims, rules);
}
