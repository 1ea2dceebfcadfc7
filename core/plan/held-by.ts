import type { InventoryEntry } from '../model/inventory.ts';
import type { ObjectRef } from '../model/object.ts';

/** An object that stays, and the plural of its kind. */
export interface KeptObject {
  readonly ref: ObjectRef;
  readonly plural: string;
}

/** The first kept object that would go with this one: a Namespace takes its content along, a definition its instances. */
export function heldBy(
  { ref }: Pick<InventoryEntry, 'ref'>,
  kept: readonly KeptObject[],
): ObjectRef | undefined {
  if (ref.group === '' && ref.kind === 'Namespace') {
    return kept.find((other) => other.ref.namespace === ref.name)?.ref;
  }
  if (ref.group === 'apiextensions.k8s.io' && ref.kind === 'CustomResourceDefinition') {
    return kept.find((other) => `${other.plural}.${other.ref.group}` === ref.name)?.ref;
  }
  return undefined;
}
