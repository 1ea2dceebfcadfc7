import { fieldManager } from '../../core/contract/kubernetes.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/model/json.ts';
import type { KubeObject, LiveObject, ManagedFieldsEntry } from '../../core/model/object.ts';
import { fieldsOf, lessFields, merge } from './object-fields.ts';

type Entry = ManagedFieldsEntry & { readonly [key: string]: Json };

/** Of our apply, or of an update by somebody else. */
export function managedEntry(
  object: KubeObject,
  {
    manager,
    time,
    fields = fieldsOf(object),
  }: { manager?: string | undefined; time: string; fields?: JsonObject },
): Entry {
  const operation = manager === undefined ? 'Apply' : 'Update';
  return {
    manager: manager ?? fieldManager,
    operation,
    apiVersion: object.apiVersion,
    time,
    fieldsV1: fields,
  };
}

export function isOurs({ manager, operation }: ManagedFieldsEntry): boolean {
  return manager === fieldManager && operation === 'Apply';
}

/** After we applied: what we changed of others' is theirs no more. */
export function appliedOver(live: LiveObject, wanted: KubeObject, entry: Entry): Entry[] {
  const others = (live.metadata.managedFields ?? []).filter((each) => !isOurs(each));
  return [...withoutFields(others, fieldsOf(wanted, live)), entry];
}

/** After somebody wrote: who changes a field has it, and there is one entry for each manager and operation. */
export function updatedBy(
  manager: string,
  live: LiveObject,
  { content, time }: { readonly content: JsonObject; readonly time: string },
): Entry[] {
  const isTheirs = (each: ManagedFieldsEntry): boolean =>
    each.manager === manager && each.operation === 'Update';
  const before = live.metadata.managedFields ?? [];
  const taken = fieldsOf(content, live);
  const others = withoutFields(
    before.filter((each) => !isTheirs(each)),
    taken,
  );
  const fields = merge(asObject(before.find(isTheirs)?.fieldsV1), taken);
  return [...others, managedEntry(live, { manager, time, fields })];
}

/** An entry that loses its last field goes. */
function withoutFields(entries: readonly Entry[], taken: JsonObject): Entry[] {
  return entries
    .map((each) => ({ ...each, fieldsV1: lessFields(asObject(each.fieldsV1), taken) }))
    .filter(({ fieldsV1 }) => Object.keys(fieldsV1).length > 0);
}

function asObject(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
