import { Option, type Command } from 'commander';
import type { ExitCode } from './cli-error.ts';
import type { RecordsSession } from './local-session.ts';
import {
  appOption,
  assertTimeout,
  clusterOption,
  confirmPruneOption,
  isLocal,
  stackOption,
  timeoutOption,
  type Common,
} from './options.ts';
import type { RestartOptions } from './restart.ts';
import type { RollbackOptions } from './rollback.ts';
import { locally, onRecords, onStack } from './run-verb.ts';
import type { SyncOptions } from './sync.ts';
import type { Selection } from './targets.ts';

type Verb = (name: string, description: string) => Command;
type Done = (code: ExitCode) => void;

/** Verbs that have something done on clusters to what is recorded already. */
export function addWorkVerbs(verb: Verb, done: Done): void {
  verb('sync', 'apply what Git says now; with --stack')
    .addOption(stackOption())
    .addOption(appOption().makeOptionMandatory())
    .addOption(clusterOption())
    .option('--wait', 'until the run has ended and health has settled')
    .addOption(confirmPruneOption())
    .addOption(resourceOption('only this object; may be given several times'))
    .action(async (options: Common & SyncOptions) => {
      done(await onStack(options, async (session) => (await import('./sync.ts')).sync(session, options)));
    });
  verb('cancel', 'stop what is under way before its next step; the rest waits for a sync or a commit')
    .addOption(stackOption())
    .addOption(appOption().makeOptionMandatory())
    .addOption(clusterOption())
    .action(async (options: Common & Selection & { app: string }) => {
      const work = async (session: RecordsSession, chosen: typeof options) =>
        (await import('./cancel.ts')).cancel(session, chosen);
      done(await onRecords(options, work));
    });
  verb(
    'restart',
    'replace the pods of the workloads, few at a time; no drift, and nothing else changes; with --stack',
  )
    .addOption(stackOption())
    .addOption(appOption().makeOptionMandatory())
    .addOption(clusterOption())
    .addOption(resourceOption('only this workload; may be given several times'))
    .option('--wait', 'until the new pods are well')
    .addOption(timeoutOption())
    .action(async (options: Common & RestartOptions) => {
      assertTimeout(options);
      const { restart } = await import('./restart.ts');
      done(await onStack(options, async (session) => restart(session, options)));
    });
  verb('rollback', 'go back to what was applied before, and stay there')
    .addOption(stackOption())
    .addOption(appOption().makeOptionMandatory())
    .addOption(clusterOption())
    .option('--to <run>', 'run id, revision, commit or snapshot; default: what was applied before')
    .option('--reason <text>', 'why, for the record')
    .option('--until <time>', 'ISO 8601: commits are followed again from then on')
    .addOption(
      new Option('--lift', 'end a rollback: follow commits again').conflicts(['to', 'until', 'revertPr']),
    )
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

function resourceOption(description: string): Option {
  return new Option('--resource <object>', `KIND/NAME or KIND/NAMESPACE/NAME: ${description}`).argParser(
    (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
  );
}
