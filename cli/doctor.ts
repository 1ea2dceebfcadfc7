import { greetAws } from '../adapters/aws-clock.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { stackResources } from '../adapters/stack-resources.ts';
import { diagnose, type DoctorFacts } from '../core/doctor.ts';
import type { Finding } from '../core/doctor/finding.ts';
import packageJson from '../package.json' with { type: 'json' };
import { CliError, exitCodes } from './cli-error.ts';
import { seeAudit } from './doctor/see-audit.ts';
import { seeClusters } from './doctor/see-clusters.ts';
import { seeHooks } from './doctor/see-hooks.ts';
import { seeAccount, seeAlarms, seeFunctions, seeQueues } from './doctor/see-machinery.ts';
import { seeSecrets } from './doctor/see-secrets.ts';
import type { DoctorWorld } from './doctor/world.ts';
import { coloured, table, type Report } from './report.ts';
import { openOutputs, openSession, s3Client } from './session.ts';

export interface DoctorOptions {
  /** Where senders call, where that is not the URL of the function itself. */
  readonly hookUrl?: string;
}

/** Looks over a whole installation, and says what to do about each thing that is not in order. Changes nothing. */
export async function doctor(stack: string, options: DoctorOptions): Promise<Report> {
  const facts = await gather(await openWorld(stack, options));
  return reportOf(diagnose(facts));
}

async function openWorld(stack: string, { hookUrl }: DoctorOptions): Promise<DoctorWorld> {
  if (hookUrl !== undefined && !URL.canParse(hookUrl)) {
    throw new CliError(`--hook-url ${hookUrl}: it must be an address such as https://hooks.example.com/.`);
  }
  const [session, output] = await Promise.all([openSession(stack), openOutputs(stack)]);
  const { store, clock, ids } = session;
  const client = await s3Client();
  const [config, greeting, resources, region] = await Promise.all([
    stackConfigAt(output('config'), client)(),
    greetAws(clock),
    stackResources(stack),
    client.config.region(),
  ]);
  const secrets = new SecretsManagerSecrets(clock);
  const calledAt = (hookUrl ?? output('hookUrl')).replace(/\/?$/, '/');
  return { config, output, resources, store, secrets, clock, ids, greeting, region, hookUrl: calledAt };
}

async function gather(world: DoctorWorld): Promise<DoctorFacts> {
  const { ahead } = world.greeting;
  const [{ clusters, rendered }, functions, account, secrets, hooks, queues, audit, alarms] =
    await Promise.all([
      seeClusters(world),
      seeFunctions(world),
      seeAccount(world),
      seeSecrets(world),
      seeHooks(world),
      seeQueues(world),
      seeAudit(world),
      seeAlarms(world),
    ]);
  return {
    ahead: ahead === undefined ? { unseen: 'AWS sent no time along' } : { seen: ahead },
    versions: { tool: packageJson.version, node: process.version, rendered },
    functions,
    ...account,
    secrets,
    hooks,
    queues,
    clusters,
    sweepSeconds: world.config.sweepMinutes * 60,
    audit,
    alarms,
  };
}

function reportOf(findings: readonly Finding[]): Report {
  const rows = findings.map(({ area, level, what }) => [coloured(level), area, what]);
  const todo = findings.flatMap(({ level, what, todo: advice }) =>
    level === 'ok' || advice === undefined ? [] : [`${coloured(level)} ${what}`, `  -> ${advice}`],
  );
  const failed = findings.filter(({ level }) => level === 'fail').length;
  const warned = findings.filter(({ level }) => level === 'warn').length;
  const sum = `${findings.length} looked at, ${failed} fail, ${warned} warn`;
  const text = [table(['LEVEL', 'AREA', 'WHAT'], rows), '', ...todo, sum].join('\n');
  return { data: findings, text, exitCode: failed > 0 ? exitCodes.found : exitCodes.ok };
}
