import { labels } from '../contract/kubernetes.ts';
import { inBatches } from '../in-batches.ts';
import { refKey, refOf, type LiveObject, type ObjectRef } from '../model/object.ts';
import type { ApiResource, Cluster, ObjectAddress } from '../ports.ts';

const atOnce = 8;
/** Up to so many objects of a kind are read one by one; more are listed by our label. */
const readSingly = 3;

/** An object to look for. `ours`: it carries our label, if nobody took it off. */
export interface Sought {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly address: ObjectAddress;
  readonly ours: boolean;
}

/**
 * Reads objects, by a list per kind where many of ours are sought and one by one where not; what a list does not have
 * is read by its name before it counts as absent. Absent objects are in the answer, as undefined.
 */
export async function fetchObjects(
  cluster: Cluster,
  application: string,
  sought: readonly Sought[],
  { metadataOnly }: { readonly metadataOnly: boolean },
): Promise<ReadonlyMap<string, LiveObject | undefined>> {
  const resources = await cluster.resources();
  const found = new Map<string, LiveObject | undefined>();
  const kinds = Map.groupBy(sought, ({ address }) => `${address.apiVersion} ${address.plural}`);
  await inBatches([...kinds.values()], atOnce, async (objects) => {
    const resource = resourceOf(resources, objects[0]);
    const listable = resource?.verbs.includes('list') === true;
    if (!listable || objects.filter(({ ours }) => ours).length <= readSingly) return;
    const selector = `${labels.application}=${application}`;
    const { items } = await cluster.list(resource, selector, { metadataOnly });
    for (const live of items) {
      found.set(refKey(refOf(live)), live);
    }
  });
  const unseen = sought.filter(({ key }) => !found.has(key));
  await inBatches(unseen, atOnce, async ({ key, address }) => {
    found.set(key, await cluster.get(address));
  });
  return found;
}

function resourceOf(resources: readonly ApiResource[], sought: Sought | undefined): ApiResource | undefined {
  return resources.find(
    ({ group, version, plural }) =>
      plural === sought?.address.plural &&
      sought.address.apiVersion === (group === '' ? version : `${group}/${version}`),
  );
}
