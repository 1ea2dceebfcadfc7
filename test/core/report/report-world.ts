import type { StackConfigInput } from '../../../core/contract/config.ts';
import type { TrueupEvent } from '../../../core/contract/events.ts';
import { keys } from '../../../core/contract/keys.ts';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { readDocument, updateDocument, writeDocument } from '../../../core/documents.ts';
import type { HealthStatus } from '../../../core/model/health.ts';
import { inventorySchema, type Inventory } from '../../../core/model/inventory.ts';
import { isoTime } from '../../../core/model/time.ts';
import type { GitHost } from '../../../core/host-ports.ts';
import type { Store } from '../../../core/ports.ts';
import { reportStatus, type ReportDeps, type ReportMessage } from '../../../core/report-status.ts';
import { CountingIds } from '../../fakes/manual-clock.ts';
import { MemoryGitHost } from '../../memory-git-host.ts';
import { ProduceWorld } from '../produce/world.ts';

type Status = NonNullable<NonNullable<StackConfigInput['repositories']>[number]['status']>;

const access = { type: 'eks', name: 'x' } as const;

export function configWith(status: Status): StackConfigInput {
  return {
    repositories: [{ name: 'fleet', url: 'https://git.example/fleet.git', tokenSecret: 'git', status }],
    clusters: [
      { name: 'dev', access, labels: { env: 'test' } },
      { name: 'prod', access, labels: { env: 'live' } },
      { name: 'prod-2', access, labels: { env: 'live' } },
    ],
  };
}

/** What a run came to. */
export interface Ran {
  readonly outcome?: NonNullable<Inventory['lastRun']>['outcome'];
  readonly message?: string;
  readonly health?: HealthStatus;
  readonly retry?: boolean;
  readonly attempt?: number;
  readonly waiting?: string;
}

/** Commits that are really followed, runs that only leave their records, and a host that is told. */
export class ReportWorld extends ProduceWorld {
  readonly host = new MemoryGitHost();
  readonly config: StackConfigInput;
  readonly #ids = new CountingIds();

  constructor(status: Status = {}) {
    super();
    this.config = configWith(status);
  }

  /** A push that is followed; its events, as they would be on the bus. */
  async commit(digit: string, content: Record<string, string>): Promise<ReportMessage[]> {
    await this.push(digit, content, { config: this.config });
    return this.bus.events.splice(0).filter(isTold);
  }

  /** Leaves the records of a run of what the pointer says now, and its event. */
  async run(application: string, ran: Ran = {}, cluster = 'prod'): Promise<ReportMessage> {
    const { outcome = 'applied', message = '', health = 'Healthy', retry = false, attempt = 1 } = ran;
    const { revision, snapshot, commit } = await this.pointer(application, cluster);
    this.clock.advance(1000);
    const at = isoTime(this.clock.now());
    const target = { cluster, application };
    const run = { runId: `run-${at}`, revision, outcome, at, message };
    await updateDocument(this.store, keys.inventory(target), inventorySchema, (before): Inventory => {
      const { waiting: _, ...rest } = before ?? {
        version: 1,
        seq: 0,
        target,
        entries: {},
        hooks: {},
        accepted: [],
      };
      const applied = { revision, snapshot, sha: commit.sha, runId: run.runId, at };
      return {
        ...rest,
        seq: rest.seq + 1,
        ...(outcome === 'applied' && { applied, health: { status: health, message, at } }),
        ...(ran.waiting !== undefined && { waiting: { revision, since: at, reason: ran.waiting } }),
        lastRun: { ...run, key: `runs/${application}`, attempt, retry },
      };
    });
    const counts = { created: 0, updated: 0, unchanged: 0, pruned: 0, failed: 0 };
    const told = { runId: run.runId, runKey: '', reason: 'push', revision, sha: commit.sha } as const;
    const detail = { version: 1, at, target, ...told, outcome, counts, health, message } as const;
    return { type: 'ReconcileFinished', detail };
  }

  /** A sweep finds the health of what is applied changed. */
  async sweep(
    application: string,
    health: HealthStatus,
    message: string,
    cluster = 'prod',
  ): Promise<ReportMessage> {
    this.clock.advance(1000);
    const at = isoTime(this.clock.now());
    const target = { cluster, application };
    const inventory = await readDocument(this.store, keys.inventory(target), inventorySchema);
    const revision = inventory?.value.applied?.revision ?? 0;
    const check = { at, sync: 'Synced', reason: '', drifted: 0, revision, health, healthMessage: message };
    const document = { version: 1, seq: 1, cluster, at, targets: { [application]: check } };
    await writeDocument(this.store, keys.check(cluster), document, 'any');
    return {
      type: 'HealthChanged',
      detail: { version: 1, at, target, from: 'Unknown', to: health, message },
    };
  }

  async tell(messages: readonly ReportMessage[], other: Partial<ReportDeps> = {}): Promise<number> {
    const outcomes = await reportStatus(messages, this.deps2(other));
    return outcomes.reduce((sum, { told }) => sum + told, 0);
  }

  deps2(
    other: Partial<ReportDeps> & { host?: Pick<GitHost, 'status' | 'deployment'>; store?: Store } = {},
  ): ReportDeps {
    const { store, host, clock } = this;
    const config = parseStackConfig(this.config);
    return { store, host, clock, ids: this.#ids, config, deadline: Infinity, ...other };
  }

  /** What stands at a commit: `prod success: 2 applications healthy`, by name. */
  at(digit: string, host = this.host): readonly string[] {
    const statuses = host.statuses.get(`fleet@${digit.repeat(40)}`);
    return [...(statuses ?? [])]
      .map(
        ([context, { state, description }]) => `${context.replace('trueup/', '')} ${state}: ${description}`,
      )
      .toSorted();
  }

  /** What the host has of environments, oldest first. */
  get environments(): readonly string[] {
    return this.host.deployments.map(
      ({ environment, sha, state, description }) =>
        `${environment} ${sha.slice(0, 1)} ${state}: ${description}`,
    );
  }
}

function isTold(event: TrueupEvent): event is Extract<ReportMessage, { type: string }> {
  return event.type === 'CommitExamined';
}
