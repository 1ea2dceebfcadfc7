import { InventoryIndex } from './audit/inventory-index.ts';
import { keepWrites } from './audit/kept-writes.ts';
import { readBatch } from './audit/log-batch.ts';
import type { StackConfig } from './contract/config.ts';
import { inBatches } from './in-batches.ts';
import type { Clock, Queues, Store } from './ports.ts';

export { InventoryIndex };

export interface AuditDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly queues: Pick<Queues, 'sweep'>;
  readonly config: Pick<StackConfig, 'clusters'>;
  readonly index: InventoryIndex;
}

/** What came of a batch of log lines. */
export interface AuditOutcome {
  readonly cluster: string | undefined;
  readonly lines: number;
  readonly unreadable: number;
  /** Lines that tell of a write by others. */
  readonly writes: number;
  /** Targets that have what was written to. */
  readonly targets: number;
  /** Checks that were asked for; fewer than targets in a burst. */
  readonly asked: number;
}

const targetsAtOnce = 8;

/**
 * Takes a batch of lines of an audit log (issue 6): keeps who wrote what for each target that has it, and asks for a check
 * of just these objects. Duplicates and lines that concern nobody come to nothing.
 */
export async function followAudit(payload: unknown, deps: AuditDeps): Promise<AuditOutcome> {
  const { cluster, lines, unreadable, writes } = readBatch(payload, deps.config);
  const found = { cluster, lines, unreadable, writes: writes.length };
  if (cluster === undefined || writes.length === 0) return { ...found, targets: 0, asked: 0 };
  const met = [...(await deps.index.met(cluster, writes))];
  const asked = await inBatches(met, targetsAtOnce, async ([application, own]) => {
    const due = await keepWrites(deps, { cluster, application }, own);
    if (due === undefined) return 0;
    await deps.queues.sweep(
      { version: 1, scope: 'target', cluster, application, requestedBy: 'audit', tries: 0 },
      due,
    );
    return 1;
  });
  return { ...found, targets: met.length, asked: asked.reduce<number>((sum, one) => sum + one, 0) };
}
