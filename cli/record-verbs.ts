import type { Command } from 'commander';
import type { AcceptOptions } from './accept-drift.ts';
import { CliError, type ExitCode } from './cli-error.ts';
import type { EventsOptions } from './events.ts';
import type { GetOptions } from './get.ts';
import type { LocalDriftOptions } from './local-drift.ts';
import type { RecordsSession } from './local-session.ts';
import {
  appOption,
  clusterOption,
  durationOption,
  isLocal,
  stackOption,
  watched,
  type Common,
} from './options.ts';
import { locally, onRecords, onStack, show, type Selecting } from './run-verb.ts';

type Verb = (name: string, description: string) => Command;
type Done = (code: ExitCode) => void;

/** Verbs about records; `drift` looks at the cluster as well. */
export function addRecordVerbs(verb: Verb, done: Done): void {
  watched(verb('status', 'targets: which commit, in sync or not, health, drift'))
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
  addGet(verb, done);
  addEvents(verb, done);
  watched(verb('history', 'runs of an application, newest first'))
    .addOption(stackOption())
    .addOption(appOption().makeOptionMandatory())
    .addOption(clusterOption())
    .action(async (options: Selecting & { app: string }) => {
      const work = async (session: RecordsSession, chosen: Selecting & { app: string }) =>
        (await import('./history.ts')).history(session, chosen);
      done(await onRecords(options, work));
    });
  watched(verb('drift', 'drift: fields, values, who and since when'))
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
  if (options.watch === true && (accept || heal)) {
    throw new CliError('--watch only looks: leave --accept and --heal away, or --watch.');
  }
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

function addGet(verb: Verb, done: Done): void {
  watched(verb('get', 'objects of an application: what Git wants, what is there, and how it is'), ['wide'])
    .argument('[objects...]', 'KIND/NAME or KIND/NAMESPACE/NAME; default: all')
    .addOption(stackOption())
    .addOption(appOption().makeOptionMandatory())
    .addOption(clusterOption())
    .option('--live', 'as they are on the cluster now, by --kubeconfig or --context')
    .action(async (objects: readonly string[], options: Common & GetOptions) => {
      const open = async () => {
        const [{ openApi }, { get }] = await Promise.all([import('./open-api.ts'), import('./get.ts')]);
        const { deps } = await openApi(options, options);
        return async () => get(deps, objects, options);
      };
      done(await show(options, open));
    });
}

const secondsOfDay = 86_400;

function addEvents(verb: Verb, done: Done): void {
  watched(
    verb(
      'events',
      'what happened to an application: runs, drift, health, holds; with a kubeconfig Kubernetes events',
    ),
    ['wide'],
  )
    .addOption(stackOption())
    .addOption(appOption().makeOptionMandatory())
    .addOption(clusterOption())
    .addOption(durationOption('--since <duration>', 'how far back, such as 2h').default(secondsOfDay, '24h'))
    .action(async (options: Common & EventsOptions) => {
      const open = async () => {
        const [{ openApi }, { events }] = await Promise.all([import('./open-api.ts'), import('./events.ts')]);
        const { deps, person } = await openApi(options);
        return async () => events(deps, person, options);
      };
      done(await show(options, open));
    });
}
