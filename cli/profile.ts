import { resolve } from 'node:path';
import { nameSchema } from '../core/model/target.ts';
import { CliError } from './cli-error.ts';
import { callersFolder } from './local-session.ts';
import {
  profileNamed,
  profilesFile,
  readProfiles,
  writeProfiles,
  type Profile,
  type Profiles,
} from './profiles.ts';
import { table, type Report } from './report.ts';

export interface ProfileOptions {
  readonly stack?: string;
  readonly region?: string;
  readonly awsProfile?: string;
  readonly store?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
}

export function listProfiles(): Report {
  const profiles = readProfiles();
  const names = Object.keys(profiles.profiles).toSorted();
  if (names.length === 0) {
    return {
      data: profiles,
      text: 'no profiles yet; `trueup profile set NAME --stack NAME` makes one',
      names,
    };
  }
  const rows = names.map((name) => [
    name === profiles.current ? '*' : '',
    name,
    ...columnsOf(profileNamed(name, profiles)),
  ]);
  return { data: profiles, text: table(['CURRENT', 'NAME', 'RECORDS', 'WITH'], rows), names };
}

export async function useProfile(name: string): Promise<Report> {
  const profiles = readProfiles();
  profileNamed(name, profiles);
  return saved({ ...profiles, current: name }, name, `${name} is the current profile`);
}

/** Paths are kept whole, since they are used from anywhere. */
export async function setProfile(name: string, options: ProfileOptions): Promise<Report> {
  const parsed = nameSchema.safeParse(name);
  if (!parsed.success) throw new CliError(`${name}: a profile's name ${parsed.error.issues[0]?.message}.`);
  const profiles = readProfiles();
  const next: Profiles = {
    ...profiles,
    profiles: { ...profiles.profiles, [name]: profileOf(options) },
    current: profiles.current ?? name,
  };
  const hint =
    next.current === name
      ? 'is the current profile'
      : `is set; \`trueup profile use ${name}\` makes it the current one`;
  return saved(next, name, `${name} ${hint}`);
}

export async function deleteProfile(name: string): Promise<Report> {
  const { current, ...profiles } = readProfiles();
  profileNamed(name, profiles);
  const { [name]: _, ...left } = profiles.profiles;
  const next = { ...profiles, profiles: left, ...(current !== undefined && current !== name && { current }) };
  return saved(next, name, `${name} is forgotten`);
}

function profileOf({ stack, region, awsProfile, store, kubeconfig, context }: ProfileOptions): Profile {
  if ((stack === undefined) === (store === undefined)) {
    throw new CliError(
      'Say which records: --stack NAME (an installation on AWS) or --store PLACE, one of them.',
    );
  }
  const isMixed =
    stack === undefined ? (region ?? awsProfile) !== undefined : (kubeconfig ?? context) !== undefined;
  if (isMixed) {
    throw new CliError(
      '--region and --aws-profile go with --stack; --kubeconfig and --context with --store.',
    );
  }
  if (stack !== undefined) {
    return {
      stack,
      ...(region !== undefined && { region }),
      ...(awsProfile !== undefined && { awsProfile }),
    };
  }
  return {
    store: wholePlace(store ?? ''),
    ...(kubeconfig !== undefined && { kubeconfig: resolve(callersFolder(), kubeconfig) }),
    ...(context !== undefined && { context }),
  };
}

function wholePlace(store: string): string {
  if (!/^(?:file:.|s3:\/\/[^/])/.test(store)) {
    throw new CliError(`--store ${store}: it must be file:DIR or s3://BUCKET/PREFIX.`);
  }
  if (!store.startsWith('file:')) return store;
  return `file:${resolve(callersFolder(), store.slice('file:'.length))}`;
}

async function saved(profiles: Profiles, name: string, text: string): Promise<Report> {
  await writeProfiles(profiles);
  return { data: { file: profilesFile(), ...profiles }, text, names: [name] };
}

function columnsOf(profile: Profile): readonly string[] {
  const told = (members: Readonly<Record<string, string | undefined>>): string =>
    Object.entries(members)
      .flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${value}`]))
      .join(', ') || '-';
  return 'stack' in profile
    ? [`stack ${profile.stack}`, told({ region: profile.region, credentials: profile.awsProfile })]
    : [profile.store, told({ kubeconfig: profile.kubeconfig, context: profile.context })];
}
