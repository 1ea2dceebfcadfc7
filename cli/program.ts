import { Argument, Command } from 'commander';
import { stackName } from '../core/contract/environment.ts';
import type { AcceptOptions } from './accept-drift.ts';
import { addChangeVerbs } from './change-verbs.ts';
import { addCheckoutVerbs } from './checkout-verbs.ts';
import { addCompletion } from './completion-verb.ts';
import { CliError, type ExitCode } from './cli-error.ts';
import type { DevOptions } from './dev.ts';
import type { DoctorOptions } from './doctor.ts';
import type { HealthOptions } from './health.ts';
import type { RenderOptions } from './render.ts';
import type { RollbackOptions } from './rollback.ts';
import type { LocalDriftOptions } from './local-drift.ts';
import type { ApplyOptions } from './local-source.ts';
import type { LocalSession, RecordsSession } from './local-session.ts';
import {
  appOption,
  assertTimeout,
  clusterOption,
  confirmPruneOption,
  isLocal,
  stackOption,
  timeoutOption,
  withCommon,
  type Common,
} from './options.ts';
import { addClusterVerbs } from './cluster-verbs.ts';
import { addDeliveryVerbs } from './delivery-verbs.ts';
import { addHoldVerbs } from './hold-verbs.ts';
import { addTrackVerbs } from './track-verbs.ts';
import { addUi } from './ui-verb.ts';
import { addUpkeepVerbs } from './upkeep-verbs.ts';
import { print, type Report } from './report.ts';
import own from '../package.json' with { type: 'json' };
import type { Session } from './session.ts';
import type { SyncOptions } from './sync.ts';

const exitHelp = `
Exit status: 0 all is well; 1 the answer is no (plan: there are changes; drift: there is drift; apply, rollback and
sync --wait: the run failed, was blocked, or health is Degraded); 2 the question could not be answered; 3 drift: nothing
found, but something could not be checked; 130 interrupted. doctor: 1 where something fails.

Without an installation on AWS: --store and a kubeconfig. With one: --stack, and the AWS credentials and region of the
environment (AWS_PROFILE, AWS_REGION); AWS_ENDPOINT_URL is obeyed.`;

type Selecting = Common & { readonly app?: string; readonly cluster?: string };

/** Told how a verb ended. */
export type Done = (code: ExitCode) => void;

/** Every verb. AWS clients and the verb's own code are loaded when it runs and not before, so that --help is quick. */
export function program(done: Done): Command {
  const trueup = new Command('trueup')
    .description('GitOps for Amazon EKS without an agent and without a server')
    .version(own.version)
    .addHelpText('after', exitHelp)
    .exitOverride();
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
  addRunVerbs(verb, done);
  addDoctor(verb, done);
  addUi(verb, done);
  addCompletion(trueup);
  return trueup;
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
    .addHelpText('after', '\nExample:\n  trueup dev apps/storefront --app storefront --namespace storefront')
    .action(async (folder: string, options: Common & DevOptions) => {
      assertTimeout(options);
      const { dev, devStore } = await import('./dev.ts');
      const { storeOf } = await import('./local-session.ts');
      const store = storeOf(options) ?? devStore();
      done(
        await locally({ ...options, store }, async (session) => dev(session, folder, { ...options, store })),
      );
    });
}

/** Verbs about records; `drift` looks at the cluster as well. */
function addRecordVerbs(verb: Verb, done: Done): void {
  verb('status', 'targets: which commit, in sync or not, health, drift')
    .addOption(stackOption())
    .addOption(appOption())
    .addOption(clusterOption())
    .action(async (options: Selecting) => {
      done(
        await onRecords(options, async (session, chosen) =>
          (await import('./status.ts')).status(session, chosen),
        ),
      );
    });
  verb('history', 'runs of an application, newest first')
    .addOption(stackOption())
    .addOption(appOption().makeOptionMandatory())
    .addOption(clusterOption())
    .action(async (options: Selecting & { app: string }) => {
      const work = async (session: RecordsSession, chosen: Selecting & { app: string }) =>
        (await import('./history.ts')).history(session, chosen);
      done(await onRecords(options, work));
    });
  verb('drift', 'drift: fields, values, who and since when')
    .addOption(stackOption())
    .addOption(appOption())
    .addOption(clusterOption())
    .option('--now', 'with --stack: have the clusters checked first, and wait for it')
    .option('--full', 'check everything exactly now, whatever was remembered')
    .option('--heal', 'with --store: put back what has drifted, as the policy has it')
    .option('--audit-log <file>', 'with --store: audit log of the API server, which tells who did it')
    .option('--accept', 'take open drift as it is: writes the narrowest rules')
    .option('--object <object>', 'with --accept: only of this one, such as Deployment/web')
    .option('--field <path>', 'with --accept: only this field')
    .option('--reason <text>', 'with --accept: why, for those who read the rule later')
    .option('--application <file>', 'with --accept: Application file that the rules are written into')
    .action(
      async (
        options: Selecting & LocalDriftOptions & AcceptOptions & { now?: boolean; accept?: boolean },
      ) => {
        assertDriftOptions(options);
        if (options.accept === true) {
          const { acceptOpenDrift } = await import('./accept-drift.ts');
          done(await onRecords(options, acceptOpenDrift));
        } else if (isLocal(options)) {
          done(
            await locally(options, async (session) =>
              (await import('./local-drift.ts')).localDrift(session, options),
            ),
          );
        } else {
          done(
            await onStack(options, async (session) => (await import('./drift.ts')).drift(session, options)),
          );
        }
      },
    );
}

type DriftOptions = Common & LocalDriftOptions & AcceptOptions & { readonly accept?: boolean };

/** What would be left unheeded is told. */
function assertDriftOptions(options: DriftOptions): void {
  const { accept = false, heal = false, auditLog, object, field, reason, application } = options;
  if (accept && heal)
    throw new CliError('Give either --accept or --heal: drift is taken as it is, or put back.');
  const named = [object, field, reason, application].some((option) => option !== undefined);
  if (!accept && named) {
    throw new CliError('--object, --field, --reason and --application say what to --accept.');
  }
  if ((heal || auditLog !== undefined) && !isLocal(options)) {
    throw new CliError(
      '--heal and --audit-log are for --store: an installation heals by itself, or by `trueup sync`.',
    );
  }
}

/** Verbs that have something applied that is recorded already. */
function addRunVerbs(verb: Verb, done: Done): void {
  verb('sync', 'apply what Git says now; with --stack')
    .addOption(stackOption())
    .addOption(appOption().makeOptionMandatory())
    .addOption(clusterOption())
    .option('--wait', 'until the run has ended and health has settled')
    .addOption(confirmPruneOption())
    .action(async (options: Common & SyncOptions) => {
      done(await onStack(options, async (session) => (await import('./sync.ts')).sync(session, options)));
    });
  verb('rollback', 'go back to what was applied before, and stay there')
    .addOption(stackOption())
    .addOption(appOption().makeOptionMandatory())
    .addOption(clusterOption())
    .option('--to <run>', 'run id, revision, commit or snapshot; default: what was applied before')
    .option('--reason <text>', 'why, for the record')
    .option('--until <time>', 'ISO 8601: commits are followed again from then on')
    .option('--lift', 'end a rollback: follow commits again')
    .option('--revert-pr', 'with --stack: open a pull request that takes the change back in Git')
    .option('--wait', 'until everything is applied and health has settled')
    .addOption(timeoutOption())
    .option('--prune', 'with --store: delete what only the later state had')
    .addOption(confirmPruneOption())
    .action(async (options: Common & RollbackOptions) => {
      assertTimeout(options);
      const { rollBackLocally, rollBackStack } = await import('./rollback.ts');
      if (isLocal(options))
        done(await locally(options, async (session) => rollBackLocally(session, options)));
      else done(await onStack(options, async (session) => rollBackStack(session, options)));
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

async function onStack(options: Common, work: (session: Session) => Promise<Report>): Promise<ExitCode> {
  // Both given is an error of the person, found here.
  isLocal(options);
  const { openSession } = await import('./session.ts');
  return print(await work(await openSession(options.stack ?? stackName('default'))), options.output);
}

/** Records of an installation, or of a store; a kubeconfig chooses the cluster of its context. */
async function onRecords<O extends Selecting>(
  options: O,
  work: (session: RecordsSession, options: O) => Promise<Report>,
): Promise<ExitCode> {
  if (!isLocal(options)) return onStack(options, async (session) => work(session, options));
  const { clusterOf, openRecords } = await import('./local-session.ts');
  const session = await openRecords(options);
  const cluster = options.cluster ?? (await clusterOf(options));
  const chosen = cluster === undefined ? options : { ...options, cluster };
  return print(await work(session, chosen), options.output);
}

/** Work on a cluster. The first Ctrl-C ends it in good order, a second one at once. */
async function locally(options: Common, work: (session: LocalSession) => Promise<Report>): Promise<ExitCode> {
  const { openLocal } = await import('./local-session.ts');
  const { interruption } = await import('./interruption.ts');
  const { assertSameCluster } = await import('./cluster-identity.ts');
  const session = await openLocal(options, interruption());
  await assertSameCluster(session);
  return print(await work(session), options.output);
}
