import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { stackName } from '../core/contract/environment.ts';
import { messageOf } from '../core/errors.ts';
import { CliError, exitCodes, type ExitCode } from './cli-error.ts';
import { formats, print, type Format, type Report } from './report.ts';
import type { Session } from './session.ts';
import type { SyncOptions } from './sync.ts';

/** Options of every verb. */
interface Common {
  readonly stack: string;
  readonly output: Format;
}

const exitHelp = `
Exit status: 0 all is well, 1 the answer is no (drift: there is open drift; sync --wait: a run failed or is Degraded),
2 the question could not be answered, 3 drift: nothing found, but something could not be checked.

AWS credentials and region are those of the environment (AWS_PROFILE, AWS_REGION); AWS_ENDPOINT_URL is obeyed.`;

const app = () => new Option('--app <name>', 'application');
const cluster = () => new Option('--cluster <name>', 'cluster, by its name in the stack configuration');

/** Runs a verb: AWS clients and the verb's own code are loaded now and not before, so that --help is quick. */
async function run<O extends Common>(
  options: O,
  verb: (session: Session, options: O) => Promise<Report>,
): Promise<ExitCode> {
  const { openSession } = await import('./session.ts');
  return print(await verb(await openSession(options.stack), options), options.output);
}

/** The number is asked for so that what a person agreed to is what is pruned, and not one more. */
function confirmPrune(): Option {
  return new Option('--confirm-prune <count>', 'let it prune this many, where the cap asked').argParser(
    (text) => {
      if (/^[1-9][0-9]*$/.test(text)) return Number(text);
      throw new InvalidArgumentError('It is how many objects the refusal named.');
    },
  );
}

function program(done: (code: ExitCode) => void): Command {
  const trueup = new Command('trueup')
    .description('GitOps for Amazon EKS without an agent and without a server')
    .addHelpText('after', exitHelp)
    .exitOverride();
  const verb = (name: string, description: string): Command =>
    trueup
      .command(name)
      .description(description)
      .addOption(
        new Option('--stack <name>', 'CloudFormation stack of the installation').default(
          stackName('default'),
        ),
      )
      .addOption(new Option('-o, --output <format>', 'how to print').choices(formats).default('table'));

  verb('status', 'targets: which commit, in sync or not, health, drift')
    .addOption(app())
    .addOption(cluster())
    .action(async (options: Common & { app?: string; cluster?: string }) => {
      done(await run(options, async (session) => (await import('./status.ts')).status(session, options)));
    });
  verb('drift', 'open and recent drift: fields, values, who and since when')
    .addOption(app())
    .addOption(cluster())
    .option('--now', 'have the clusters checked first, and wait for it')
    .action(async (options: Common & { app?: string; cluster?: string; now?: boolean }) => {
      done(await run(options, async (session) => (await import('./drift.ts')).drift(session, options)));
    });
  verb('history', 'runs of an application, newest first')
    .addOption(app().makeOptionMandatory())
    .addOption(cluster())
    .action(async (options: Common & { app: string; cluster?: string }) => {
      done(await run(options, async (session) => (await import('./history.ts')).history(session, options)));
    });
  verb('sync', 'apply what Git says now')
    .addOption(app().makeOptionMandatory())
    .addOption(cluster())
    .option('--wait', 'until the run has ended and health has settled')
    .addOption(confirmPrune())
    .action(async (options: Common & SyncOptions) => {
      done(await run(options, async (session) => (await import('./sync.ts')).sync(session, options)));
    });
  return trueup;
}

/** Texts for people go to stderr; anything unforeseen keeps its stack, since it is a bug. */
function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.failed;
  const isForeseen =
    error instanceof CliError || (error instanceof Error && /^(Retry|Stop|Blocked)$/.test(error.name));
  const text = isForeseen || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
  process.stderr.write(`trueup: ${text}\n`);
  return error instanceof CliError ? error.exitCode : exitCodes.failed;
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
