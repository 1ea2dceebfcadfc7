import { createPrivateKey } from 'node:crypto';
import { Blocked } from '../core/errors.ts';
import type { Clock, Secrets } from '../core/ports.ts';

/** GitHub's clock may be behind ours, and takes a JWT of at most 10 minutes. */
const backdatedSeconds = 60;
const jwtSeconds = 9 * 60;

/** A short-lived token by which a GitHub App speaks for itself. Throws Blocked where the secret holds no key. */
export async function signAppJwt(
  subject: string,
  { appId, privateKeySecret }: { readonly appId: string | number; readonly privateKeySecret: string },
  { secrets, clock }: { readonly secrets: Secrets; readonly clock: Pick<Clock, 'now'> },
): Promise<string> {
  const { current } = await secrets.get(privateKeySecret);
  const now = Math.floor(clock.now() / 1000);
  const { SignJWT } = await import('jose');
  try {
    // GitHub hands out keys as PKCS #1, which Node reads beside PKCS #8.
    const key = createPrivateKey(current);
    return await new SignJWT()
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(String(appId))
      .setIssuedAt(now - backdatedSeconds)
      .setExpirationTime(now + jwtSeconds)
      .sign(key);
  } catch {
    // Not as the cause: an error of a parser may quote what it could not read.
    const message = `secret ${privateKeySecret} holds no RSA private key in PEM; put the one of the GitHub App there`;
    throw new Blocked({ subject, message });
  }
}
