import { hookName, hooksOf, type Hook } from './contract/hooks.ts';
import type { StackConfig } from './contract/config.ts';
import { Retry } from './errors.ts';
import { millisecondsOf } from './model/time.ts';
import type { Clock, HookAttempt, HookAttempts } from './ports.ts';

/** GitHub delivers again what is no older than this. */
const oldestMilliseconds = 3 * 86_400_000;
/** A delivery on its way, or being redelivered at this moment by somebody else, is left alone. */
const youngestMilliseconds = 60_000;
/** What failed so often is not the weather. */
const mostAttempts = 5;
/** At one time: the poll comes again, and GitHub counts requests. */
const mostRedeliveries = 50;
const used = new Set(['push', 'package', 'registry_package']);

/** The newest try of each delivery of ours that never got through, oldest first: the order in which they happened. */
export function toRedeliver(attempts: readonly HookAttempt[], now: number): readonly HookAttempt[] {
  const deliveries = Map.groupBy(attempts, ({ guid }) => guid).values();
  const failed = [...deliveries].flatMap((tries) => {
    const sorted = tries.toSorted((a, b) => millisecondsOf(b.at) - millisecondsOf(a.at));
    const [newest] = sorted;
    if (newest === undefined || !used.has(newest.event)) return [];
    if (tries.some(({ succeeded }) => succeeded) || tries.length >= mostAttempts) return [];
    const age = now - millisecondsOf(newest.at);
    const first = now - millisecondsOf(sorted.at(-1)?.at ?? newest.at);
    return age < youngestMilliseconds || first > oldestMilliseconds ? [] : [newest];
  });
  return failed.toSorted((a, b) => millisecondsOf(a.at) - millisecondsOf(b.at)).slice(0, mostRedeliveries);
}

export interface RedeliverDeps {
  readonly attempts: HookAttempts;
  readonly clock: Clock;
}

/**
 * Asks for the deliveries that failed, hook by hook; returns what came of each. A host that is unreachable or says
 * "too many requests" is asked at the next poll. Throws Blocked, after all hooks, where one may not be asked.
 */
export async function redeliverFailed(
  config: Pick<StackConfig, 'repositories' | 'hooks'>,
  deps: RedeliverDeps,
): Promise<readonly string[]> {
  const outcomes: string[] = [];
  const faults: unknown[] = [];
  for (const hook of hooksOf(config)) {
    try {
      const count = await redeliverOf(hook, deps);
      if (count !== undefined) outcomes.push(`${hookName(hook)}: ${count} asked for again`);
    } catch (error) {
      if (error instanceof Retry) outcomes.push(`${hookName(hook)}: not asked: ${error.message}`);
      else faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
  return outcomes;
}

async function redeliverOf(hook: Hook, { attempts, clock }: RedeliverDeps): Promise<number | undefined> {
  if (hook.provider !== 'github' || hook.redeliver === undefined) return undefined;
  const now = clock.now();
  const listed = await attempts.list(hook.redeliver, now - oldestMilliseconds);
  const failed = toRedeliver(listed, now);
  for (const { id } of failed) await attempts.redeliver(hook.redeliver, id);
  return failed.length;
}
