import type { StackConfig } from '../contract/config.ts';
import type { RepositoryConfig } from '../contract/repository.ts';
import { faultsOf, type Fault, type Retry } from '../errors.ts';
import type { Fleet } from '../fleet.ts';
import type { DesiredPointer } from '../model/desired.ts';
import { digestOf } from '../model/digest.ts';
import { isPinExpired } from '../model/pin.ts';
import { millisecondsOf } from '../model/time.ts';
import { announceReady, unanswered } from '../produce/announce.ts';
import type { ExamineDeps } from '../produce/examine.ts';
import type { Wanted } from './decide.ts';
import { endedPointer, failedEnvironment, wantedPointer, whyTaken } from './next-pointers.ts';
import type { EnvironmentRecords } from './records.ts';
import {
  checkOutPull,
  renderEnvironment,
  type PulledCommit,
  type RenderedEnvironment,
} from './render-environment.ts';
import { holderOf, type Situation, type Work } from './work.ts';

/** What became of the environments that are wanted. */
export interface Made {
  /** By name, of those that were made: what from. */
  readonly digests: ReadonlyMap<string, string>;
  readonly faults: ReadonlyMap<string, readonly Fault[]>;
  /** The same may give more later. */
  readonly later: Retry | undefined;
  readonly moved: readonly DesiredPointer[];
}

/** Renders what changed, moves the pointers and asks for the runs. Undefined: another writer was faster. */
export async function makeEnvironments(
  work: Work,
  records: EnvironmentRecords,
  { decided, fleet }: Pick<Situation, 'decided' | 'fleet'>,
): Promise<Made | undefined> {
  const { repository, deps, reason, at } = work;
  const { deliveryId, anew = [] } = reason;
  const config = { ...deps.config, clusters: fleet.clusters };
  const digests = new Map<string, string>();
  const faults = new Map<string, readonly Fault[]>();
  const moved: DesiredPointer[] = [];
  let later: Retry | undefined;
  for (const ofPull of Map.groupBy(decided.wanted, ({ pull }) => pull.id).values()) {
    await using pulled = new Pulled(repository, { ...deps, config });
    for (const wanted of ofPull) {
      const { name } = wanted;
      const digest = madeFrom(wanted, config, fleet);
      const isSame = records.record.environments[name]?.made === digest && isFollowed(wanted, records, work);
      if (isSame && !anew.includes(name)) {
        digests.set(name, digest);
        continue;
      }
      const outcome = await makeOne(wanted, { work, records, pulled, isComplete: fleet.isComplete });
      if (outcome === undefined) return undefined;
      if (outcome.faults.length > 0) faults.set(name, outcome.faults);
      else digests.set(name, digest);
      later ??= outcome.later;
      moved.push(...outcome.moved);
      await announceReady(outcome.moved, { at, deliveryId }, deps);
    }
  }
  if (reason.isRepeated === true) await askForUnanswered(work, records, decided.wanted);
  return { digests, faults, later, moved };
}

/** Between moving a pointer and asking for its run a function can die; the message comes again then. */
async function askForUnanswered(
  { deps, reason: { deliveryId }, at }: Work,
  records: EnvironmentRecords,
  wanted: readonly Wanted[],
): Promise<void> {
  const pointers = wanted.flatMap(({ name, environment }) =>
    environment.clusters.flatMap((cluster) => records.pointer({ cluster, application: name }) ?? []),
  );
  await announceReady(await unanswered(pointers, deps.store), { at, deliveryId }, deps);
}

/** Whether every pointer of an environment is at the commit of its pull request. */
export function isFollowed(
  { name, definition, environment }: Wanted,
  records: Pick<EnvironmentRecords, 'pointer'>,
  { at }: Pick<Work, 'at'>,
): boolean {
  return definition.clusters.every((cluster) => {
    const pointer = records.pointer({ cluster, application: name });
    if (pointer === undefined || isPinExpired(pointer, millisecondsOf(at))) return false;
    return pointer.state === 'present' && pointer.examined.sha === environment.sha;
  });
}

/** Everything that an environment is made from but for the contents of its commit. */
function madeFrom(
  { definition, environment }: Wanted,
  { projects, variables }: StackConfig,
  { digest: fleet, isComplete }: Fleet,
): string {
  const { application, clusters } = definition;
  const { sha, pull } = environment;
  // An Application as it was read has its members in the order of the schema.
  const spelt = JSON.stringify({ application, projects });
  return digestOf({ spelt, clusters: [...clusters], sha, pull, variables, fleet, isComplete });
}

interface Making {
  /** A cluster that is not known may merely not be known yet. */
  readonly isComplete: boolean;
  readonly work: Work;
  readonly records: EnvironmentRecords;
  readonly pulled: Pulled;
}

type One = Pick<Made, 'moved' | 'later'> & { readonly faults: readonly Fault[] };

async function makeOne(
  wanted: Wanted,
  { work, records, pulled, isComplete }: Making,
): Promise<One | undefined> {
  const { name, environment, definition } = wanted;
  const holder = holderOf(work, environment);
  const targets = environment.clusters.map((cluster) => ({ cluster, application: name }));
  await records.readPointers(targets);
  const taken = targets.flatMap((target) => whyTaken(records.pointer(target), holder) ?? []);
  if (taken.length > 0) {
    const faults = taken.map((message) => ({ subject: `application ${name}`, message }));
    return { moved: [], later: undefined, faults };
  }
  const rendered = await pulled.render(wanted);
  const { at, reason } = work;
  const look = { sha: environment.sha, at };
  const moved: DesiredPointer[] = [];
  for (const target of targets) {
    const { cluster } = target;
    const current = records.pointer(target);
    const nextOf = (): DesiredPointer | undefined => {
      if (rendered.kind === 'failed') return failedEnvironment(current, look, rendered.faults, holder);
      if (!definition.clusters.includes(cluster))
        return isComplete ? endedPointer(current, look, holder) : undefined;
      return wantedPointer(current, cluster, wanted, { rendered, at });
    };
    const next = nextOf();
    if (next === undefined) continue;
    const isNew = next.revision !== current?.revision;
    const { trace } = reason;
    const traced = isNew && trace !== undefined ? { ...next, trace } : next;
    if (!(await records.writePointer(traced))) return undefined;
    if (isNew) moved.push(traced);
  }
  if (rendered.kind === 'rendered') return { moved, later: undefined, faults: [] };
  return { moved, later: rendered.later, faults: rendered.faults };
}

/** A pull request, checked out when the first of its environments needs it. */
class Pulled implements AsyncDisposable {
  readonly #repository: RepositoryConfig;
  readonly #deps: ExamineDeps;
  #commit: Promise<PulledCommit | undefined> | undefined;

  constructor(repository: RepositoryConfig, deps: ExamineDeps) {
    this.#repository = repository;
    this.#deps = deps;
  }

  async render(wanted: Wanted): Promise<RenderedEnvironment> {
    const { pull } = wanted;
    try {
      this.#commit ??= checkOutPull(this.#repository, wanted, this.#deps);
      const pulled = await this.#commit;
      if (pulled !== undefined) return await renderEnvironment(wanted, pulled, this.#deps);
    } catch (error) {
      const faults = faultsOf(error);
      if (faults === undefined) throw error;
      return { kind: 'failed', faults };
    }
    const message = `lost commit ${pull.head.sha.slice(0, 7)} while it was fetched; the next poll tries again`;
    return { kind: 'failed', faults: [{ subject: `pull request ${pull.id}`, message }] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever asked was told of the failure.
    const pulled = await this.#commit?.catch(() => undefined);
    await pulled?.worktree[Symbol.asyncDispose]();
  }
}
