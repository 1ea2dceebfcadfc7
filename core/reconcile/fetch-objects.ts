import { labels } from '../contract/kubernetes.ts';
import { Blocked } from '../errors.ts';
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

/** Absent objects are in `found`, as undefined; those that we may not read are in `forbidden`, with the server's word. */
export interface Observed {
  readonly found: ReadonlyMap<string, LiveObject | undefined>;
  readonly forbidden: ReadonlyMap<string, Blocked>;
}

/**
 * Reads objects, by a list per kind where many of ours are sought and one by one where not; what a list does not have
 * is read by its name before it counts as absent. A kind that we may not read concerns its own objects alone. Objects
 * that are `presumed` absent, by their keys, are not looked for.
 */
export async function observeObjects(
  cluster: Cluster,
  application: string,
  sought: readonly Sought[],
  {
    metadataOnly,
    presumed = new Set(),
  }: { readonly metadataOnly: boolean; readonly presumed?: ReadonlySet<string> },
): Promise<Observed> {
  const resources = await cluster.resources();
  const found = new Map<string, LiveObject | undefined>([...presumed].map((key) => [key, undefined]));
  const kinds = Map.groupBy(sought, ({ address }) => `${address.apiVersion} ${address.plural}`);
  await inBatches([...kinds.values()], atOnce, async (objects) => {
    const resource = resourceOf(resources, objects[0]);
    const listable = resource?.verbs.includes('list') === true;
    if (!listable || objects.filter(({ ours }) => ours).length <= readSingly) return;
    const selector = `${labels.application}=${application}`;
    // Rights may allow a get in some namespaces and no list of all of them.
    const list = await orRefusal(cluster.list(resource, selector, { metadataOnly }));
    if (list instanceof Blocked) return;
    for (const live of list.items) found.set(refKey(refOf(live)), live);
  });
  const forbidden = new Map<string, Blocked>();
  /** By kind and namespace, which is how rights are given: one refusal answers for the others. */
  const refusals = new Map<string, Blocked>();
  const unseen = sought.filter(({ key }) => !found.has(key));
  await inBatches(unseen, atOnce, async ({ key, address }) => {
    const place = `${address.apiVersion} ${address.plural} ${address.namespace ?? ''}`;
    const live = refusals.get(place) ?? (await orRefusal(cluster.get(address)));
    if (live instanceof Blocked) {
      refusals.set(place, live);
      forbidden.set(key, live);
    } else found.set(key, live);
  });
  return { found, forbidden };
}

/** Credentials that are not accepted at all show when the kinds are read, before any object. */
async function orRefusal<T>(answer: Promise<T>): Promise<T | Blocked> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Blocked) return error;
    throw error;
  }
}

function resourceOf(resources: readonly ApiResource[], sought: Sought | undefined): ApiResource | undefined {
  return resources.find(
    ({ group, version, plural }) =>
      plural === sought?.address.plural &&
      sought.address.apiVersion === (group === '' ? version : `${group}/${version}`),
  );
}
