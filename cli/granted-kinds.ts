import { keys, prefixes } from '../core/contract/keys.ts';
import { commonKinds, type GrantedKind, type Grants } from '../core/contract/rbac.ts';
import { readDocument } from '../core/documents.ts';
import { askedDocumentSchema } from '../core/model/asked.ts';
import { desiredPointerSchema } from '../core/model/desired.ts';
import { inventorySchema } from '../core/model/inventory.ts';
import { groupOf } from '../core/model/object.ts';
import type { ApiResource, Store } from '../core/ports.ts';
import { decodeSnapshot } from '../core/snapshot.ts';
import { targetOf } from './targets.ts';

/** What the applications of a cluster need there, and kinds of theirs that it does not serve yet. */
export interface Needed {
  readonly grants: Grants;
  readonly unserved: readonly string[];
  /** Whose kinds these are: the cluster's own, those of the whole installation, or merely common ones. */
  readonly of: 'cluster' | 'installation' | 'nobody';
}

interface KindName {
  readonly group: string;
  readonly kind: string;
}

/** Out of the records: snapshots, what was applied and may have to be pruned, and what charts look up. */
export async function neededOn(
  store: Store,
  cluster: string,
  served: readonly ApiResource[],
): Promise<Needed> {
  const all = await Array.fromAsync(store.list(prefixes.desired), targetOf);
  const own = all.filter((target) => target.cluster === cluster);
  const targets = own.length > 0 ? own : all;
  if (targets.length === 0) return { grants: { kinds: commonKinds }, unserved: [], of: 'nobody' };
  const kinds = new Map<string, GrantedKind>();
  const unserved = new Set<string>();
  const identities: { user: string; groups: readonly string[] }[] = [];
  const note = (name: KindName): void => {
    const found = served.find(({ group, kind }) => group === name.group && kind === name.kind);
    if (found === undefined) unserved.add(`${name.kind}${name.group === '' ? '' : `.${name.group}`}`);
    else kinds.set(`${found.plural}.${found.group}`, { group: found.group, plural: found.plural });
  };
  for (const target of targets) {
    const pointer = (await readDocument(store, keys.desired(target), desiredPointerSchema))?.value;
    const inventory = (await readDocument(store, keys.inventory(target), inventorySchema))?.value;
    for (const { ref } of Object.values(inventory?.entries ?? {})) note(ref);
    if (pointer === undefined || pointer.state === 'gone') continue;
    if (pointer.settings.impersonate !== undefined) identities.push(pointer.settings.impersonate);
    const stored = await store.get(keys.snapshot(target.application, pointer.snapshot));
    const objects = stored === undefined ? [] : decodeSnapshot(pointer.snapshot, stored.text).objects;
    for (const { apiVersion, kind } of objects) note({ group: groupOf(apiVersion), kind });
  }
  const readOnly = await lookedUpOn(store, cluster, served);
  const impersonated =
    identities.length === 0
      ? undefined
      : { users: identities.map(({ user }) => user), groups: identities.flatMap(({ groups }) => groups) };
  const grants = { kinds: [...kinds.values()], readOnly, ...(impersonated && { impersonated }) };
  return { grants, unserved: [...unserved].sort(), of: own.length > 0 ? 'cluster' : 'installation' };
}

async function lookedUpOn(
  store: Store,
  cluster: string,
  served: readonly ApiResource[],
): Promise<readonly GrantedKind[]> {
  const found: GrantedKind[] = [];
  for await (const key of store.list(keys.askedOfCluster(cluster))) {
    const asked = (await readDocument(store, key, askedDocumentSchema))?.value;
    for (const { lookups } of Object.values(asked?.applications ?? {})) {
      for (const { apiVersion, kind } of lookups?.lookups ?? []) {
        const resource = served.find((each) => each.group === groupOf(apiVersion) && each.kind === kind);
        if (resource !== undefined) found.push({ group: resource.group, plural: resource.plural });
      }
    }
  }
  return found;
}
