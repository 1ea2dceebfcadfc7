import { keys } from './contract/keys.ts';
import { updateDocument, readDocument } from './documents.ts';
import { acceptEpisodes, readEpisodes, type EpisodeDeps } from './episodes.ts';
import { Stop } from './errors.ts';
import { inventorySchema } from './model/inventory.ts';
import { driftRecordSchema, type FieldDrift, type ObjectDrift } from './model/drift.ts';
import { jsonEqual } from './model/json.ts';
import { describeRef, refKey, type ObjectRef } from './model/object.ts';
import type { AcceptedRule, Rule } from './model/rule.ts';
import { targetKey, type Target } from './model/target.ts';
import { isoTime } from './model/time.ts';
import { literal } from './policy.ts';

/** Which drift a person accepts, and why. Left out: every object with open drift, and every field of it. */
export interface Acceptance {
  /** As records have it: who accepts. */
  readonly by: string;
  readonly reason: string;
  /** Key (`refKey`) of one object, or its text (`describeRef`). */
  readonly object?: string | undefined;
  /** Path or JSON pointer of one field, as a drift record tells it. */
  readonly field?: string | undefined;
}

/**
 * The narrowest rule that makes a drift none: exactly this object, and exactly the fields that differ, list items by
 * their keys. What is missing or in no inventory can only be ignored as a whole.
 */
export function narrowestRule(
  drift: ObjectDrift,
  {
    reason,
    fields = drift.fields,
  }: { readonly reason?: string; readonly fields?: readonly FieldDrift[] } = {},
): Rule {
  const pointers = [...new Set(fields.map(pointerIn))].sort();
  return {
    match: exactly(drift.ref),
    ...(drift.kind === 'fields' && { fields: pointers }),
    drift: 'ignore',
    ...(reason !== undefined && { reason }),
  };
}

/**
 * Accepts open drift of a target: its rules go into the inventory, after those of the Application, and its episodes end
 * as accepted. An object of which only one field is accepted keeps its episode for the others. Gives the rules, so that
 * they can be written into Git. Throws Stop when there is no such drift.
 */
export async function acceptDrift(
  deps: EpisodeDeps,
  target: Target,
  { by, reason, object, field }: Acceptance,
): Promise<readonly Rule[]> {
  const found = await driftsOf(deps, target);
  const chosen = found.flatMap(([key, drift]) => {
    if (object !== undefined && object !== key && object !== describeRef(drift.ref)) return [];
    const fields = field === undefined ? drift.fields : drift.fields.filter((each) => isNamed(each, field));
    const isNone = field !== undefined && fields.length === 0;
    return isNone ? [] : [{ key, drift, fields }];
  });
  if (chosen.length === 0) throw nothingToAccept(target, { object, field });
  const rules = chosen.map(({ drift, fields }) => narrowestRule(drift, { reason, fields }));
  await keepRules(
    deps,
    target,
    rules.map((rule) => ({ rule, by, at: isoTime(deps.clock.now()) })),
  );
  const whole = chosen.filter(({ drift, fields }) => fields.length === drift.fields.length);
  await acceptEpisodes(
    deps,
    target,
    whole.map(({ key }) => key),
  );
  return rules;
}

async function driftsOf(
  { store }: EpisodeDeps,
  target: Target,
): Promise<readonly (readonly [string, ObjectDrift])[]> {
  const open = Object.values(await readEpisodes(store, target));
  const records = await Promise.all(
    open.map(async ({ record }) => readDocument(store, record, driftRecordSchema)),
  );
  return records.flatMap((record) =>
    record === undefined ? [] : [[refKey(record.value.drift.ref), record.value.drift] as const],
  );
}

/** Fits one object and no other. */
function exactly({ group, kind, namespace, name }: ObjectRef): Rule['match'] {
  return {
    group: literal(group),
    kind: literal(kind),
    ...(namespace === undefined ? {} : { namespace: literal(namespace) }),
    name: literal(name),
  };
}

function pointerIn({ pointer, path }: FieldDrift): string {
  return pointer ?? path;
}

function isNamed(field: FieldDrift, name: string): boolean {
  return field.path === name || field.pointer === name;
}

function nothingToAccept(target: Target, { object, field }: Pick<Acceptance, 'object' | 'field'>): Stop {
  const where = [
    field === undefined ? '' : ` of the field ${field}`,
    object === undefined ? '' : ` of ${object}`,
  ];
  return new Stop({
    subject: targetKey(target),
    message: `there is no open drift${where.join('')} to accept; \`trueup drift\` tells what there is`,
  });
}

/** The same rule twice says nothing more. Nobody else changes these, whatever a run does to the entries meanwhile. */
async function keepRules(
  { store }: EpisodeDeps,
  target: Target,
  rules: readonly AcceptedRule[],
): Promise<void> {
  const key = keys.inventory(target);
  await updateDocument(store, key, inventorySchema, (inventory) => {
    if (inventory === undefined) {
      throw new Stop({ subject: targetKey(target), message: 'has no inventory: nothing was ever applied' });
    }
    const fresh = rules.filter(({ rule }) => !inventory.accepted.some((each) => jsonEqual(each.rule, rule)));
    if (fresh.length === 0) return undefined;
    return { ...inventory, seq: inventory.seq + 1, accepted: [...inventory.accepted, ...fresh] };
  });
}
