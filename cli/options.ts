import { InvalidArgumentError, Option, type Command } from 'commander';
import { stackName } from '../core/contract/environment.ts';
import { CliError } from './cli-error.ts';
import { formats, type Format } from './report.ts';

/** Options of every verb: which records, which cluster, and how to print. */
export interface Common {
  readonly stack?: string;
  readonly store?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly output: Format;
  /** Shown again whenever it changes. */
  readonly watch?: boolean;
}

export function withCommon(command: Command): Command {
  return command
    .option(
      '--store <place>',
      'records without an installation: file:DIR or s3://BUCKET/PREFIX (TRUEUP_STORE)',
    )
    .option('--kubeconfig <file>', 'cluster without an installation (KUBECONFIG, ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig; default: the current one')
    .option(
      '--profile <name>',
      'installation or store by the name that `trueup profile` gave it (TRUEUP_PROFILE)',
    )
    .option('--namespace <name>', 'for namespaced objects that name none; default: default')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(formats).default('table'));
}

/** Whether a verb heeds a profile: those that are about records or clusters do. */
export function hasProfile(command: Command): boolean {
  return command.options.some(({ long }) => long === '--profile');
}

/** A verb that shows something: watched with `--watch`, and with names that other verbs take. */
export function watched(command: Command, more: readonly Format[] = []): Command {
  const output = command.options.find(({ long }) => long === '--output');
  output?.choices([...formats, 'name', ...more]);
  return command.option('-w, --watch', 'show it again whenever it changes, until Ctrl-C');
}

export function stackOption(): Option {
  return new Option(
    '--stack <name>',
    `CloudFormation stack of the installation; default: ${stackName('default')}`,
  );
}

export function appOption(): Option {
  return new Option('--app <name>', 'application');
}

export function clusterOption(): Option {
  return new Option('--cluster <name>', 'cluster, by its name in the records');
}

/** The number is asked for so that what a person agreed to is what is pruned, and not one more. */
export function confirmPruneOption(): Option {
  return new Option('--confirm-prune <count>', 'let it prune this many, where the cap asked').argParser(
    (text) => {
      if (/^[1-9][0-9]*$/.test(text)) return Number(text);
      throw new InvalidArgumentError('It is how many objects the refusal named.');
    },
  );
}

/** Seconds, of `90s`, `5m`, `1h` or several of these together, as kubectl and Helm take it. */
export function durationOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
    const [hours = 0, minutes = 0, seconds = 0] = (parts ?? []).slice(1).map((part) => Number(part ?? 0));
    const all = hours * 3600 + minutes * 60 + seconds;
    if (all > 0) return all;
    throw new InvalidArgumentError('It must be a time such as 90s, 10m or 1h.');
  });
}

export function timeoutOption(): Option {
  return durationOption('--timeout <duration>', 'how long to --wait, such as 90s or 10m');
}

/** A time limit of a wait that nobody asked for would be unheeded. */
export function assertTimeout({
  wait,
  timeout,
}: {
  readonly wait?: boolean;
  readonly timeout?: number;
}): void {
  if (timeout !== undefined && wait !== true)
    throw new CliError('--timeout says how long to --wait; give both.');
}

/** A variable of a script that is not set: nothing else may be done in place of what was meant. */
export function assertNothingEmpty(command: Command): void {
  const { args, options } = command;
  const isEmpty = (value: unknown): boolean => value === '' || (Array.isArray(value) && value.includes(''));
  const empty = options.find(
    (option) =>
      isEmpty(command.getOptionValue(option.attributeName())) &&
      command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  const what = empty === undefined ? args.includes('') && 'an argument' : empty.long;
  if (what !== false) throw new CliError(`${what ?? ''} is empty: say a value, or leave it away.`);
}

/** Whether a verb is about a store and a kubeconfig, and not about an installation on AWS. */
export function isLocal({ store, stack, kubeconfig, context }: Common): boolean {
  const named = store ?? (stack === undefined ? process.env['TRUEUP_STORE'] : undefined);
  const isStore = named !== undefined && named !== '';
  if (stack !== undefined && store !== undefined) {
    throw new CliError(
      'Give either --stack (an installation on AWS) or --store (records of your own), not both.',
    );
  }
  if (!isStore && (kubeconfig !== undefined || context !== undefined)) {
    throw new CliError(
      'With --kubeconfig or --context, say where the records are: --store file:DIR or --store s3://BUCKET/PREFIX (or TRUEUP_STORE).',
    );
  }
  return isStore;
}
