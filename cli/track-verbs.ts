import { Option, type Command } from 'commander';
import type { ExitCode } from './cli-error.ts';
import type { RecordsSession } from './local-session.ts';
import { appOption, clusterOption, stackOption, timeoutOption, type Common } from './options.ts';
import { tell } from './progress.ts';
import type { Report } from './report.ts';
import type { WaitOptions } from './wait.ts';

type Selecting = Common & { readonly app?: string; readonly cluster?: string };
type OnRecords = <O extends Selecting>(
  options: O,
  work: (session: RecordsSession, options: O) => Promise<Report>,
) => Promise<ExitCode>;

const defaultSeconds = 600;

/** Verbs that follow a change through the records: forwards until it is there, and back to where it came from. */
export function addTrackVerbs(
  verb: (name: string, description: string) => Command,
  done: (code: ExitCode) => void,
  onRecords: OnRecords,
): void {
  verb('trace', 'where an object comes from: file, commit, author, run, delivery')
    .argument('<object>', 'KIND/NAME or KIND/NAMESPACE/NAME; with KIND.GROUP where several have the kind')
    .addOption(stackOption())
    .addOption(appOption())
    .addOption(clusterOption())
    .action(async (object: string, options: Selecting) => {
      const work = async (session: RecordsSession, chosen: Selecting) =>
        (await import('./trace.ts')).trace(session, object, chosen);
      done(await onRecords(options, work));
    });
  verb(
    'wait',
    'until every target of an application has its commit and is well; exit status 1 when it takes too long',
  )
    .addOption(stackOption())
    .addOption(appOption().makeOptionMandatory())
    .addOption(clusterOption())
    .addOption(
      new Option('--for <state>', 'what to wait for').choices(['healthy', 'synced']).default('healthy'),
    )
    .addOption(timeoutOption().default(defaultSeconds, '10m'))
    .action(async (options: Common & WaitOptions) => {
      const work = async (session: RecordsSession, chosen: Common & WaitOptions) =>
        (await import('./wait.ts')).wait(session, chosen, tell);
      done(await onRecords(options, work));
    });
}
