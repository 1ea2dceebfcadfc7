import type { Fault, Retry } from '../errors.ts';
import type { Commit } from '../model/commit.ts';
import type { FollowedChart } from '../model/helm.ts';
import type { DesiredPointer, FaultRecord, RepositoryState } from '../model/desired.ts';
import { isHeldByPerson } from '../model/pin.ts';
import { targetKey, type Target } from '../model/target.ts';
import { millisecondsOf } from '../model/time.ts';
import type { Source, SourcedApplication } from '../source.ts';
import { failedPointer, gonePointer, presentPointer, settingsOf, type Look } from './pointers.ts';

/** A stored snapshot. */
export interface Produced {
  readonly snapshot: string;
  readonly objects: number;
}

/** What became of one Application of a commit. */
export type Examined = SourcedApplication &
  /** By cluster: those that answer a render's questions alike have the same one. */
  (
    | { readonly kind: 'rendered'; readonly produced: ReadonlyMap<string, Produced> }
    | { readonly kind: 'failed'; readonly faults: readonly Fault[] }
  );

/** A commit as it was looked at. Without `commit` it could not even be read, and `faults` say why. */
export interface Examination {
  readonly sha: string;
  readonly commit: Commit | undefined;
  readonly applications: readonly Examined[];
  /** Of the Application files. While there are any, nothing is taken for deleted (rule 7). */
  readonly faults: Source['faults'];
  /** Charts that are followed by a range of versions; absent where nothing was looked at. */
  readonly charts?: readonly FollowedChart[];
  /** The Git host did not even say where the head is. */
  readonly refused?: true;
  /** The same commit may give more later. */
  readonly later?: Retry;
}

export type KnownApplications = RepositoryState['applications'];
type Pointers = ReadonlyMap<string, DesiredPointer>;

/** What to do about one application: pointers to write, and what to remember of it. */
export interface ApplicationPlan {
  readonly name: string;
  readonly verdict: 'followed' | 'failed' | 'gone';
  readonly clusters: readonly string[];
  readonly pointers: readonly DesiredPointer[];
  readonly faults: readonly FaultRecord[];
  /** Absent once nothing of it is left that a later commit could take away. */
  readonly known?: KnownApplications[string];
}

/** How this repository stands: what its ref gave before, and the pointers of everything it may own. */
export interface Standing {
  readonly repository: string;
  /** What it follows. */
  readonly ref: string;
  readonly known: KnownApplications;
  readonly pointers: Pointers;
  /** Names of all repositories of the installation: the pointers of one that left it are free to take. */
  readonly repositories: readonly string[];
  /** Every cluster there is is known: one that an application has left was not merely overlooked. */
  readonly isComplete: boolean;
}

/** What is known of one application. Own members only: `constructor` is a valid name, and every object inherits one. */
export function knownOf(known: KnownApplications, name: string): KnownApplications[string] | undefined {
  return Object.hasOwn(known, name) ? known[name] : undefined;
}

/** Targets whose pointers must be read before the plan can be made. */
export function targetsOf(known: KnownApplications, applications: readonly Examined[]): Target[] {
  const targets = new Map<string, Target>();
  const add = (application: string, clusters: readonly string[]) => {
    for (const cluster of clusters)
      targets.set(targetKey({ cluster, application }), { cluster, application });
  };
  for (const [name, { clusters }] of Object.entries(known)) add(name, clusters);
  for (const { application, clusters } of applications) add(application.metadata.name, clusters);
  return [...targets.values()];
}

/** One plan per application that this commit has, that it should have, or that an earlier one had. */
export function planPointers(examination: Examination, standing: Standing, at: string): ApplicationPlan[] {
  const examined = new Map(examination.applications.map((one) => [one.application.metadata.name, one]));
  const refused = examination.faults.flatMap(({ application }) => application ?? []);
  const names = new Set([...Object.keys(standing.known), ...examined.keys(), ...refused]);
  return [...names].sort().map((name) => {
    const planning = { name, standing, look: { sha: examination.sha, at } };
    const one = examined.get(name);
    if (one?.kind === 'failed') return failed(planning, one.faults);
    if (one?.kind === 'rendered' && examination.commit !== undefined) {
      const isHeld = examination.faults.length > 0 || !standing.isComplete;
      return followed(planning, one, examination.commit, isHeld);
    }
    const faults = faultsAbout(name, knownOf(standing.known, name)?.file, examination.faults);
    return faults.length === 0 ? gone(planning) : failed(planning, faults);
  });
}

interface Planning {
  readonly name: string;
  readonly standing: Standing;
  readonly look: Look;
}

/** Why an application that was there is not: the faults that name it or its file, else all of them. */
function faultsAbout(name: string, file: string | undefined, faults: Source['faults']): readonly Fault[] {
  const own = faults.filter((fault) => fault.application === name || fault.file === file);
  return own.length > 0 ? own : faults;
}

function followed(
  planning: Planning,
  examined: Extract<Examined, { kind: 'rendered' }>,
  commit: Commit,
  isHeld: boolean,
): ApplicationPlan {
  const { name, standing, look } = planning;
  const { application, file, clusters, produced } = examined;
  const rivals = clusters.flatMap((cluster) => rivalFault(planning, cluster, file));
  if (rivals.length > 0) return failed(planning, rivals);
  const before = knownOf(standing.known, name)?.clusters ?? [];
  const dropped = before.filter((cluster) => !clusters.includes(cluster));
  const settings = settingsOf(application);
  const pointers = [...produced].flatMap(([cluster, { snapshot, objects }]) => {
    const target = { cluster, application: name };
    const { ref } = standing;
    const wanted = { target, commit, ref, at: look.at, snapshot, objects, settings };
    return presentPointer(standing.pointers.get(targetKey(target)), wanted) ?? [];
  });
  const left = isHeld
    ? []
    : ownPointers(planning, dropped).flatMap((pointer) => gonePointer(pointer, look) ?? []);
  return {
    name,
    verdict: 'followed',
    clusters,
    pointers: [...pointers, ...left],
    faults: [],
    known: {
      file,
      ...(examined.stages && { stages: examined.stages }),
      clusters: [...clusters, ...(isHeld ? dropped : pinnedAmong(planning, dropped))],
    },
  };
}

/** The first repository that defined a name keeps it, until it lets go or leaves the installation. */
function rivalFault({ name, standing }: Planning, cluster: string, file: string): Fault[] {
  const pointer = standing.pointers.get(targetKey({ cluster, application: name }));
  if (pointer === undefined || pointer.state === 'gone') return [];
  const { environment } = pointer.settings;
  if (environment !== undefined) {
    const what = `the preview environment of pull request ${environment.pull} of the application ${environment.application}`;
    return [{ subject: file, message: `application ${name} has the name of ${what}; rename one` }];
  }
  if (pointer.repository === standing.repository) return [];
  if (!standing.repositories.includes(pointer.repository)) return [];
  const message =
    `application ${name} on cluster ${cluster} belongs to repository ${pointer.repository} and is defined in ` +
    `repository ${standing.repository} too; rename one`;
  return [{ subject: file, message }];
}

function failed(planning: Planning, faults: readonly Fault[]): ApplicationPlan {
  const { name, standing, look } = planning;
  const records = faults.map(({ subject, message }) => ({ subject, message }));
  const known = knownOf(standing.known, name);
  const clusters = known?.clusters ?? [];
  const pointers = ownPointers(planning, clusters).flatMap(
    (pointer) => failedPointer(pointer, look, records) ?? [],
  );
  const kept = known === undefined ? {} : { known };
  return { name, verdict: 'failed', clusters, pointers, faults: records, ...kept };
}

function gone(planning: Planning): ApplicationPlan {
  const { name, standing, look } = planning;
  const { file = '', clusters = [] } = knownOf(standing.known, name) ?? {};
  const pointers = ownPointers(planning, clusters).flatMap((pointer) => gonePointer(pointer, look) ?? []);
  const kept = pinnedAmong(planning, clusters);
  const known = kept.length === 0 ? {} : { known: { file, clusters: kept } };
  return { name, verdict: 'gone', clusters, pointers, faults: [], ...known };
}

/** What a person's pin keeps though Git has given it up: a later look must find it again, or it would never become a tombstone. */
function pinnedAmong(planning: Planning, clusters: readonly string[]): string[] {
  const now = millisecondsOf(planning.look.at);
  return ownPointers(planning, clusters)
    .filter((pointer) => pointer.state === 'present' && isHeldByPerson(pointer, now))
    .map(({ target }) => target.cluster);
}

function ownPointers({ name, standing }: Planning, clusters: readonly string[]): DesiredPointer[] {
  return clusters.flatMap((cluster) => {
    const pointer = standing.pointers.get(targetKey({ cluster, application: name }));
    return pointer?.repository === standing.repository ? [pointer] : [];
  });
}
