import { healthOf, type Verdict } from '../health.ts';
import { healthStatusSchema } from '../model/health.ts';
import type { LiveObject } from '../model/object.ts';
import type { HealthCheck } from '../model/rule.ts';

/** Later than anything that a rule counts down to. */
const endOfTimeMs = 8_000_000_000_000;
const timed = 'timed';
const statusOf = healthStatusSchema.catch('Unknown');

export const healthy: Verdict = { status: 'Healthy', reason: '', message: '' };

/**
 * Health as a memory keeps it, in one word per line: status, reason, message. An object whose health time alone may
 * change (a rollout with a deadline, a certificate that expires) is marked, and read again by every sweep.
 */
export function rememberHealth(live: LiveObject, now: number, checks: readonly HealthCheck[]): string {
  const verdict = healthOf(live, now, checks);
  const text = textOf(verdict);
  const lasts = text === textOf(healthOf(live, endOfTimeMs, checks));
  if (!lasts) return `${timed}\n${text}`;
  return verdict.status === 'Healthy' ? '' : text;
}

function textOf({ status, reason, message }: Verdict): string {
  return `${status}\n${reason}\n${message}`;
}

export function isTimed(health: string): boolean {
  return health.startsWith(`${timed}\n`);
}

export function recallHealth(health: string): Verdict {
  if (health === '') return healthy;
  const [status, reason = '', ...message] = (isTimed(health) ? health.slice(timed.length + 1) : health).split(
    '\n',
  );
  return { status: statusOf.parse(status), reason, message: message.join('\n') };
}
