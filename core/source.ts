import type * as z from 'zod';
import type { ClusterConfig, StackConfig } from './contract/config.ts';
import { Stop, faultsOf, type Fault } from './errors.ts';
import { expressionOf } from './expression.ts';
import { apiVersion, applicationSchema, type Application } from './model/application.ts';
import { choosesCluster, type ClusterSelector } from './model/cluster-selector.ts';
import { isJsonObject, type Json } from './model/json.ts';
import type { RecordedDefinition, RenderRecord } from './model/render-record.ts';
import { clustersByStage } from './model/rollout.ts';
import { schemaWords } from './model/schema-words.ts';
import type { Worktree } from './ports.ts';
import { projectBounds } from './source/project-bounds.ts';
import { readYaml, type YamlDocument } from './yaml/read-yaml.ts';

/** An Application of a commit, and the clusters that it chose; none is fine. */
export interface SourcedApplication {
  readonly application: Application;
  readonly file: string;
  readonly clusters: readonly string[];
  /** The same by stage of its rollout; absent where it has none. */
  readonly stages?: string[][];
  /** File and line of the Application, and of its dependencies. */
  readonly place: string;
  readonly dependsOnPlace: string;
}

/** Why an Application cannot be followed at this commit. */
interface SourceFault extends Fault {
  readonly file: string;
  /** Absent where not even the name could be read. */
  readonly application?: string;
  /** There is no folder for Applications at all. */
  readonly isMissingFolder?: boolean;
}

/** While there is any fault, what is not in `applications` may be merely unreadable: never take it for deleted. */
export interface Source {
  readonly applications: readonly SourcedApplication[];
  readonly faults: readonly SourceFault[];
  /** Files without fault, for the next commit. */
  readonly files: RecordedFiles;
}

/** What an Application may name. */
type SourceConfig = Pick<StackConfig, 'clusters'> & Partial<Pick<StackConfig, 'repositories' | 'projects'>>;
/** With the repository that a commit is of. */
type ReadConfig = SourceConfig & { readonly repository: string };

export type RecordedFiles = RenderRecord['files'];

/**
 * Reads every Application of a commit; files that are `known` by their id are not read again. Faults are collected, so
 * that one bad file leaves the others alone.
 */
export async function readSource(
  worktree: Worktree,
  folder: string,
  config: SourceConfig,
  known: RecordedFiles = {},
): Promise<Source> {
  const asked: ReadConfig = { ...config, repository: worktree.commit.repository };
  const definitions: SourcedApplication[] = [];
  const faults: SourceFault[] = [];
  const files: [string, RecordedFiles[string]][] = [];
  const paths = await filesOf(worktree, folder);
  if (paths.length === 0) faults.push(missingFolder(folder));
  const manifests = paths.filter((path) => isManifest(folder, path));
  const isKnown = (path: string): boolean => recordOf(known, worktree, path) !== undefined;
  await worktree.prepare(manifests.filter((path) => !isKnown(path)));
  for (const file of manifests) {
    const read =
      readRecorded(file, recordOf(known, worktree, file), asked) ?? (await readFile(file, worktree, asked));
    definitions.push(...read.definitions);
    faults.push(...read.faults);
    if (read.record !== undefined) files.push([file, read.record]);
  }
  const twice = duplicates(definitions);
  const names = new Set(twice.map(({ application }) => application));
  const applications = definitions.filter(({ application }) => !names.has(application.metadata.name));
  return { applications, faults: [...faults, ...twice], files: Object.fromEntries(files) };
}

/** Told by the tree where that is enough, so that none of them has to be fetched. */
async function filesOf(worktree: Worktree, folder: string): Promise<readonly string[]> {
  const prefix = partsOf(folder).join('/') || '.';
  const entries = [...worktree.ids].filter(([path]) => prefix === '.' || path.startsWith(`${prefix}/`));
  const isPlain = worktree.ids.get(prefix)?.startsWith('040000') === true;
  if (!isPlain || entries.some(([, id]) => !/^(?:100|040)/.test(id))) return worktree.files(folder);
  return entries.flatMap(([path, id]) => (id.startsWith('100') ? [path] : [])).sort();
}

interface ReadFile {
  readonly definitions: readonly SourcedApplication[];
  readonly faults: readonly SourceFault[];
  /** Absent where the file has no id, or must be read again for its faults. */
  readonly record?: RecordedFiles[string];
}

function recordOf(known: RecordedFiles, { ids }: Worktree, file: string): RecordedFiles[string] | undefined {
  const record = Object.hasOwn(known, file) ? known[file] : undefined;
  return record !== undefined && record.id === ids.get(file) ? record : undefined;
}

/** Undefined for a file that is not known, or that has become faulty since: its faults are told with their lines. */
function readRecorded(
  file: string,
  record: RecordedFiles[string] | undefined,
  config: ReadConfig,
): ReadFile | undefined {
  if (record === undefined) return undefined;
  const read = record.definitions.map(({ value, place, dependsOn }) =>
    readApplication(
      file,
      { value, place: (path = []) => (path.at(-1) === 'dependsOn' ? dependsOn : place) },
      config,
    ),
  );
  if (read.some((one) => 'faults' in one)) return undefined;
  return { definitions: read.flatMap((one) => ('application' in one ? [one] : [])), faults: [], record };
}

async function readFile(file: string, worktree: Worktree, config: ReadConfig): Promise<ReadFile> {
  const definitions: SourcedApplication[] = [];
  const faults: SourceFault[] = [];
  const recorded: RecordedDefinition[] = [];
  try {
    for (const document of readYaml(file, await worktree.text(file))) {
      const read = readApplication(file, document, config);
      if (!('application' in read)) {
        faults.push(...read.faults);
        continue;
      }
      definitions.push(read);
      recorded.push({ value: document.value, place: read.place, dependsOn: read.dependsOnPlace });
    }
  } catch (error) {
    const found = faultsOf(error);
    if (found === undefined) throw error;
    faults.push(...found.map((fault) => ({ ...fault, file })));
  }
  const id = worktree.ids.get(file);
  const isRecorded = id?.startsWith('100') === true && faults.length === 0;
  return { definitions, faults, ...(isRecorded && { record: { id, definitions: recorded } }) };
}

/** What is hidden below the folder is no manifest; the folder itself may be, e.g. `.gitops`. */
function isManifest(folder: string, path: string): boolean {
  // The configured spelling may be `./apps`; that of a file is plain.
  const depth = partsOf(folder).length;
  const below = path.split('/').slice(depth);
  return /\.(?:ya?ml|json)$/.test(path) && !below.some((part) => part.startsWith('.'));
}

function partsOf(folder: string): string[] {
  return folder.split('/').filter((part) => part !== '' && part !== '.');
}

/** Git keeps no empty folders: it goes with its last file, or by accident (rule 7 of the design). */
function missingFolder(folder: string): SourceFault {
  const message =
    'there is no such folder in this commit, and nothing is taken for deleted; ' +
    'to delete the last Application, leave any other file in the folder';
  return { subject: `folder ${folder}`, message, file: folder, isMissingFolder: true };
}

/** Reads one Application, whatever clusters there are. */
export function parseApplication(
  file: string,
  document: YamlDocument,
): { readonly application: Application } | { readonly faults: readonly SourceFault[] } {
  const parsed = applicationSchema.safeParse(document.value);
  if (!parsed.success) return { faults: schemaFaults(file, document, parsed.error) };
  const application = parsed.data;
  const { name } = application.metadata;
  const broken = expressionsOf(application).flatMap(({ path, text }) =>
    expressionFault(document.place(path), path, text),
  );
  if (broken.length > 0) return { faults: broken.map((fault) => ({ ...fault, file, application: name })) };
  return { application };
}

function readApplication(
  file: string,
  document: YamlDocument,
  config: ReadConfig,
): SourcedApplication | { readonly faults: readonly SourceFault[] } {
  const parsed = parseApplication(file, document);
  if ('faults' in parsed) return parsed;
  const { application } = parsed;
  const { name } = application.metadata;
  const bounds = projectBounds(application, config.repository, config);
  const unknown = [
    ...unknownClusters(application, config),
    ...unknownRepositories(application, config),
    ...bounds.faults,
  ];
  if (unknown.length > 0) {
    const faults = unknown.map(({ path, message }) => ({
      subject: document.place(path),
      message: `${path.join('.')}: ${message}`,
      file,
      application: name,
    }));
    return { faults };
  }
  const [place, dependsOnPlace] = [document.place(), document.place(['spec', 'dependsOn'])];
  const clusters = chosenClusters(application, config.clusters).filter(bounds.hasCluster);
  const { rollout } = application.spec;
  if (rollout === undefined) return { application, file, place, dependsOnPlace, clusters };
  const labelled = clusters.flatMap(
    (chosen) => config.clusters.find(({ name: one }) => one === chosen) ?? [],
  );
  const stages = clustersByStage(rollout, labelled);
  return { application, file, place, dependsOnPlace, clusters, stages };
}

interface PlacedExpression {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/** Every CEL expression of an Application: a mistake in one is told with the commit, not when a run first needs it. */
function expressionsOf({ spec }: Application): readonly PlacedExpression[] {
  const inside = (path: readonly PropertyKey[], members: Readonly<Record<string, string | undefined>>) =>
    Object.entries(members).flatMap(([name, text]) =>
      text === undefined ? [] : [{ path: ['spec', ...path, name], text }],
    );
  return [
    ...spec.dependsOn.flatMap(({ ready }, index) => inside(['dependsOn', index], { ready })),
    ...spec.rules.flatMap(({ when }, index) => inside(['rules', index], { when })),
    ...spec.health.flatMap(({ match: _match, ...expressions }, index) =>
      inside(['health', index], expressions),
    ),
  ];
}

function expressionFault(place: string, path: readonly PropertyKey[], text: string): readonly Fault[] {
  try {
    expressionOf(text, place);
    return [];
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    // The parser draws the place below its words; a record has one line, so it gets the expression itself.
    const [words = ''] = error.faults.map(({ message }) => message.split('\n', 1)[0]);
    return [{ subject: place, message: `${path.join('.')}: ${words}: ${text}` }];
  }
}

function schemaFaults(file: string, document: YamlDocument, error: z.ZodError): SourceFault[] {
  const name = nameOf(document.value);
  const known = { file, ...(name === undefined ? {} : { application: name }) };
  const kind = kindOf(document.value);
  if (kind !== `${apiVersion} Application`) {
    const message = `is ${kind}; files in this folder hold Applications only (apiVersion: ${apiVersion}, kind: Application)`;
    return [{ subject: document.place(), message, ...known }];
  }
  return error.issues.flatMap((issue) => {
    const paths =
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    const text = issue.code === 'unrecognized_keys' ? 'there is no such field' : schemaWords(issue.message);
    return paths.map((path) => ({
      subject: document.place(path),
      message: `${path.join('.')}: ${text}`,
      ...known,
    }));
  });
}

function kindOf(value: Json): string {
  if (!isJsonObject(value)) return 'no object';
  const { apiVersion: version, kind } = value;
  return typeof version === 'string' && typeof kind === 'string'
    ? `${version} ${kind}`
    : 'without apiVersion or kind';
}

function nameOf(value: Json): string | undefined {
  const metadata = isJsonObject(value) ? value['metadata'] : undefined;
  const name = isJsonObject(metadata) ? metadata['name'] : undefined;
  return typeof name === 'string' ? name : undefined;
}

function unknownClusters(application: Application, { clusters }: SourceConfig) {
  const known = clusters.map(({ name }) => name);
  const { clusters: own, previewEnvironments } = application.spec;
  const unknownIn = ({ names = [] }: ClusterSelector, ...path: readonly string[]) =>
    names.flatMap((cluster, index) => {
      const message = `cluster "${cluster}" is not in the stack configuration; known clusters: ${known.join(', ')}`;
      return known.includes(cluster)
        ? []
        : [{ path: ['spec', ...path, 'clusters', 'names', index], message }];
    });
  const ofPulls = previewEnvironments?.clusters;
  return [...unknownIn(own), ...(ofPulls === undefined ? [] : unknownIn(ofPulls, 'previewEnvironments'))];
}

function unknownRepositories({ spec }: Application, { repositories = [] }: SourceConfig) {
  const known = repositories.map(({ name }) => name);
  const { repository: own } = spec.source;
  const named = [
    ...(own === undefined ? [] : [{ name: own, path: ['spec', 'source', 'repository'] }]),
    ...(spec.sources ?? []).map(({ repository: name }, index) => ({
      name,
      path: ['spec', 'sources', index, 'repository'],
    })),
  ];
  return named.flatMap(({ name, path }) => {
    const message = `repository "${name}" is not in the stack configuration; known repositories: ${known.join(', ')}`;
    return known.includes(name) ? [] : [{ path, message }];
  });
}

function chosenClusters({ spec }: Application, clusters: readonly ClusterConfig[]): readonly string[] {
  // In the order that a person gave them.
  if (spec.clusters.names !== undefined) return [...new Set(spec.clusters.names)];
  return clusters.filter((one) => choosesCluster(spec.clusters, one)).map(({ name }) => name);
}

/** Neither of two definitions is followed: which one was meant is not ours to guess. */
function duplicates(
  definitions: readonly SourcedApplication[],
): (SourceFault & { readonly application: string })[] {
  const byName = Map.groupBy(definitions, ({ application }) => application.metadata.name);
  return definitions.flatMap(({ application, file, place }) => {
    const { name } = application.metadata;
    const others = (byName.get(name) ?? []).filter((other) => other.place !== place);
    if (others.length === 0) return [];
    const message = `application ${name} is defined in ${others.map((other) => other.place).join(' and ')} too; rename one`;
    return [{ subject: place, message, file, application: name }];
  });
}
