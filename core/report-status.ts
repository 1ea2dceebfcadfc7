import type { CommitStatusConfig } from './contract/commit-status.ts';
import type { RepositoryConfig, StackConfig } from './contract/config.ts';
import type { EventDetail, ReportRequest, TrueupEvent } from './contract/events.ts';
import { keys } from './contract/keys.ts';
import { readDocument } from './documents.ts';
import { Retry, faultsOf } from './errors.ts';
import { readFleet } from './fleet.ts';
import type { GitHost } from './host-ports.ts';
import { desiredPointerSchema } from './model/desired.ts';
import type { Look } from './model/report.ts';
import { targetKey } from './model/target.ts';
import type { Clock, Ids, Store } from './ports.ts';
import { bothLooks, nothingToLookAt } from './report/look.ts';
import { aboutToTell, nextReport, withoutSettled, withTold, type Tell } from './report/next-report.ts';
import { isAllTold, seeTargets } from './report/see-targets.ts';
import { tellHost } from './report/tell-host.ts';
import { takeTurn, type Turn } from './report/turn.ts';

export interface ReportDeps {
  readonly store: Store;
  readonly host: Pick<GitHost, 'status' | 'deployment'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly config: Pick<StackConfig, 'fleet' | 'repositories' | 'clusters' | 'discovery' | 'freeze'>;
  /** No call to a host begins after it, in milliseconds since the epoch. */
  readonly deadline: number;
}

type TellingEvent = Extract<
  TrueupEvent,
  { readonly type: 'CommitExamined' | 'ReconcileFinished' | 'HealthChanged' }
>;
export type ReportMessage = TellingEvent | ReportRequest;

/** What came of it for one repository. */
export interface ReportOutcome {
  readonly repository: string;
  readonly told: number;
  /** Why the host was not told, where the schedule asks again anyway. */
  readonly fault?: string;
}

type Telling = RepositoryConfig & { readonly status: CommitStatusConfig };

/**
 * Tells Git hosts what became of commits: a status for each cluster, one of the render, and deployments. Messages are hints
 * only; all that is told comes of the records as they are now, so that doubled and late ones change nothing. Those that came
 * together are told of together. What is wrong with one repository holds up no other; it is thrown at the end.
 */
export async function reportStatus(
  messages: readonly ReportMessage[],
  deps: ReportDeps,
): Promise<readonly ReportOutcome[]> {
  const looks = await looksOf(messages, deps);
  const outcomes: ReportOutcome[] = [];
  const failures: Error[] = [];
  for (const repository of deps.config.repositories.filter(isTelling)) {
    const look = looks.get(repository.name);
    if (look === undefined) continue;
    try {
      outcomes.push({ repository: repository.name, told: await report(repository, look, deps) });
    } catch (error) {
      if (!(error instanceof Retry) && faultsOf(error) === undefined) throw error;
      if (!(error instanceof Error)) throw error;
      // A schedule that came in vain is no lost message.
      if (isOfSchedule(look)) outcomes.push({ repository: repository.name, told: 0, fault: error.message });
      else failures.push(error);
    }
  }
  const first = failures.find((error) => error instanceof Retry) ?? failures[0];
  if (first !== undefined) throw first;
  return outcomes;
}

function isTelling(repository: RepositoryConfig): repository is Telling {
  return repository.status !== undefined;
}

function isOfSchedule({ scope, targets }: Look): boolean {
  return scope === 'open' && Object.keys(targets).length === 0;
}

/** What each repository is to look at, by its name. */
async function looksOf(
  messages: readonly ReportMessage[],
  { store, config }: ReportDeps,
): Promise<ReadonlyMap<string, Look>> {
  const looks = new Map<string, Look>();
  const add = (repository: string, look: Look): void => {
    looks.set(repository, bothLooks(looks.get(repository) ?? nothingToLookAt, look));
  };
  for (const message of messages) {
    if ('report' in message) {
      for (const { name } of config.repositories) add(name, { scope: 'open', targets: {} });
    } else if (message.type === 'CommitExamined') {
      add(message.detail.repository, { scope: 'all', targets: {} });
    } else {
      const repository = await repositoryOf(message.detail, store);
      const targets = { [targetKey(message.detail.target)]: message.detail.at };
      if (repository !== undefined) add(repository, { scope: 'named', targets });
    }
  }
  return looks;
}

async function repositoryOf(
  { target }: Pick<EventDetail<'HealthChanged'>, 'target'>,
  store: Store,
): Promise<string | undefined> {
  return (await readDocument(store, keys.desired(target), desiredPointerSchema))?.value.repository;
}

/** How many lines the host was told. */
async function report(repository: Telling, look: Look, deps: ReportDeps): Promise<number> {
  if (isOfSchedule(look) && (await isAllTold(deps.store, repository))) return 0;
  const turn = await takeTurn(deps, repository.name, look);
  return turn === undefined ? 0 : whileAsked(repository, turn, deps);
}

async function whileAsked(repository: Telling, turn: Turn, deps: ReportDeps): Promise<number> {
  const { clusters } = await readFleet(deps);
  const labels = new Map(clusters.map((cluster) => [cluster.name, cluster.labels]));
  const basis = { status: repository.status, labels };
  const reading = { ...deps, config: { ...deps.config, clusters } };
  let told = 0;
  let { report: current } = turn;
  try {
    do {
      const seen = await seeTargets(reading, repository, current, turn.look);
      if (seen === undefined) continue;
      const now = deps.clock.now();
      const { report: next, tells } = nextReport(current, seen, basis, now);
      current = aboutToTell(next, tells, now);
      // Intent before effect.
      if (tells.length > 0) await turn.note(current);
      for (const tell of tells) {
        await tellInTime(repository, tell, deps);
        current = withTold(current, tell, deps.clock.now());
        told += 1;
      }
      current = withoutSettled(current);
    } while (!(await turn.end(current)));
  } catch (error) {
    await turn.leave(current);
    throw error;
  }
  return told;
}

async function tellInTime(repository: Telling, tell: Tell, deps: ReportDeps): Promise<void> {
  if (deps.clock.now() >= deps.deadline) {
    const message = 'there was no time left to tell its Git host all of it; it is gone on with';
    throw new Retry({ subject: `repository ${repository.name}`, message });
  }
  await tellHost(repository, tell, { ...deps, fleet: deps.config.fleet, status: repository.status });
}
