import type { Command } from 'commander';
import type { StackConfig } from '../core/contract/config.ts';
import { stackName } from '../core/contract/environment.ts';
import { CliError, type ExitCode } from './cli-error.ts';
import type { PromoteEnvironmentOptions } from './environments.ts';
import { appOption, isLocal, stackOption, type Common } from './options.ts';
import type { PromoteOptions } from './promote.ts';
import { print, type Report } from './report.ts';
import type { Session } from './session.ts';

type PromotionOptions = Common & Partial<PromoteOptions & PromoteEnvironmentOptions>;

/** Verbs that let stages and environments go on. */
export function addPromotionVerbs(
  verb: (name: string, description: string) => Command,
  done: (code: ExitCode) => void,
  onStack: (options: Common, work: (session: Session) => Promise<Report>) => Promise<ExitCode>,
): void {
  verb(
    'promote',
    'say that a stage of a rollout is good enough, or that an environment may have a commit; with --stack',
  )
    .addOption(stackOption())
    .addOption(appOption().conflicts('environment'))
    .option('--stage <name>', 'with --app; default: the stage that holds the others back')
    .option('--environment <name>', 'consent to the commit that waits for it')
    .option('--commit <sha>', 'with --environment: which, or one that it had, to go back to')
    .option('--reason <text>', 'why, for the record')
    .action(async (options: PromotionOptions) => {
      const { app, environment, stage, commit } = options;
      if (environment !== undefined) {
        if (stage !== undefined) throw new CliError('--stage is of a rollout: name its --app.');
        const { promoteEnvironment } = await import('./environments.ts');
        const work = async (session: Session, config: StackConfig) =>
          promoteEnvironment(session, config, { ...options, environment });
        return done(await onConfig(options, work));
      }
      if (app === undefined) throw new CliError('Name the --app of a rollout, or an --environment.');
      if (commit !== undefined) throw new CliError('--commit is for an --environment.');
      const { promoteStage } = await import('./promote.ts');
      done(await onStack(options, async (session) => promoteStage(session, { ...options, app })));
    });
  verb('environments', 'environments: the commit of each, who promoted it, and what waits for what')
    .addOption(stackOption())
    .action(async (options: Common) => {
      done(await onConfig(options, (await import('./environments.ts')).environments));
    });
}

/** Of an installation, with its configuration. */
async function onConfig(
  options: Common,
  work: (session: Session, config: StackConfig) => Promise<Report>,
): Promise<ExitCode> {
  if (isLocal(options))
    throw new CliError('environments are those of an installation: name it with --stack.');
  const { stack = stackName('default') } = options;
  const [{ openOutputs, openSession, s3Client }, { stackConfigAt }] = await Promise.all([
    import('./session.ts'),
    import('../adapters/stack-config.ts'),
  ]);
  const session = await openSession(stack);
  const output = await openOutputs(stack);
  const config = await stackConfigAt(output('config'), await s3Client())();
  return print(await work(session, config), options.output);
}
