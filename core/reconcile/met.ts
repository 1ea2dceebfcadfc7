import { Retry } from '../errors.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { describeRef } from '../model/object.ts';
import { isBornOfIntent, type ApplyStep } from '../plan.ts';
import type { Cluster } from '../ports.ts';
import { holdLease, type RunContext } from './run-context.ts';

/**
 * Thrown when objects that were to be created are there: what was planned without them does not hold. Nothing was written
 * into them; what else was done is done and noted, as when a run dies, so that another plan goes on from there.
 */
export class Met extends Retry {
  readonly steps: readonly ApplyStep[];
  constructor(steps: readonly ApplyStep[]) {
    const subject = steps.map(({ desired: { ref } }) => describeRef(ref)).join(', ');
    super({ subject, message: 'came to be while it was being created; the next run judges it' });
    this.steps = steps;
  }
}

/**
 * Takes the intents of met objects back, down to what stood there `before`: not of our making, by the server's own word,
 * so none may be taken for a proof one day (rule 1). Where an answer was lost on its way it may be of our making.
 */
export async function takeBackIntents(
  context: RunContext,
  { steps }: Met,
  {
    cluster,
    before,
  }: { readonly cluster: Cluster; readonly before: Readonly<Record<string, InventoryEntry>> },
): Promise<void> {
  const { application } = context.request.target;
  const notOurs = new Set<string>();
  for (const { desired, entry } of steps) {
    await holdLease(context);
    const live = await cluster.get(desired.address);
    if (live === undefined || !isBornOfIntent(application, entry, live)) notOurs.add(desired.key);
  }
  await context.inventory.save((inventory) => {
    const kept = Object.entries(inventory.entries).filter(([key]) => !notOurs.has(key));
    const former = Object.entries(before).filter(([key]) => notOurs.has(key));
    return { ...inventory, entries: Object.fromEntries([...kept, ...former]) };
  });
}
