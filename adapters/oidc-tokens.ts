import type { JWTVerifyGetKey } from 'jose';
import * as z from 'zod';
import { Retry, messageOf } from '../core/errors.ts';
import type { Clock, IdentityTokens } from '../core/ports.ts';

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() });
/** Whoever asks us to verify waits for the issuer too. */
const timeoutMilliseconds = 3_000;
/** Clocks of issuers run a little ahead. */
const clockToleranceSeconds = 30;
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/**
 * Tokens of CI systems, verified against the keys that their issuer publishes; the keys are kept in memory, and asked
 * for again when a token names one that is not there, at most every 30 s (jose's own rule). Throws Retry where the
 * issuer does not answer.
 */
export class OidcTokens implements IdentityTokens {
  readonly #clock: Clock;
  readonly #keys = new Map<string, Promise<JWTVerifyGetKey>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async verify(
    token: string,
    { issuer, audience }: { readonly issuer: string; readonly audience: string },
  ): ReturnType<IdentityTokens['verify']> {
    // Loaded here: no other hook needs it, and the cold start of the function is everybody's.
    const { errors, jwtVerify } = await import('jose');
    const keys = await this.#keysOf(issuer);
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms,
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(this.#clock.now()),
        requiredClaims: ['exp', 'iat'],
      });
      return { kind: 'verified', claims: payload };
    } catch (error) {
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) {
        throw unreachable(issuer, error);
      }
      // jose tells which claim or check failed, never the token.
      return { kind: 'refused', reason: `the token is not good: ${error.message}` };
    }
  }

  #keysOf(issuer: string): Promise<JWTVerifyGetKey> {
    const known = this.#keys.get(issuer);
    if (known !== undefined) return known;
    const found = this.#discover(issuer).catch((error: unknown) => {
      this.#keys.delete(issuer);
      throw unreachable(issuer, error);
    });
    this.#keys.set(issuer, found);
    return found;
  }

  async #discover(issuer: string): Promise<JWTVerifyGetKey> {
    const { createRemoteJWKSet } = await import('jose');
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMilliseconds), redirect: 'error' });
    if (!answer.ok) throw new Error(`it answers ${answer.status} at ${url}`);
    const { issuer: named, jwks_uri } = discoverySchema.parse(await answer.json());
    if (named !== issuer) throw new Error(`it calls itself ${named}`);
    const keys = new URL(jwks_uri);
    // The keys are what all trust rests on: they travel no less safely than the issuer's own page.
    if (keys.protocol !== new URL(issuer).protocol) throw new Error(`its keys are at ${keys.origin}`);
    return createRemoteJWKSet(keys, { timeoutDuration: timeoutMilliseconds });
  }
}

function unreachable(issuer: string, cause: unknown): Retry {
  // `fetch failed` says nothing; what is below it does.
  const below = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const message = `cannot be asked for its keys (${messageOf(below)}); it is asked again with the next token`;
  return new Retry({ subject: `issuer ${issuer}`, message, cause });
}
