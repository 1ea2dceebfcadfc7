import type { RepositoryConfig, StackConfig } from '../contract/config.ts';
import { keys } from '../contract/keys.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { readDocument } from '../documents.ts';
import { readHolds, whyHeld, type Holds } from '../holds.ts';
import { inBatches } from '../in-batches.ts';
import { clusterCheckSchema, type ClusterCheck } from '../model/check.ts';
import {
  desiredPointerSchema,
  repositoryStateSchema,
  type DesiredPointer,
  type RepositoryState,
} from '../model/desired.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import { reportSchema, type Look, type Report, type TargetReport } from '../model/report.ts';
import { targetKey, type Target } from '../model/target.ts';
import type { Clock, Store } from '../ports.ts';
import type { Seen } from './next-report.ts';
import { reportTarget } from './report-target.ts';

export interface SeeDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** With all clusters there are. */
  readonly config: Pick<StackConfig, 'clusters' | 'freeze'>;
}

const requestsAtATime = 16;
/** Runs and sweeps tell of what they did a moment before they write it down. */
const looks = 4;
const lookAgainMs = 1000;

/**
 * What the records of a repository say now, of one commit as a whole: read again where its state moved meanwhile, or a record
 * is older than the event that told of it. Undefined where there is nothing to tell, or a commit is about to move pointers,
 * which ends with an event of its own.
 */
export async function seeTargets(
  deps: SeeDeps,
  repository: RepositoryConfig,
  before: Report,
  look: Look,
): Promise<Seen | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const state = await readState(deps.store, repository);
    if (state === undefined) return undefined;
    const reading = new Reading(deps, repository, { before, look, state });
    const targets = await reading.targets();
    const after = await readState(deps.store, repository);
    if (after === undefined) return undefined;
    const isWhole = after.seq === state.seq;
    if (isWhole && (attempt >= looks || !reading.isLate)) return { state, targets };
    if (!isWhole && attempt >= looks * 2) return undefined;
    if (isWhole) await deps.clock.sleep(lookAgainMs);
  }
}

/** Undefined while its pointers are of two commits, and where no commit was read. */
async function readState(store: Store, repository: RepositoryConfig): Promise<RepositoryState | undefined> {
  const key = keys.repository(repository.name, trackedRef(repository));
  const state = (await readDocument(store, key, repositoryStateSchema))?.value;
  const isTold =
    state?.moving === undefined && state?.refused === undefined && !/^0+$/.test(state?.head.sha ?? '0');
  return isTold ? state : undefined;
}

/** Whether the host was told all there is, and nothing is open: the schedule need not look. */
export async function isAllTold(store: Store, repository: RepositoryConfig): Promise<boolean> {
  const report = (await readDocument(store, keys.report(repository.name), reportSchema))?.value;
  if (report === undefined || report.asked !== undefined || report.older.length > 0) return false;
  const isFinal = Object.values(report.told).every(
    ({ state, unsure }) => state === 'success' && unsure !== true,
  );
  if (!isFinal || Object.values(report.targets).some(isOpen)) return false;
  return (await readState(store, repository))?.head.sha === report.sha;
}

interface Basis {
  readonly before: Report;
  readonly look: Look;
  readonly state: RepositoryState;
}

/** One reading of the records of a repository. */
class Reading {
  readonly #deps: SeeDeps;
  readonly #repository: RepositoryConfig;
  readonly #basis: Basis;
  readonly #checks = new Map<string, Promise<ClusterCheck | undefined>>();
  readonly #holds = new Map<string, Promise<Holds>>();
  /** A record is older than the event that told of it. */
  isLate = false;

  constructor(deps: SeeDeps, repository: RepositoryConfig, basis: Basis) {
    this.#deps = deps;
    this.#repository = repository;
    this.#basis = basis;
  }

  async targets(): Promise<Readonly<Record<string, TargetReport>>> {
    const { before, look, state } = this.#basis;
    const known = new Map<string, Target>();
    for (const [application, { clusters }] of Object.entries(state.applications))
      for (const cluster of clusters)
        known.set(targetKey({ cluster, application }), { cluster, application });
    const present = new Set(known.keys());
    // What Git gave up is told of until it is gone.
    for (const key of Object.keys(before.targets)) known.set(key, targetOfKey(key));
    const isAll = look.scope === 'all' || before.sha !== state.head.sha;
    const isLookedAt = (key: string): boolean =>
      isAll ||
      Object.hasOwn(look.targets, key) ||
      !Object.hasOwn(before.targets, key) ||
      (look.scope === 'open' && isOpen(before.targets[key]));
    const read = await inBatches([...known], requestsAtATime, async ([key, target]) => {
      const report = isLookedAt(key) ? await this.#report(target, present.has(key)) : before.targets[key];
      return report === undefined ? [] : [[key, report] as const];
    });
    return Object.fromEntries(read.flat());
  }

  async #report(target: Target, isPresent: boolean): Promise<TargetReport | undefined> {
    const { store, clock } = this.#deps;
    const { before: all, look, state } = this.#basis;
    const key = targetKey(target);
    const before = all.targets[key];
    const pointer = (await readDocument(store, keys.desired(target), desiredPointerSchema))?.value;
    const isOurs = pointer === undefined ? isPresent : pointer.repository === this.#repository.name;
    if (!isOurs || (!isPresent && pointer?.state !== 'gone')) return undefined;
    const basis = { sha: state.head.sha, now: clock.now(), before };
    const at = look.targets[key];
    const isSettled = before?.state === 'success' && before.revision === pointer?.revision;
    if (isSettled && at === undefined) return settled(before, reportTarget({ pointer }, basis));
    const inventory = (await readDocument(store, keys.inventory(target), inventorySchema))?.value;
    const check = await this.#check(target.cluster);
    if (at !== undefined && newest(inventory, check) < at) this.isLate = true;
    const held = pointer && (await this.#held(pointer, inventory));
    return reportTarget({ pointer, inventory, check: check?.targets[target.application], held }, basis);
  }

  /** One small document for all targets of a cluster. */
  async #check(cluster: string): Promise<ClusterCheck | undefined> {
    const read = this.#checks.get(cluster) ?? this.#readCheck(cluster);
    this.#checks.set(cluster, read);
    return read;
  }

  async #readCheck(cluster: string): Promise<ClusterCheck | undefined> {
    return (await readDocument(this.#deps.store, keys.check(cluster), clusterCheckSchema))?.value;
  }

  async #held(pointer: DesiredPointer, inventory: Inventory | undefined): Promise<string | undefined> {
    if (inventory?.applied?.revision === pointer.revision) return undefined;
    const { cluster } = pointer.target;
    const holds = this.#holds.get(cluster) ?? readHolds(this.#deps, cluster);
    this.#holds.set(cluster, holds);
    return whyHeld('push', pointer, await holds, this.#deps.clock.now());
  }
}

function isOpen(report: TargetReport | undefined): boolean {
  return report?.state !== 'success' || report.instead !== undefined;
}

/** Of a revision that was healthy: how it stands to the commit that is told of may be another, and nothing else. */
function settled(before: TargetReport, now: TargetReport | undefined): TargetReport {
  const { own: _, instead: __, ...health } = before;
  const { own, instead } = now ?? {};
  return { ...health, ...(own && { own }), ...(instead && { instead }) };
}

function newest(inventory: Inventory | undefined, check: ClusterCheck | undefined): string {
  const times = [inventory?.lastRun?.at, inventory?.health?.at, check?.at];
  return (
    times
      .filter((at) => at !== undefined)
      .toSorted()
      .at(-1) ?? ''
  );
}

function targetOfKey(key: string): Target {
  const slash = key.indexOf('/');
  return { cluster: key.slice(0, slash), application: key.slice(slash + 1) };
}
