import { Argument, Command } from 'commander';
import { stackName } from '../core/contract/environment.ts';
import { addChangeVerbs } from './change-verbs.ts';
import { addCheckoutVerbs } from './checkout-verbs.ts';
import { addCompletion } from './completion-verb.ts';
import { addExamples } from './examples.ts';
import { CliError, type ExitCode } from './cli-error.ts';
import type { DevOptions } from './dev.ts';
import type { DoctorOptions } from './doctor.ts';
import type { HealthOptions } from './health.ts';
import type { RenderOptions } from './render.ts';
import type { ApplyOptions } from './local-source.ts';
import type { LocalSession } from './local-session.ts';
import {
  appOption,
  assertNothingEmpty,
  assertTimeout,
  confirmPruneOption,
  isLocal,
  stackOption,
  hasProfile,
  timeoutOption,
  withCommon,
  type Common,
} from './options.ts';
import { addClusterVerbs } from './cluster-verbs.ts';
import { addDeliveryVerbs } from './delivery-verbs.ts';
import { addHoldVerbs } from './hold-verbs.ts';
import { addProfiles } from './profile-verbs.ts';
import { addRecordVerbs } from './record-verbs.ts';
import { locally, onRecords, onStack } from './run-verb.ts';
import { addWorkVerbs } from './work-verbs.ts';
import { addTrackVerbs } from './track-verbs.ts';
import { addUi } from './ui-verb.ts';
import { addUpkeepVerbs } from './upkeep-verbs.ts';
import { print, type Report } from './report.ts';
import own from '../package.json' with { type: 'json' };

const exitHelp = `
Exit status: 0 all is well; 1 the answer is no (plan: there are changes; drift: there is drift; apply, rollback, sync
--wait and restart --wait: the run failed, was blocked, or health is Degraded; wait: the time is over; doctor: something
fails); 2 the question could not be answered, or asked for as it was; 3 drift: nothing found, but something could not be
checked; 130 interrupted.

Without an installation on AWS: --store and a kubeconfig. With one: --stack, and the AWS credentials and region of the
environment (AWS_PROFILE, AWS_REGION); AWS_ENDPOINT_URL is obeyed. Several of these: \`trueup profile\`, --profile. Colours
and progress are for terminals; NO_COLOR is obeyed.`;

/** Told how a verb ended. */
export type Done = (code: ExitCode) => void;

/** Every verb. AWS clients and the verb's own code are loaded when it runs and not before, so that --help is quick. */
export function program(done: Done): Command {
  const trueup = new Command('trueup')
    .description('GitOps for Amazon EKS without an agent and without a server')
    .version(own.version)
    .addHelpText('after', exitHelp)
    .showHelpAfterError('Add --help to see what can be said here.')
    .exitOverride()
    .hook('preAction', async (_, action) => {
      // A word that is about to begin is an empty one, and completed.
      if (action.name() !== 'complete') assertNothingEmpty(action);
      if (hasProfile(action)) (await import('./profiles.ts')).applyProfile(action);
    });
  const verb = (name: string, description: string): Command =>
    withCommon(trueup.command(name).description(description));
  addFileVerbs(verb, done);
  addCheckoutVerbs(verb, done);
  addChangeVerbs(trueup, done);
  addDeliveryVerbs(verb, done);
  addHoldVerbs(verb, done, { onStack, onRecords });
  addUpkeepVerbs(verb, done);
  addClusterVerbs(verb, done);
  addRecordVerbs(verb, done);
  addTrackVerbs(verb, done, onRecords);
  addWorkVerbs(verb, done);
  addDoctor(verb, done);
  addUi(verb, done);
  addProfiles(trueup, done);
  addCompletion(trueup);
  addHelp(trueup);
  addExamples(trueup);
  return trueup;
}

/** Commander's own shows the help of the whole for a verb that there is none of. */
function addHelp(trueup: Command): void {
  trueup
    .command('help', { hidden: true })
    .argument('[verbs...]')
    .action(async (verbs: readonly string[]) => {
      let command = trueup;
      for (const [index, verb] of verbs.entries()) {
        const below = command.commands.find((each) => each.name() === verb);
        // Which says that there is none, and what is nearest.
        if (below === undefined) await trueup.parseAsync(verbs.slice(0, index + 1), { from: 'user' });
        else command = below;
      }
      command.help();
    });
}

type Verb = (name: string, description: string) => Command;

function path(): Argument {
  return new Argument('<path>', 'folder or file: a kustomization, a chart, or YAML and JSON');
}

/** Verbs about files. */
function addFileVerbs(verb: Verb, done: Done): void {
  verb('render', 'the objects of a folder, as a snapshot would hold them')
    .addArgument(path())
    .option('--application <file>', 'an Application file: how it is rendered, its name and namespace')
    .action(async (folder: string, options: Common & RenderOptions) => {
      done(await print(await (await import('./render.ts')).render(folder, options), options.output));
    });
  verb('health', 'health of the objects in a file, as a controller left them; asks no cluster')
    .requiredOption('-f, --filename <file>', 'YAML or JSON, several documents and lists too; - is stdin')
    .option('--checks <file>', 'health checks in CEL: a list of them, or an Application')
    .action(async (options: Common & HealthOptions) => {
      done(await print(await (await import('./health.ts')).health(options), options.output));
    });
  const applied = (command: Command): Command =>
    command
      .addArgument(path())
      .addOption(appOption().makeOptionMandatory())
      .option('--application <file>', 'Application file whose settings hold (drift, rules, order, …)')
      .option('--adopt', 'take over objects that exist already')
      .option('--prune', 'delete what was applied before and is not there any more')
      .addOption(confirmPruneOption());
  applied(verb('plan', 'what an apply would change, and why; changes nothing')).action(
    async (folder: string, options: Common & ApplyOptions) => {
      done(
        await locally(options, async (session) => (await import('./plan.ts')).plan(session, folder, options)),
      );
    },
  );
  applied(verb('apply', 'make a cluster match a folder'))
    .option('--wait', 'until everything is applied and health has settled')
    .addOption(timeoutOption())
    .option('--dry-run', 'show what would change, as plan does')
    .action(async (folder: string, options: Common & ApplyOptions & { dryRun?: boolean }) => {
      assertTimeout(options);
      const work = async (session: LocalSession): Promise<Report> =>
        options.dryRun === true
          ? { ...(await (await import('./plan.ts')).plan(session, folder, options)), exitCode: 0 }
          : (await import('./apply.ts')).apply(session, folder, options);
      done(await locally(options, work));
    });
  applied(verb('dev', 'watch a folder: plan on every save, apply when asked to; no AWS'))
    .option('--apply', 'apply on every save')
    .option('--wait', 'have an apply wait until health has settled')
    .addOption(timeoutOption())
    .action(async (folder: string, options: Common & DevOptions) => {
      assertTimeout(options);
      const { dev, devStore } = await import('./dev.ts');
      const { storeOf } = await import('./local-session.ts');
      const store = storeOf(options) ?? devStore();
      done(
        await locally({ ...options, store }, async (session) => dev(session, folder, { ...options, store }), {
          progress: false,
        }),
      );
    });
}

function addDoctor(verb: Verb, done: Done): void {
  verb('doctor', 'look an installation over: what is wrong, and what to do about it; changes nothing')
    .addOption(stackOption())
    .option('--hook-url <url>', 'where senders call, where that is not the URL of the function itself')
    .action(async (options: Common & DoctorOptions) => {
      if (isLocal(options)) throw new CliError('doctor looks at an installation: name it with --stack.');
      const { doctor } = await import('./doctor.ts');
      done(await print(await doctor(options.stack ?? stackName('default'), options), options.output));
    });
}
