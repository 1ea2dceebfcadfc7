import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { openLocalSource, placeFrom, type LocalSource } from '../adapters/local-worktree.ts';
import { Stop, type Fault } from '../core/errors.ts';
import type { Application } from '../core/model/application.ts';
import { defaultSettings, type Settings } from '../core/model/desired.ts';
import { nameSchema } from '../core/model/target.ts';
import type { Charts } from '../core/ports.ts';
import { settingsOf } from '../core/produce/pointers.ts';
import { parseApplication } from '../core/source.ts';
import { readYaml } from '../core/yaml/read-yaml.ts';
import { CliError } from './cli-error.ts';
import { localCharts } from './local-charts.ts';
import { callersFolder, localPerson } from './local-session.ts';

/** Options that say what is to be applied, and how. */
export interface ApplyOptions {
  readonly app: string;
  readonly namespace?: string;
  readonly adopt?: boolean;
  /** An Application file: its settings hold; where its source is, the command line says. */
  readonly application?: string;
  readonly wait?: boolean;
  /** Seconds that `wait` may take; default: the Application's `timeout`. */
  readonly timeout?: number;
  readonly prune?: boolean;
  readonly confirmPrune?: number;
}

/** What the command line asks for, read and checked. */
export interface Wanted {
  readonly name: string;
  readonly source: Application['spec']['source'];
  readonly namespace: string;
  readonly settings: Settings;
  readonly worktree: LocalSource['worktree'];
  readonly charts: Charts;
}

/** Throws CliError and Stop with file and line, as the person would type them. */
export async function readWanted(path: string, options: ApplyOptions): Promise<Wanted> {
  const name = appName(options.app);
  const { worktree, path: inside } = await openSource(path);
  const application =
    options.application === undefined ? undefined : await readApplication(options.application);
  if (application !== undefined && application.metadata.name !== name) {
    throw new CliError(
      `--app ${name}: ${options.application} is of the application ${application.metadata.name}.`,
    );
  }
  // There is no configuration here that would know of projects.
  // A person who applies to one cluster is no stage of a rollout.
  const {
    project: _,
    rollout: __,
    ...settings
  } = application === undefined ? defaultSettings : settingsOf(application);
  const source = sourceAt(inside, application);
  return {
    name,
    source,
    charts: localCharts(source.chart),
    namespace: options.namespace ?? application?.spec.namespace ?? 'default',
    settings: options.adopt === true ? { ...settings, adopt: true } : settings,
    worktree,
  };
}

/** As the Application says, but for where it is: the command line says that. */
export function sourceAt(path: string, application: Application | undefined): Wanted['source'] {
  return { ...(application?.spec.source ?? { renderer: 'auto' }), path };
}

/** A path of the command line, relative to where the person stands. */
export async function openSource(path: string): Promise<LocalSource> {
  const from = callersFolder();
  return openLocalSource(path, { from, person: localPerson(), now: Date.now() });
}

/** As `openSource`, where only a folder will do. */
export async function openFolder(path: string): Promise<LocalSource> {
  const source = await openSource(path);
  if (statSync(resolve(callersFolder(), path)).isDirectory()) return source;
  throw new CliError(`--dir ${path}: it is a file; name the folder of the checkout.`);
}

export function appName(text: string): string {
  const parsed = nameSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new CliError(`--app ${text}: ${parsed.error.issues[0]?.message}.`);
}

/** Runs work on a tree; places in its faults are told from where the person stands. */
export async function tellingPlaces<T>(
  { directory }: Pick<LocalSource['worktree'], 'directory'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    const place = placeFrom(callersFolder(), directory);
    const faults = error.faults.map(({ subject, message }): Fault => ({ subject: place(subject), message }));
    const [first] = faults;
    throw first === undefined ? error : new Stop(first, faults);
  }
}

export async function readApplication(file: string): Promise<Application> {
  const { worktree, path } = await openSource(file);
  return tellingPlaces(worktree, async () => {
    const [document, ...more] = readYaml(path, await worktree.text(path));
    if (document === undefined || more.length > 0) {
      throw new Stop({ subject: path, message: 'must hold one Application' });
    }
    const parsed = parseApplication(path, document);
    if ('application' in parsed) return parsed.application;
    const [first] = parsed.faults;
    if (first === undefined) throw new Error('an Application without faults is one');
    throw new Stop(first, parsed.faults);
  });
}
