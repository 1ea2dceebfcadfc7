import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Installation } from './installation.ts';

/** `trueup ui` as a person runs it, in a process of its own. Rejects with what it said where it ends by itself. */
export async function startDashboard(
  { aws, stack }: Pick<Installation, 'aws' | 'stack'>,
  kubeconfigPath: string,
): Promise<{
  readonly url: string;
  readonly stop: () => Promise<void>;
}> {
  const program = resolve(import.meta.dirname, '../../cli/trueup.ts');
  const child = spawn(process.execPath, [program, 'ui', '--stack', stack, '--kubeconfig', kubeconfigPath], {
    env: { ...process.env, ...aws.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the dashboard ended: ${said}`);
  });
  // Later it is stopped on purpose.
  ended.catch(() => undefined);
  const lines = createInterface({ input: child.stdout });
  const first = once(lines, 'line').then(([line]) => String(line));
  return { url: await Promise.race([first, ended]), stop };
}
