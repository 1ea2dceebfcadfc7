import { CommanderError } from 'commander';
import { CliError, exitCodes, type ExitCode } from './cli-error.ts';
import { textOf } from './error-text.ts';
import { printable } from './printable.ts';
import { program } from './program.ts';

/** Texts for people go to stderr; anything unforeseen keeps its stack, since it is a bug. */
function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.failed;
  process.stderr.write(`trueup: ${printable(textOf(error))}\n`);
  return error instanceof CliError ? error.exitCode : exitCodes.failed;
}

// Whoever reads no further, as `head` does, has what they wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCodes.ok);
});
// What is done goes on where nobody listens to what is told beside it.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  let code: ExitCode = exitCodes.ok;
  await program((given) => {
    code = given;
  }).parseAsync();
  process.exitCode = code;
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
