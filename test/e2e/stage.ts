import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Target } from '../../core/model/target.ts';
import type { Installation } from './installation.ts';
import type { Narrator } from './narrator.ts';
import type { Records } from './records.ts';

const run = promisify(execFile);

/** What every chapter of the demo's story plays with. */
export interface Stage {
  readonly installation: Installation;
  readonly records: Records;
  /** Folder of a person's clone of the config repository. */
  readonly clone: string;
  readonly narrator: Narrator;
  readonly cluster: string;
  readonly kubectl: (...args: readonly string[]) => Promise<string>;
}

/** kubectl as a person runs it: with an editor that changes one text where a command opens one. */
export function kubectlOf(kubectl: string, kubeconfigPath: string, context?: string): Stage['kubectl'] {
  return async (...args) => {
    const [edit, rest] = args[0]?.startsWith('s/') ? [args[0], args.slice(1)] : [undefined, args];
    const env = {
      ...process.env,
      KUBECONFIG: kubeconfigPath,
      ...(edit === undefined ? {} : { KUBE_EDITOR: `sed -i ${edit}` }),
    };
    const { stdout } = await run(
      kubectl,
      [...(context === undefined ? [] : ['--context', context]), ...rest],
      { env },
    );
    return stdout.trim();
  };
}

/** Our command line, as a person on call runs it. */
export async function runTrueup(
  { aws, stack }: Pick<Installation, 'aws' | 'stack'>,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const program = resolve(import.meta.dirname, '../../cli/trueup.ts');
  const env = { ...process.env, ...aws.env, NO_COLOR: '1' };
  return new Promise((done) => {
    const child = execFile(process.execPath, [program, ...args, '--stack', stack], { env }, (_, out, err) => {
      done({ code: child.exitCode ?? -1, out, err });
    });
  });
}

/** The same where it must succeed; gives what it printed. */
export async function trueup(installation: Installation, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await runTrueup(installation, ...args);
  if (code !== 0) throw new Error(`trueup ${args.join(' ')} ended with ${code}: ${out}${err}`);
  return out.trim();
}

/** The two applications of `examples/quickstart`. */
export function targetsOf(cluster: string): { readonly healed: Target; readonly observed: Target } {
  return {
    healed: { cluster, application: 'storefront' },
    observed: { cluster, application: 'payments' },
  };
}

/** A file of the clone with one text replaced; throws when it is not there, since the story would go on without its edit. */
export async function edited(
  { clone }: Stage,
  path: string,
  from: string,
  to: string,
): Promise<Record<string, string>> {
  const text = await readFile(join(clone, path), 'utf8');
  if (!text.includes(from)) throw new Error(`${path} has no "${from}" to edit`);
  return { [path]: text.replace(from, to) };
}
