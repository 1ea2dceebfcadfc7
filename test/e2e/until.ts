import { setTimeout as sleep } from 'node:timers/promises';

const pollMilliseconds = 200;

/**
 * Looks until there is something to see, and gives it. Throws after `seconds` with what was waited for and what
 * `hint` knows by then, so that a failed wait says why.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  { seconds = 90, hint }: { seconds?: number; hint?: () => Promise<string> } = {},
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > deadline) {
      const known = hint === undefined ? '' : `\n${await hint()}`;
      throw new Error(`not seen within ${seconds} s: ${what}${known}`);
    }
    await sleep(pollMilliseconds);
  }
}
