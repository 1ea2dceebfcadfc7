import { failed, type ObjectResult } from '../apply.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import type { LiveObject, ObjectRef } from '../model/object.ts';
import { syncCommand } from '../model/sync-command.ts';
import { cameOfIntent } from '../plan.ts';
import type { ApiResource } from '../ports.ts';
import { unknownText } from './claims.ts';
import { Neighbours, type Neighbour, type Wish } from './neighbours.ts';
import type { RunContext } from './run-context.ts';

/**
 * Results in which an object that the plan saw nowhere was there already when it was applied: where another application
 * created it in the same moment, the object fails with its name. The object itself has our label by then, so only the
 * inventories tell. What the other one has lost to our apply is drift of its own.
 */
export async function refuseMet(
  { deps, request, inventory: own }: RunContext,
  results: readonly ObjectResult[],
  { served, originOf }: { readonly served: readonly ApiResource[]; readonly originOf: OriginOf },
): Promise<readonly ObjectResult[]> {
  if (!results.some(({ existed }) => existed === true)) return results;
  const neighbours = new Neighbours(deps.store, request.target, served);
  const inventories = await neighbours.inventories();
  const judged: ObjectResult[] = [];
  const refused = new Set<string>();
  for (const result of results) {
    const { key, live, existed, outcome } = result;
    const holder = existed === true && live !== undefined ? holderOf(inventories, key, live) : undefined;
    const rival =
      holder === undefined || live === undefined
        ? undefined
        : rivalIn(await neighbours.one(holder.target.application), { key, live, inventory: holder });
    if (rival === undefined) judged.push(result);
    else {
      const text = `was created in the same moment: ${rival(originOf(outcome.ref))}`;
      judged.push(failed({ key, ref: outcome.ref }, 'refused', text));
      refused.add(key);
    }
  }
  // Not of our making, by the server's own word: no intent of ours may be taken for a proof of that one day.
  if (refused.size > 0) {
    await own.save((current) => {
      const kept = Object.entries(current.entries).filter(([key]) => !refused.has(key));
      return { ...current, entries: Object.fromEntries(kept) };
    });
  }
  return judged;
}

/** File and line of a desired object, where they are known. */
type OriginOf = (ref: ObjectRef) => string | undefined;

/** The inventory that has this very object, or means to: one that was not written to the end has a mere intent. */
export function holderOf(
  inventories: readonly Inventory[],
  key: string,
  { metadata: { uid } }: LiveObject,
): Inventory | undefined {
  const has = (wanted: (entry: InventoryEntry) => boolean) =>
    inventories.find(({ entries }) => Object.values(entries).some(wanted));
  const isIntent = ({ entries }: Inventory): boolean => key in entries && entries[key]?.uid === undefined;
  return has((entry) => entry.uid === uid) ?? inventories.find(isIntent);
}

/** An object, and what the inventory of another application has of it. */
interface Held {
  readonly key: string;
  readonly live: LiveObject;
  readonly inventory: Inventory | undefined;
}

/** Why another application comes first, given the file of the own wish; undefined where it does not desire the object. */
export function rivalIn(neighbour: Neighbour, held: Held): ((own: string | undefined) => string) | undefined {
  if (neighbour.unknown !== undefined) return () => unknownText(neighbour);
  const wish = wishFor(neighbour, held.key, entryOf(held));
  return wish === undefined ? undefined : (own) => rivalText(neighbour, wish, own);
}

/** The other's entry for this very object. One that died before it noted the uid has the intent as proof (rule 1). */
export function entryOf({ live, key, inventory }: Held): InventoryEntry | undefined {
  const { uid } = live.metadata;
  const known = Object.values(inventory?.entries ?? {}).find((entry) => entry.uid === uid);
  if (known !== undefined) return known;
  const intent = inventory?.entries[key];
  if (intent === undefined || intent.uid !== undefined || !cameOfIntent(intent, live)) return undefined;
  return { ...intent, uid, created: true };
}

/** By the key, and by that under which the other has it: it may call it by another API group. */
function wishFor({ wishes }: Neighbour, key: string, entry: InventoryEntry | undefined): Wish | undefined {
  const [group = '', ...rest] = key.split('/');
  const other = entry === undefined || entry.ref.group === group ? key : [entry.ref.group, ...rest].join('/');
  return wishes.get(key) ?? wishes.get(other);
}

function rivalText({ application, pointer }: Neighbour, { origin }: Wish, own: string | undefined): string {
  const at = (file: string | undefined) => (file === undefined ? '' : ` (${file})`);
  const waits =
    pointer?.settings.sync === 'manual' ? `, or ${syncCommand({ ...pointer, application })} first` : '';
  return (
    `the application ${application} has it and desires it too${at(origin)}: one object has one application; ` +
    `take it out of that one or of this one${at(own)}${waits}`
  );
}
