import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Signer } from '../core/ports.ts';

const comparisonKey = randomBytes(32);
const digest = (text: string) => createHmac('sha256', comparisonKey).update(text).digest();

/**
 * HMACs over raw bytes, and comparison in constant time: of digests under a key of this process, so that neither
 * length nor content shows. (`@octokit/webhooks-methods` and `standardwebhooks` take strings only: a body that is not
 * UTF-8 would be changed before it is verified.)
 */
export const signer: Signer = {
  hmac: (algorithm, key, message) => createHmac(algorithm, key).update(message).digest(),
  equal: (given, expected) => timingSafeEqual(digest(given), digest(expected)),
};
