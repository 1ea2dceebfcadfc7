import { createHmac, timingSafeEqual } from 'node:crypto';
import type { VerifySignature } from '../core/ports.ts';

/**
 * `sha256=` and the hex HMAC-SHA256 of the raw bytes, under any of the secrets; compared in constant time.
 * `@octokit/webhooks-methods` takes strings only, and a body that is not UTF-8 would be changed before it is verified.
 */
export const verifyHmac: VerifySignature = (body, signature, secrets) => {
  const given = Buffer.from(signature);
  return secrets
    .filter((secret) => secret !== '')
    .map((secret) => Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`))
    .map((expected) => expected.length === given.length && timingSafeEqual(expected, given))
    .includes(true);
};
