import { Blocked } from '../errors.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { describeRef, refKey, refOf, type ObjectRef } from '../model/object.ts';
import type { ApiResource, Cluster } from '../ports.ts';
import type { Neighbour, Neighbours } from './neighbours.ts';

interface Surroundings {
  readonly neighbours: Neighbours;
  readonly others: readonly Neighbour[];
  readonly served: readonly ApiResource[];
  /** Undefined when a person has agreed to the loss: what nobody manages is not looked for then. */
  readonly cluster: Cluster | undefined;
  /** Keys of what goes in the same run. */
  readonly going: ReadonlySet<string>;
}

/**
 * What else would go with the Namespaces and definitions among these: objects that other applications have or desire,
 * and, of the kind of a definition, objects that nobody here manages. By object key, in words.
 */
export async function foreignContents(
  entries: readonly InventoryEntry[],
  surroundings: Surroundings,
): Promise<ReadonlyMap<string, string>> {
  const vessels = entries.filter(({ ref }) => isNamespace(ref) || isDefinition(ref));
  if (vessels.length === 0) return new Map();
  const inventories = await surroundings.neighbours.inventories();
  const had = inventories.flatMap(({ target, entries: theirs }) =>
    Object.values(theirs).map((entry) => ({ ...entry, application: target.application })),
  );
  const found = new Map<string, string>();
  for (const { ref } of vessels) {
    const entry = had.find((one) => isInside(one.ref, one.plural, ref));
    const text =
      entry === undefined
        ? (wishedIn(ref, surroundings) ?? (await unmanagedIn(ref, surroundings)))
        : `${describeRef(entry.ref)} of the application ${entry.application}`;
    if (text !== undefined) found.set(refKey(ref), text);
  }
  return found;
}

function isNamespace({ group, kind }: ObjectRef): boolean {
  return group === '' && kind === 'Namespace';
}

function isDefinition({ group, kind }: ObjectRef): boolean {
  return group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition';
}

function isInside(inner: ObjectRef, plural: string | undefined, outer: ObjectRef): boolean {
  return isNamespace(outer) ? inner.namespace === outer.name : `${plural}.${inner.group}` === outer.name;
}

function wishedIn(outer: ObjectRef, { others, served }: Surroundings): string | undefined {
  for (const { application, wishes } of others) {
    for (const { ref } of wishes.values()) {
      const resource = served.find(({ group, kind }) => group === ref.group && kind === ref.kind);
      // A wish of unknown scope is there under both, and in no namespace for certain.
      const isPlaced = resource !== undefined && resource.namespaced === (ref.namespace !== undefined);
      if (isPlaced && isInside(ref, resource.plural, outer)) {
        return `${describeRef(ref)}, which the application ${application} desires`;
      }
    }
  }
  return undefined;
}

async function unmanagedIn(
  { group, kind, name }: ObjectRef,
  { served, cluster, going }: Surroundings,
): Promise<string | undefined> {
  if (cluster === undefined || !isDefinition({ group, kind, name })) return undefined;
  const resource = served.find(
    (each) => `${each.plural}.${each.group}` === name && each.verbs.includes('list'),
  );
  if (resource === undefined) return undefined;
  try {
    const { items } = await cluster.list(resource, '', { metadataOnly: true });
    const [first, ...more] = items.map(refOf).filter((ref) => !going.has(refKey(ref)));
    if (first === undefined) return undefined;
    return `${describeRef(first)}${more.length === 0 ? '' : ` and ${more.length} more`}, which nobody here manages`;
  } catch (error) {
    if (!(error instanceof Blocked)) throw error;
    return `objects of its kind, which cannot be listed: ${error.message}`;
  }
}
