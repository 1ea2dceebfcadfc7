import { CliError } from './cli-error.ts';

/** A day, or a time with its zone: `Date.parse` takes `5` for a day in 2001, and a time without a zone for the local one. */
const timeForm = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

/** Milliseconds since the epoch. Throws CliError for what is no time; a day begins at midnight in UTC. */
export function timeOf(option: string, text: string): number {
  const at = timeForm.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new CliError(
    `${option} ${text}: it must be a time with its zone, such as 2026-11-30T18:00:00Z or 2026-11-30T19:00:00+01:00.`,
  );
}

/** `--until` as records spell times. Throws CliError for what is no time. */
export function endTimeOf(until: string | undefined): string | undefined {
  return until === undefined ? undefined : new Date(timeOf('--until', until)).toISOString();
}
