import { messageOf, Stop } from '../core/errors.ts';
import { CliError } from './cli-error.ts';

/** Whether a person can do something about it; all else is a bug. */
export function isForeseen(error: unknown): error is Error {
  return error instanceof CliError || (error instanceof Error && /^(Retry|Stop|Blocked)$/.test(error.name));
}

/** For a person at a terminal: one text, or a line for each fault. A bug keeps its stack. */
export function textOf(error: unknown): string {
  if (error instanceof Stop && error.faults.length > 1) {
    const lines = error.faults.map(({ subject, message }) => `  ${subject}: ${message}`);
    return `${lines.length} faults, nothing was changed\n${lines.join('\n')}`;
  }
  return isForeseen(error) || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
}
