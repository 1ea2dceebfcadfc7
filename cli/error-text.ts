import { fileFault } from '../adapters/file-fault.ts';
import { messageOf, Stop } from '../core/errors.ts';
import { CliError } from './cli-error.ts';

/** Whether a person can do something about it; all else is a bug. */
export function isForeseen(error: unknown): error is Error {
  return error instanceof CliError || (error instanceof Error && /^(Retry|Stop|Blocked)$/.test(error.name));
}

/** What the system or AWS refused somewhere that nobody thought of is no bug either: it gets the words that there are. */
export function asForeseen(error: unknown): unknown {
  if (isForeseen(error) || !(error instanceof Error)) return error;
  if ('$metadata' in error) {
    return new CliError(
      `AWS: ${error.name}: ${error.message}. See that the rights, the region and the stack are as meant.`,
      { cause: error },
    );
  }
  return 'path' in error ? fileFault(String(error.path), error) : error;
}

/** For a person at a terminal: one text, or a line for each fault. A bug keeps its stack. */
export function textOf(thrown: unknown): string {
  const error = asForeseen(thrown);
  if (error instanceof Stop && error.faults.length > 1) {
    const lines = error.faults.map(({ subject, message }) => `  ${subject}: ${message}`);
    return `${lines.length} faults, nothing was changed\n${lines.join('\n')}`;
  }
  return isForeseen(error) || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
}
