import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import type { LiveObject } from '../model/object.ts';
import { syncCommand } from '../model/sync-command.ts';
import { isBornOfIntent } from '../plan.ts';
import { unknownText } from './claims.ts';
import type { Neighbour, Wish } from './neighbours.ts';

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
  if (inventory === undefined) return undefined;
  const { entries, target } = inventory;
  const known = Object.values(entries).find((entry) => entry.uid === uid);
  if (known !== undefined) return known;
  const intent = entries[key];
  if (intent === undefined || intent.uid !== undefined) return undefined;
  return isBornOfIntent(target.application, intent, live) ? { ...intent, uid, created: true } : undefined;
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
