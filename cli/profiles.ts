import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import * as z from 'zod';
import { messageOf } from '../core/errors.ts';
import { CliError } from './cli-error.ts';

/** One installation on AWS, or one store of records; names, and no secret. */
const profileSchema = z.union([
  z.strictObject({
    stack: z.string().min(1),
    region: z.string().exactOptional(),
    awsProfile: z.string().exactOptional(),
  }),
  z.strictObject({
    store: z.string().min(1),
    kubeconfig: z.string().exactOptional(),
    context: z.string().exactOptional(),
  }),
]);
export type Profile = z.infer<typeof profileSchema>;

const profilesSchema = z.strictObject({
  version: z.literal(1),
  current: z.string().exactOptional(),
  profiles: z.record(z.string(), profileSchema),
});
export type Profiles = z.infer<typeof profilesSchema>;

const none: Profiles = { version: 1, profiles: {} };

export function profilesFile(): string {
  const folder = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return join(folder, 'trueup', 'profiles.json');
}

/** Throws CliError for a file that is none of ours. */
export function readProfiles(file = profilesFile()): Profiles {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return none;
    throw new CliError(`Cannot read the profiles in ${file}: ${messageOf(cause)}`, { cause });
  }
  try {
    return profilesSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CliError(
      `${file} holds no profiles: mend it, or delete it and \`trueup profile set\` them again.`,
      {
        cause,
      },
    );
  }
}

/** Whole or not at all. */
export async function writeProfiles(profiles: Profiles, file = profilesFile()): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(profiles, null, 2)}\n`);
  await rename(draft, file);
}

/** The profile of that name. Throws CliError with the known ones. */
export function profileNamed(name: string, { profiles }: Profiles): Profile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile !== undefined) return profile;
  const known = Object.keys(profiles);
  const advice = known.length === 0 ? 'There is none yet' : `Known: ${known.join(', ')}`;
  throw new CliError(
    `There is no profile ${name}. ${advice}; \`trueup profile set ${name} --stack NAME\` makes it.`,
  );
}

/**
 * Gives a verb the options that its profile names and the line does not. A profile that is named (--profile,
 * TRUEUP_PROFILE) goes before the environment; the current one only fills in what neither line nor environment say.
 */
export function applyProfile(command: Command, env: NodeJS.ProcessEnv = process.env): void {
  const given: Readonly<Record<string, unknown>> = command.opts();
  const named = textIn(given['profile']) ?? textIn(env['TRUEUP_PROFILE']);
  const isPlaced = given['store'] !== undefined || given['stack'] !== undefined;
  if (isPlaced && given['profile'] !== undefined) {
    throw new CliError('Give either --profile, or --stack or --store: each says which records.');
  }
  if (isPlaced || (named === undefined && textIn(env['TRUEUP_STORE']) !== undefined)) return;
  const profiles = readProfiles();
  const name = named ?? profiles.current;
  if (name === undefined) return;
  const profile = profileNamed(name, profiles);
  const fill = (option: string, value: string | undefined): void => {
    const isKnown = command.options.some((one) => one.attributeName() === option);
    if (isKnown && value !== undefined) command.setOptionValueWithSource(option, value, 'config');
  };
  if ('stack' in profile) {
    fill('stack', profile.stack);
    const variables = { AWS_REGION: profile.region, AWS_PROFILE: profile.awsProfile };
    for (const [variable, value] of Object.entries(variables)) {
      if (value !== undefined && (named !== undefined || textIn(env[variable]) === undefined))
        env[variable] = value;
    }
    return;
  }
  fill('store', profile.store);
  if (given['kubeconfig'] !== undefined || given['context'] !== undefined) return;
  fill('kubeconfig', profile.kubeconfig);
  fill('context', profile.context);
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
