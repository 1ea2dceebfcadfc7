import { fieldManager, labels } from './contract/kubernetes.ts';
import { managersOf, otherOwners, ourEntry, type Owner } from './field-owners.ts';
import {
  childOf,
  childrenOf,
  describePath,
  isLeaf,
  isMember,
  nodeAt,
  valueBehind,
  type FieldPath,
  type FieldSet,
} from './field-set.ts';
import { isJsonObject, jsonEqual, type Json, type JsonObject } from './model/json.ts';
import type { KubeObject, LiveObject } from './model/object.ts';
import type { FieldFacts, Policy } from './policy.ts';

/** A desired field that is left out because it is another manager's. */
export interface YieldedField {
  readonly field: string;
  readonly manager: string;
}

/** What is sent in place of a desired object. */
export interface AdjustedDesired {
  readonly object: KubeObject;
  readonly yielded: readonly YieldedField[];
}

/**
 * The object to apply, or to dry-run, where the policy does not want every desired field to win. A field that rules
 * ignore, and one that is yielded and has another value, is left out when another manager owns it; an ignored field
 * that is ours alone is sent as it is on the cluster, since a field that only we own and do not send would vanish. A
 * field that is not on the cluster at all is sent: nobody's value is lost. Check and apply call this with the same
 * arguments, so that they agree. `heals`: applied for drift alone, so that what is only observed stays as well, gone or
 * changed; a check never says so, or that drift could not be seen. `live` must be whole, with its managedFields.
 */
export function adjustDesired(
  desired: KubeObject,
  live: LiveObject | undefined,
  policy: Policy,
  { heals = false }: { readonly heals?: boolean } = {},
): AdjustedDesired {
  const mayDiffer = policy.hasFieldRules(desired) || policy.forObject(desired).conflicts === 'yield';
  if (live === undefined || !mayDiffer) return { object: desired, yielded: [] };
  const others = otherOwners(live);
  const own = ourEntry(live);
  const yielded: YieldedField[] = [];
  const context: Context = { desired, live, policy, heals, others, yielded };
  const sets = [...others, ...(own === undefined ? [] : [own])].map(({ fields }) => fields);
  const { apiVersion, kind, metadata, ...content } = desired;
  const start = { path: [], sets, live };
  const members = adjustMembers({ ...start, desired: { metadata, ...content } }, context) ?? {};
  const meta = isJsonObject(members['metadata']) ? members['metadata'] : {};
  const object: KubeObject = { ...members, apiVersion, kind, metadata: { ...meta, name: metadata.name } };
  return { object, yielded };
}

interface Context {
  readonly desired: KubeObject;
  readonly live: LiveObject;
  readonly policy: Policy;
  readonly heals: boolean;
  readonly others: readonly Owner[];
  readonly yielded: YieldedField[];
}

/** A value both in Git and on the cluster. `sets`: the node of each field set there, as far as they reach. */
interface Place {
  readonly path: FieldPath;
  readonly desired: Json;
  readonly live: Json | undefined;
  readonly sets: readonly FieldSet[];
}

/** Gone from the cluster: sent again, save what a heal must leave gone. */
function withoutObserved(path: FieldPath, desired: Json, context: Context): Json | undefined {
  if (!context.heals) return desired;
  if (isLeft(factsOf(path, desired, undefined, context), context)) return undefined;
  if (!isJsonObject(desired)) return desired;
  const members = Object.entries(desired).flatMap(([name, value]) => {
    const kept = withoutObserved([...path, `f:${name}`], value, context);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return Object.fromEntries(members);
}

/** Whether the live value is to stay. */
function isLeft(facts: FieldFacts, { policy, desired, live, heals }: Context): boolean {
  if (policy.ignoresField(desired, live, facts)) return true;
  return heals && policy.forField(desired, live, facts).drift !== 'heal';
}

/** Without these the object would be another one, or not be found again. */
const untouchable = new Set(
  [['name'], ['namespace'], ['labels', labels.application]].map((path) => ['metadata', ...path].join('\n')),
);

/** Whether a field is always sent as Git has it, whatever rules say. */
export function isUntouchable(path: FieldPath): boolean {
  return untouchable.has(path.map((edge) => edge.slice(2)).join('\n'));
}

/** Undefined: left out. */
function adjust(place: Place, context: Context): Json | undefined {
  const { path, desired, live, sets } = place;
  if (desired === null || isUntouchable(path)) return desired;
  if (live === undefined || live === null) return withoutObserved(path, desired, context);
  // What all who own something there own as one is one value; where nobody does, the objects themselves tell.
  const isWhole = sets.length > 0 && sets.every(isLeaf);
  if (!isWhole && isJsonObject(desired) && isJsonObject(live)) {
    return adjustMembers({ ...place, desired }, context);
  }
  if (!isWhole && isList(desired)) {
    const edges = sets.flatMap(childrenOf).map(([edge]) => edge);
    if (edges.some((edge) => edge.startsWith('k:'))) return adjustItems(place, desired, edges, context);
    if (edges.length > 0) return desired;
  }
  return adjustValue(place, context);
}

function adjustMembers(
  place: Place & { readonly desired: JsonObject },
  context: Context,
): JsonObject | undefined {
  const members = Object.entries(place.desired);
  const kept = members.flatMap(([name, value]): [string, Json][] => {
    const adjusted = adjust(behind(place, `f:${name}`, value), context);
    return adjusted === undefined ? [] : [[name, adjusted]];
  });
  // An empty map would claim the map itself; its members are others'.
  return kept.length === 0 && members.length > 0 ? undefined : Object.fromEntries(kept);
}

/** Items are matched by their keys, as the server does; one that the cluster lacks is sent whole, or left gone. */
function adjustItems(
  place: Place,
  items: readonly Json[],
  edges: readonly string[],
  context: Context,
): Json | undefined {
  const keyed = edges.filter((edge) => edge.startsWith('k:'));
  const edgeOf = (item: Json): string | undefined =>
    keyed.find((edge) => valueBehind(place.desired, edge) === item);
  const kept = items.flatMap((item): Json[] => {
    const edge = edgeOf(item);
    if (!isJsonObject(item)) return [item];
    if (edge === undefined) {
      const facts = factsOf([...place.path, edgeLike(keyed, item)], item, undefined, context);
      return context.heals && isLeft(facts, context) ? [] : [item];
    }
    const adjusted = adjustItem(behind(place, edge, item), item, edge, context);
    return adjusted === undefined ? [] : [adjusted];
  });
  return kept.length === 0 && items.length > 0 ? undefined : kept;
}

/** How the server would name an item of a list by the names of others; a key that an item leaves out has a default. */
function edgeLike(others: readonly string[], item: JsonObject): string {
  const known = others.map((edge) => JSON.parse(edge.slice(2)) as JsonObject);
  const keys = Object.keys(known[0] ?? {}).map((name): [string, Json] => {
    const given = item[name] ?? known.find((other) => other[name] !== undefined)?.[name];
    return [name, given ?? null];
  });
  return `k:${JSON.stringify(Object.fromEntries(keys))}`;
}

/** An item keeps its keys; when nothing else is left of it, it goes if another manager has it too. */
function adjustItem(place: Place, item: JsonObject, edge: string, context: Context): Json | undefined {
  const keys = JSON.parse(edge.slice(2)) as JsonObject;
  const isKey = ([name]: readonly [string, Json]): boolean => name in keys;
  const rest = Object.fromEntries(Object.entries(item).filter((member) => !isKey(member)));
  const adjusted = adjustMembers({ ...place, desired: rest }, context);
  const isTheirs = context.others.some(({ fields }) => isMember(nodeAt(fields, place.path)));
  if (adjusted === undefined && isTheirs) return undefined;
  return { ...Object.fromEntries(Object.entries(item).filter(isKey)), ...adjusted };
}

/** A plain value, or a list or map that is owned as one. */
function adjustValue({ path, desired, live }: Place, context: Context): Json | undefined {
  const facts = factsOf(path, desired, live, context);
  const owner = facts.managers[0];
  const isIgnored = isLeft(facts, context);
  const { conflicts } = context.policy.forField(context.desired, context.live, facts);
  if (owner !== undefined && (isIgnored || (conflicts === 'yield' && !jsonEqual(desired, live)))) {
    context.yielded.push({ field: describePath(path), manager: owner });
    return undefined;
  }
  if (isIgnored && live !== undefined) return live;
  return adoptWithin({ path, desired, live }, context);
}

type Part = Omit<Place, 'sets'>;

/**
 * Ignored parts of a list or map that is owned as one, such as the weights in the routes of a VirtualService: nobody
 * can leave out a part of it, so that part is sent as it is on the cluster. `onlyBelow`: within an item that is not the
 * one on the cluster, its own plain values are those of Git; the lists and maps in it are judged by themselves.
 */
function adoptWithin(part: Part, context: Context, onlyBelow = false): Json {
  const { path, desired, live } = part;
  if (!context.policy.hasFieldRules(context.desired)) return desired;
  if (isList(desired)) return isList(live) ? adoptItems(path, desired, live, context) : desired;
  if (!isJsonObject(desired)) return desired;
  const members = Object.entries(desired).map(([name, value]) => {
    const below = { path: [...path, `f:${name}`], desired: value, live: valueBehind(live, `f:${name}`) };
    return [name, adoptPart(below, context, onlyBelow)] as const;
  });
  return Object.fromEntries(members);
}

function adoptPart(part: Part, context: Context, onlyBelow: boolean): Json {
  const { path, desired, live } = part;
  if (live === undefined) return desired;
  const isOfAnother = onlyBelow && !isList(live) && !isJsonObject(live);
  if (!isLeft(factsOf(path, desired, live, context), context)) return adoptWithin(part, context, onlyBelow);
  return isOfAnother ? desired : live;
}

/**
 * Such items have no keys: an item is the one on the cluster that equals it but for what is ignored, wherever that
 * stands, so that no item gets what belongs to another. One that Git alone changed is known by all others being in place.
 * Else the list is sent as Git has it, all of it: halves of two lists may be worse than either, as weights are.
 */
function adoptItems(
  path: FieldPath,
  desired: readonly Json[],
  live: readonly Json[],
  context: Context,
): readonly Json[] {
  if (desired.length !== live.length) return desired;
  const partAt = (index: number, found: Json | undefined): Part => {
    return { path: [...path, `i:${index}`], desired: desired[index] ?? null, live: found };
  };
  const isSame = (index: number, found: Json | undefined): boolean =>
    isSameButIgnored(partAt(index, found), desired, context);
  const changed = desired.flatMap((_, index) => (isSame(index, live[index]) ? [] : [index]));
  if (changed.length < 2) {
    const onlyBelow = changed.length === 1;
    return desired.map((_, index) => adoptPart(partAt(index, live[index]), context, onlyBelow));
  }
  const partners = desired.map((_, index) => live.filter((found) => isSame(index, found)));
  const isMoved =
    partners.every(({ length }) => length === 1) && new Set(partners.flat()).size === live.length;
  return isMoved
    ? desired.map((_, index) => adoptPart(partAt(index, partners[index]?.[0]), context, false))
    : desired;
}

/**
 * Whether a value of Git is that of the cluster but for what is ignored and for defaults of the server. `peers`: what Git
 * has at the same place in all items of the list; what none of them names is a default.
 */
function isSameButIgnored(part: Part, peers: readonly Json[], context: Context): boolean {
  const { path, desired, live } = part;
  if (isLeft(factsOf(path, desired, live, context), context)) return true;
  if (isList(desired) && isList(live)) {
    if (desired.length !== live.length) return false;
    return desired.every((item, index) =>
      isSameButIgnored({ path: [...path, `i:${index}`], desired: item, live: live[index] }, desired, context),
    );
  }
  if (!isJsonObject(desired) || !isJsonObject(live)) return jsonEqual(desired, live ?? null);
  return [...new Set([...Object.keys(desired), ...Object.keys(live)])].every((name) => {
    const among = peers.flatMap((peer) => valueBehind(peer, `f:${name}`) ?? []);
    const value = desired[name];
    if (value === undefined && among.length === 0) return true;
    const below = { path: [...path, `f:${name}`], desired: value ?? null, live: live[name] };
    return isSameButIgnored(below, among, context);
  });
}

function factsOf(path: FieldPath, desired: Json, live: Json | undefined, { others }: Context): FieldFacts {
  const managers = managersOf(others, path).filter((manager) => manager !== fieldManager);
  return { path, desired, live, managers };
}

function behind({ path, live, sets }: Place, edge: string, desired: Json): Place {
  const below = sets.map((set) => childOf(set, edge)).filter((set) => set !== undefined);
  return { path: [...path, edge], desired, live: valueBehind(live, edge), sets: below };
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
