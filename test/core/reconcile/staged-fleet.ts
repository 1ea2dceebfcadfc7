import { keys } from '../../../core/contract/keys.ts';
import { readDocument, updateDocument, writeDocument } from '../../../core/documents.ts';
import type { ClusterCheck, TargetCheck } from '../../../core/model/check.ts';
import type { RepositoryState } from '../../../core/model/desired.ts';
import { inventorySchema, type Inventory } from '../../../core/model/inventory.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { rolloutSettingsSchema, type RolloutSettings } from '../../../core/model/rollout.ts';
import type { RunReason, RunRequest } from '../../../core/model/run.ts';
import { isoTime } from '../../../core/model/time.ts';
import type { AlarmReading } from '../../../core/ports.ts';
import { promote } from '../../../core/promote.ts';
import { reconcile } from '../../../core/reconcile.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { pushTo, ReconcileWorld, type PushOptions } from './reconcile-world.ts';

const application = 'web';
const repository = 'config';
const ref = 'refs/heads/main';

type Stage = RolloutSettings['stages'][number] & { readonly clusters: readonly string[] };

/** The application `web` on several clusters in memory, with a rollout in stages. */
export class StagedFleet {
  readonly clock = new ManualClock();
  readonly stages: readonly Stage[];
  readonly alarms = new Map<string, AlarmReading>();
  readonly clusters: ReadonlyMap<string, MemoryCluster>;
  readonly #alarmNames: readonly string[];
  readonly #world: ReconcileWorld<ManualClock>;

  constructor(stages: readonly Stage[], alarmNames: readonly string[] = []) {
    this.stages = stages;
    this.#alarmNames = alarmNames;
    const names = stages.flatMap(({ clusters }) => clusters);
    this.clusters = new Map(names.map((name) => [name, new MemoryCluster(this.clock)]));
    const connect = async (name: string) => this.clusters.get(name) ?? new MemoryCluster(this.clock);
    this.#world = new ReconcileWorld(this.clock, { connect });
  }

  get world(): ReconcileWorld<ManualClock> {
    return this.#world;
  }

  get #rollout(): RolloutSettings {
    const { stages } = rolloutSettingsSchema.parse({ stages: this.stages, alarms: [] });
    return { stages, alarms: [...this.#alarmNames] };
  }

  /** What the snapshot function does: pointers of those clusters, or of all, and the state of the repository. */
  async push(
    objects: readonly KubeObject[],
    { only, ...options }: PushOptions & { readonly only?: readonly string[] } = {},
  ): Promise<void> {
    const { store, sealer, clock, namespace } = this.#world;
    const rollout = this.#rollout;
    for (const cluster of only ?? this.clusters.keys()) {
      const target = { cluster, application };
      await pushTo({ store, sealer, clock, target, namespace }, objects, { rollout, ...options });
    }
    await this.noteState();
  }

  async noteState(more: Partial<RepositoryState> = {}): Promise<void> {
    const stages = this.stages.map(({ clusters }) => [...clusters]);
    const state: RepositoryState = {
      version: 1,
      seq: 1,
      repository,
      ref,
      head: { sha: 'a'.repeat(40), at: isoTime(this.clock.now()) },
      failing: false,
      applications: { web: { file: 'web.yaml', clusters: stages.flat(), stages } },
      ...more,
    };
    await writeDocument(this.#world.store, keys.repository(repository, ref), state, 'any');
  }

  /** What a request comes to, in words. */
  async run(cluster: string, reason: RunReason = 'push', more: Partial<RunRequest> = {}): Promise<string> {
    const request = { version: 1 as const, target: { cluster, application }, reason, requestedBy: 'test' };
    const alarms = {
      read: async (names: readonly string[]) =>
        new Map([...this.alarms].filter(([name]) => names.includes(name))),
    };
    const result = await reconcile({ ...request, ...more }, { ...this.#world.deps, alarms });
    if (result.kind !== 'ran') return `${result.kind}: ${result.why}`;
    return `${result.record.outcome?.kind}: ${result.record.outcome?.message}`;
  }

  /** Everybody that a run or a look asked for, and forgets it. */
  asked(): string[] {
    const { later } = this.#world.queues;
    return later
      .splice(0)
      .map(({ request, delaySeconds }) => `${request.target.cluster} ${request.reason} in ${delaySeconds} s`);
  }

  async promote(stage?: string): Promise<string> {
    const targets = [...this.clusters.keys()].map((cluster) => ({ cluster, application }));
    const wish = { stage, by: 'ada', reason: 'looked at it' };
    return (await promote(this.#world, application, targets, wish)).promotion.stage;
  }

  async inventory(cluster: string): Promise<Inventory | undefined> {
    const key = keys.inventory({ cluster, application });
    return (await readDocument(this.#world.store, key, inventorySchema))?.value;
  }

  /** What looks at health since the run have come to. */
  async becomes(cluster: string, status: NonNullable<Inventory['health']>['status']): Promise<void> {
    const at = isoTime(this.clock.now());
    await updateDocument(
      this.#world.store,
      keys.inventory({ cluster, application }),
      inventorySchema,
      (current) =>
        current && {
          ...current,
          seq: current.seq + 1,
          health: { status, message: `is ${status}`, at, since: at },
        },
    );
  }

  /** What a sweep has noted of a cluster. */
  async swept(cluster: string, more: Partial<ClusterCheck>, check: Partial<TargetCheck> = {}): Promise<void> {
    const at = isoTime(this.clock.now());
    const revision = (await this.inventory(cluster))?.applied?.revision ?? 0;
    const health = { health: 'Healthy' as const, healthMessage: '', healthSince: at };
    const web: TargetCheck = { at, sync: 'Synced', reason: '', drifted: 0, revision, ...health, ...check };
    const document: ClusterCheck = { version: 1, seq: 1, cluster, at, targets: { web }, ...more };
    await writeDocument(this.#world.store, keys.check(cluster), document, 'any');
  }
}
