import { InvalidArgumentError, type Command } from 'commander';
import type { ExitCode } from './cli-error.ts';
import { stackOption, type Common } from './options.ts';

type UiVerbOptions = Common & { readonly port: number };

/** The dashboard on this machine. */
export function addUi(
  verb: (name: string, description: string) => Command,
  done: (code: ExitCode) => void,
): void {
  verb(
    'ui',
    'serve the dashboard on this machine, until Ctrl-C; with --kubeconfig or --context also what is on its clusters now',
  )
    .addOption(stackOption())
    .option('--port <number>', 'port on 127.0.0.1; default: any free one', portOf, 0)
    .action(async (options: UiVerbOptions) => {
      const [{ openApi }, { startUi }, { interruption }] = await Promise.all([
        import('./open-api.ts'),
        import('./ui.ts'),
        import('./interruption.ts'),
      ]);
      const { deps, person } = await openApi(options);
      const { url, stop } = await startUi(deps, person, options);
      process.stdout.write(`${url}\n`);
      process.stderr.write('Whoever has this address may do what you may. Ctrl-C ends it.\n');
      await untilAborted(interruption());
      await stop();
      done(0);
    });
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw new InvalidArgumentError('It is a number below 65536.');
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  // A signal alone does not keep the process.
  const alive = setInterval(() => undefined, 60_000);
  await new Promise<void>((ended) => {
    if (signal.aborted) ended();
    signal.addEventListener('abort', () => {
      ended();
    });
  });
  clearInterval(alive);
}
