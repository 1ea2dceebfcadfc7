import { fieldManager, labels } from '../contract/kubernetes.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { isJsonObject } from '../model/json.ts';
import type { LiveObject, ManagedFieldsEntry } from '../model/object.ts';
import { millisecondsOf } from '../model/time.ts';

/** The server's clock and ours may differ; its times are whole seconds. */
const skewMs = 5_000;

/**
 * Whether an object of an application is what came of an intent of it whose run died before it could note the answer
 * (rule 1). Another application may have created it since, with the same manager: ours carries our label.
 */
export function isBornOfIntent(application: string, entry: InventoryEntry, live: LiveObject): boolean {
  const owner = live.metadata.labels?.[labels.application];
  return (owner === undefined || owner === application) && cameOfIntent(entry, live);
}

/**
 * Whether an object was created since an intent was noted, and first written by us, who write into nothing that we create.
 * Without that proof a person must decide, since a yes lets us prune it one day. An object that somebody else created in
 * between is not ours.
 */
export function cameOfIntent(
  { intendedAt }: Pick<InventoryEntry, 'intendedAt'>,
  { metadata }: LiveObject,
): boolean {
  const born = metadata['creationTimestamp'];
  if (intendedAt === undefined || typeof born !== 'string') return false;
  if (millisecondsOf(born) < millisecondsOf(intendedAt) - skewMs) return false;
  const writers = (metadata.managedFields ?? []).filter(({ subresource }) => subresource === undefined);
  const own = writers.find(isOurs);
  if (own === undefined || timeOf(own) > millisecondsOf(born) + 1000) return false;
  return !writers.some((other) => other !== own && mayHaveCreated(other, own));
}

/** Whoever creates an object writes more than metadata and status, as controllers do, unless it has nothing more. */
function mayHaveCreated(other: ManagedFieldsEntry, own: ManagedFieldsEntry): boolean {
  if (timeOf(other) > timeOf(own)) return false;
  return timeOf(other) < timeOf(own) || writesContent(other) || !writesContent(own);
}

function isOurs({ manager, operation }: ManagedFieldsEntry): boolean {
  return manager === fieldManager && operation === 'Apply';
}

function timeOf({ time }: ManagedFieldsEntry): number {
  return time === undefined ? 0 : millisecondsOf(time);
}

const notContent = new Set(['f:metadata', 'f:status']);

function writesContent({ fieldsV1 }: ManagedFieldsEntry): boolean {
  return isJsonObject(fieldsV1) && Object.keys(fieldsV1).some((field) => !notContent.has(field));
}
