import { keys } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import type { DesiredPointer } from '../../../core/model/desired.ts';
import { inventorySchema, type Inventory } from '../../../core/model/inventory.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import type { RunReason, RunRecord, RunRequest } from '../../../core/model/run.ts';
import type { Clock } from '../../../core/ports.ts';
import { reconcile, type ReconcileDeps, type ReconcileResult } from '../../../core/reconcile.ts';
import { pushTo, type PushOptions, type ReconcileWorld } from './reconcile-world.ts';

type AdvancingClock = Clock & { advance(milliseconds: number): void };

/** Several applications on the cluster of one world, with one store and one queue. */
export class Neighbourhood<C extends AdvancingClock> {
  readonly world: ReconcileWorld<C>;
  readonly #cluster: string;

  constructor(world: ReconcileWorld<C>) {
    this.world = world;
    this.#cluster = world.target.cluster;
  }

  async push(
    application: string,
    objects: readonly KubeObject[],
    options: PushOptions = {},
  ): Promise<DesiredPointer> {
    const { store, sealer, clock, namespace } = this.world;
    const target = { cluster: this.#cluster, application };
    return pushTo({ store, sealer, clock, namespace, target }, objects, options);
  }

  async run(
    application: string,
    reason: RunReason = 'push',
    more: Partial<ReconcileDeps & RunRequest> = {},
  ): Promise<ReconcileResult> {
    const { confirmPrune, ...deps } = more;
    const target = { cluster: this.#cluster, application };
    const request: RunRequest = { version: 1, target, reason, requestedBy: 'test' };
    const confirmed = confirmPrune === undefined ? {} : { confirmPrune };
    return reconcile({ ...request, ...confirmed }, { ...this.world.deps, ...deps });
  }

  async record(...given: Parameters<Neighbourhood<C>['run']>): Promise<RunRecord> {
    const result = await this.run(...given);
    if (result.kind !== 'ran') throw new Error(`did not run: ${result.why}`);
    return result.record;
  }

  /** Delivers what the runs asked for, and what that asks for, until all is quiet; time passes as it must. */
  async settle(): Promise<void> {
    const { queues, clock } = this.world;
    for (let turn = 0; turn < 20 && queues.later.length + queues.runs.length > 0; turn += 1) {
      const now = queues.runs.splice(0);
      const later = queues.later.splice(0);
      clock.advance(Math.max(0, ...later.map(({ delaySeconds }) => delaySeconds)) * 1000);
      for (const { target, reason } of [...now, ...later.map(({ request }) => request)]) {
        await this.run(target.application, reason);
      }
    }
  }

  async inventory(application: string): Promise<Inventory | undefined> {
    const target = { cluster: this.#cluster, application };
    return (await readDocument(this.world.store, keys.inventory(target), inventorySchema))?.value;
  }

  /** `Kind name: state`, with `ours` for what may be pruned and why it is kept. */
  async entries(application: string): Promise<string[]> {
    const { entries = {} } = (await this.inventory(application)) ?? {};
    return Object.values(entries)
      .map(({ ref, state, created, adopted, kept }) =>
        [`${ref.kind} ${ref.name}: ${state}`, created || adopted ? 'ours' : '', kept?.because ?? '']
          .filter(Boolean)
          .join(' '),
      )
      .toSorted();
  }
}

/** `Kind name: action why` of the plan of a run. */
export function plannedIn({ plan }: RunRecord): string[] {
  return plan.actions.map(({ action, ref, why }) => `${ref.kind} ${ref.name}: ${action} ${why}`);
}
