import { setTimeout as sleep } from 'node:timers/promises';

/** How long to wait, how often to look, and what to say of the state of things when it was in vain. */
export interface Patience {
  readonly seconds?: number;
  readonly pollMilliseconds?: number;
  readonly hint?: () => Promise<string>;
}

/**
 * Looks until there is something to see, and gives it. Throws after `seconds` with what was waited for and what
 * `hint` knows by then, so that a failed wait says why.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  { seconds = 120, pollMilliseconds = 200, hint }: Patience = {},
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
