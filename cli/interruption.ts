import { exitCodes } from './cli-error.ts';

/** npm, its shell and the terminal each pass the same Ctrl-C on. */
const sameSignalMs = 1000;

/** Aborted by the first Ctrl-C, so that work can end in good order; a second one ends the process. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const stop = (): void => {
    if (firstAt !== undefined && Date.now() - firstAt > sameSignalMs) process.exit(exitCodes.interrupted);
    if (firstAt !== undefined) return;
    firstAt = Date.now();
    process.stderr.write('trueup: stopping in good order; Ctrl-C again to stop at once\n');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}
