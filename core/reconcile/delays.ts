/** How long until the next try or look. Pure, and a function of what is recorded: messages carry no counters. */

/** How soon a request that met a held lease, or lost its own, is tried again; it is never dropped. */
export const busySeconds = 5;

const shortestSeconds = 5;
/** SQS delays no longer. */
export const longestDelaySeconds = 900;
/** About an hour and a half of tries; after that only the sweep asks again, more and more seldom. */
export const retryTries = 12;

/** 5, 10, 20 … 900 s; later where the other side named a time. */
export function retryDelaySeconds(attempt: number, afterSeconds = 0): number {
  const doubled = shortestSeconds * 2 ** Math.min(attempt - 1, 16);
  return Math.min(longestDelaySeconds, Math.max(doubled, afterSeconds));
}

const longestLookSeconds = 300;
/** The sweep reads health as well, so a rollout that takes longer is not lost, only seen later. */
const lookForSeconds = 3600;

/**
 * Seconds until health is looked at again, `elapsed` seconds after the run ended: 5, 10, 20, 40 … 300.
 * Undefined when the sweep alone goes on looking.
 */
export function lookDelaySeconds(elapsed: number): number | undefined {
  if (elapsed > lookForSeconds) return undefined;
  return Math.min(longestLookSeconds, Math.max(shortestSeconds, elapsed + shortestSeconds));
}

const longestContinueSeconds = 60;

/** Seconds until a revision that waits is tried to go on, `waited` seconds after its wait began: 5, 10, 20, 40, 60, 60 … */
export function continueDelaySeconds(waited: number): number {
  return Math.min(longestContinueSeconds, Math.floor(waited) + shortestSeconds);
}

/** Hosts' clocks differ a little, and a message that comes this much early is still the one that was sent for it. */
export const slackMs = 2_000;
