import { CommanderError } from 'commander';
import { Stop, messageOf } from '../core/errors.ts';
import { CliError, exitCodes, type ExitCode } from './cli-error.ts';
import { program } from './program.ts';

/** Texts for people go to stderr; anything unforeseen keeps its stack, since it is a bug. */
function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.failed;
  process.stderr.write(`trueup: ${textOf(error)}\n`);
  return error instanceof CliError ? error.exitCode : exitCodes.failed;
}

function textOf(error: unknown): string {
  if (error instanceof Stop && error.faults.length > 1) {
    const lines = error.faults.map(({ subject, message }) => `  ${subject}: ${message}`);
    return `${lines.length} faults, nothing was changed\n${lines.join('\n')}`;
  }
  const isForeseen =
    error instanceof CliError || (error instanceof Error && /^(Retry|Stop|Blocked)$/.test(error.name));
  return isForeseen || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
}

try {
  let code: ExitCode = exitCodes.ok;
  await program((given) => {
    code = given;
  }).parseAsync();
  process.exitCode = code;
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
