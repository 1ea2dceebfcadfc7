import { CliError } from './cli-error.ts';

/** `--until` as records spell times. Throws CliError for what is no time. */
export function endTimeOf(until: string | undefined): string | undefined {
  if (until === undefined) return undefined;
  const at = Date.parse(until);
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new CliError(`--until ${until}: it must be a time such as 2026-11-30T18:00:00Z.`);
}
