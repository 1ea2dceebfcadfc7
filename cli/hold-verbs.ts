import type { Command } from 'commander';
import type { ExitCode } from './cli-error.ts';
import type { RecordsSession } from './local-session.ts';
import { appOption, clusterOption, stackOption, type Common } from './options.ts';
import { addPromotionVerbs } from './promotion-verbs.ts';
import type { Report } from './report.ts';
import type { Session } from './session.ts';
import type { SuspendOptions } from './suspend.ts';
import type { Selection } from './targets.ts';

/** How a verb gets its records. */
interface Openers {
  readonly onStack: (options: Common, work: (session: Session) => Promise<Report>) => Promise<ExitCode>;
  readonly onRecords: <O extends Common & Selection>(
    options: O,
    work: (session: RecordsSession & Partial<Pick<Session, 'queues'>>, options: O) => Promise<Report>,
  ) => Promise<ExitCode>;
}

/** Verbs that hold runs back, and let them go. */
export function addHoldVerbs(
  verb: (name: string, description: string) => Command,
  done: (code: ExitCode) => void,
  { onStack, onRecords }: Openers,
): void {
  verb('suspend', 'write nothing to an application, a cluster or one target until it is resumed')
    .addOption(stackOption())
    .addOption(appOption())
    .addOption(clusterOption())
    .requiredOption('--reason <text>', 'why, for those who meet it')
    .option('--until <time>', 'ISO 8601: it ends by itself then')
    .action(async (options: Common & SuspendOptions) => {
      done(await onRecords(options, (await import('./suspend.ts')).suspendTargets));
    });
  verb('resume', 'end a suspension, and go on with what waited')
    .addOption(stackOption())
    .addOption(appOption())
    .addOption(clusterOption())
    .action(async (options: Common & Selection) => {
      done(await onRecords(options, (await import('./suspend.ts')).resumeTargets));
    });
  addPromotionVerbs(verb, done, onStack);
}
