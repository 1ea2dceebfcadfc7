import { annotations } from './contract/kubernetes.ts';
import { Stop } from './errors.ts';
import { expressionOf, isTrue } from './expression.ts';
import { describeEdge, valueBehind, type FieldPath } from './field-set.ts';
import type { Settings } from './model/desired.ts';
import {
  conflictPolicySchema,
  driftModeSchema,
  immutablePolicySchema,
  type AcceptedRule,
  type ConflictPolicy,
  type DriftMode,
  type ImmutablePolicy,
  type Match,
  type Rule,
} from './model/rule.ts';
import { isBroken, type BrokenLoops } from './model/heals.ts';
import type { Json } from './model/json.ts';
import { describeRef, groupOf, refKey, refOf, type KubeObject } from './model/object.ts';

/** What holds for an object as a whole. */
export interface ObjectPolicy {
  readonly drift: DriftMode;
  readonly conflicts: ConflictPolicy;
  readonly immutable: ImmutablePolicy;
}

/** One field of an object: what rules may ask about it. */
export interface FieldFacts {
  readonly path: FieldPath;
  readonly desired?: Json | undefined;
  readonly live?: Json | undefined;
  /** Managers other than us that own the live value. */
  readonly managers: readonly string[];
}

/** Ends the path of a list whose items are all there in another order: a rule may name that and not the items. */
export const orderEdge = 'o:order';

export type FieldPolicy = Pick<ObjectPolicy, 'drift' | 'conflicts'>;

/**
 * How drift, conflicts and immutable fields are handled, object by object and field by field. For an object: the last
 * rule that came after Git (`later`), else its own annotation, else the last rule that fits, else the application. For
 * a field: the last rule of those that name fields, managers or `when`, else what holds for the object. Pure; both diff
 * and apply ask here, so that they agree.
 */
export class Policy {
  readonly #mode: DriftMode;
  readonly #rules: readonly Rule[];
  readonly #later: readonly Rule[];
  readonly #broken: BrokenLoops;

  /**
   * `later`: rules that a person accepted; Git does not know of them yet. `broken`: what a run must not heal once more,
   * whatever the rules say. That only ever turns `heal` into `observe`, so that it is no matter to what is applied
   * because Git or a person said so, and never undoes an `ignore`.
   */
  constructor(
    settings: Pick<Settings, 'drift' | 'rules'>,
    later: readonly Pick<AcceptedRule, 'rule'>[] = [],
    broken: BrokenLoops = new Map(),
  ) {
    this.#mode = settings.drift;
    this.#rules = settings.rules;
    this.#later = later.map(({ rule }) => rule);
    this.#broken = broken;
  }

  /** `object` as Git wants it: annotations count there, so that nobody on the cluster can switch a check off. */
  forObject(object: KubeObject): ObjectPolicy {
    const rules = this.#rules.filter((rule) => !isNarrow(rule) && fits(rule.match, object));
    const later = this.#later.filter((rule) => !isNarrow(rule) && fits(rule.match, object));
    const own = object.metadata.annotations ?? {};
    return {
      drift:
        lastOf(later, 'drift') ??
        parsed(driftModeSchema, own[annotations.drift], object) ??
        lastOf(rules, 'drift') ??
        this.#mode,
      conflicts:
        parsed(conflictPolicySchema, own[annotations.conflicts], object) ??
        lastOf(rules, 'conflicts') ??
        'override',
      immutable:
        parsed(immutablePolicySchema, own[annotations.immutable], object) ??
        lastOf(rules, 'immutable') ??
        'fail',
    };
  }

  /** What becomes of an object that is not there, though it was applied once. */
  forMissing(object: KubeObject): DriftMode {
    return this.#unlessBroken(this.forObject(object).drift, object, '');
  }

  /** Whether single fields of this object may be treated apart: then its live state must be read before an apply. */
  hasFieldRules(object: KubeObject): boolean {
    const broken = this.#broken.get(refKey(refOf(object))) ?? new Set();
    return this.#narrow(object).length > 0 || [...broken].some((pointer) => pointer !== '');
  }

  /** Whether drift of any part of the object is told: when not, nobody looks. */
  isWatched(object: KubeObject): boolean {
    const rules = this.#narrow(object);
    return (
      this.forObject(object).drift !== 'ignore' ||
      rules.some(({ drift }) => drift !== undefined && drift !== 'ignore')
    );
  }

  /** `live` is what rules with `when` see as `object`. An expression that gives a fault does not fit. */
  forField(object: KubeObject, live: KubeObject, facts: FieldFacts): FieldPolicy {
    const whole = this.forObject(object);
    const rules = this.#narrow(object).filter((rule) => fitsField(rule, live, facts));
    return {
      drift: this.#unlessBroken(lastOf(rules, 'drift') ?? whole.drift, object, pointerOf(facts.path)),
      conflicts: lastOf(rules, 'conflicts') ?? whole.conflicts,
    };
  }

  /**
   * Whether a rule for single fields says `ignore`. Only then an apply leaves the live value alone: a mode of the whole
   * object never keeps a commit from being applied.
   */
  ignoresField(object: KubeObject, live: KubeObject, facts: FieldFacts): boolean {
    const rules = this.#narrow(object).filter((rule) => fitsField(rule, live, facts));
    return lastOf(rules, 'drift') === 'ignore';
  }

  /**
   * What becomes of a field that nobody asked for: told and left alone. It is taken away only where a rule says `heal`
   * and names the field or its managers: a wider word was never meant for what others add. Undefined: no rule names it.
   */
  forForeign(object: KubeObject, live: KubeObject, facts: FieldFacts): DriftMode | undefined {
    const rules = this.#narrow(object).filter(
      (rule) =>
        (rule.drift !== 'heal' || rule.fields !== undefined || rule.managers !== undefined) &&
        fitsField(rule, live, facts),
    );
    const mode = lastOf(rules, 'drift');
    if (mode === 'heal') return this.#unlessBroken(mode, object, pointerOf(facts.path));
    return mode === undefined && this.forObject(object).drift === 'ignore' ? 'ignore' : mode;
  }

  #unlessBroken(mode: DriftMode, object: KubeObject, pointer: string): DriftMode {
    return mode === 'heal' && isBroken(this.#broken, refKey(refOf(object)), pointer) ? 'observe' : mode;
  }

  #narrow(object: KubeObject): readonly Rule[] {
    return [...this.#rules, ...this.#later].filter((rule) => isNarrow(rule) && fits(rule.match, object));
  }
}

/** Whether an object is one that a match names. */
export function fits(match: Match, object: KubeObject): boolean {
  const { name, namespace = '' } = object.metadata;
  return (
    (match.group === undefined || isLike(match.group, groupOf(object.apiVersion))) &&
    (match.kind === undefined || isLike(match.kind, object.kind)) &&
    (match.namespace === undefined || isLike(match.namespace, namespace)) &&
    (match.name === undefined || isLike(match.name, name))
  );
}

/**
 * The path as JSON pointer segments, list items by their keys: `/spec/containers/[name="app"]/image`. A member that is
 * called `*` is written with a backslash in front: in a rule a bare one is any member.
 */
export function pointerOf(path: FieldPath): string {
  return path.map((edge) => `/${escaped(segmentOf(edge))}`).join('');
}

/** A name as a match has it that fits this name alone, whatever characters it holds. */
export function literal(name: string): string {
  return name.replaceAll(/[\\*]/g, String.raw`\$&`);
}

/** An annotation that says something else is a mistake worth a stop, not the default. */
function parsed<T extends string>(
  schema: { readonly options: readonly T[] },
  text: string | undefined,
  object: KubeObject,
): T | undefined {
  if (text === undefined) return undefined;
  const found = schema.options.find((option) => option === text);
  if (found !== undefined) return found;
  const message = `has an annotation "${text}" where one of ${schema.options.join(', ')} is expected`;
  throw new Stop({ subject: describeRef(refOf(object)), message });
}

function isNarrow({ fields, managers, when }: Rule): boolean {
  return fields !== undefined || managers !== undefined || when !== undefined;
}

function lastOf<K extends 'drift' | 'conflicts' | 'immutable'>(
  rules: readonly Rule[],
  matter: K,
): Rule[K] | undefined {
  return rules.findLast((rule) => rule[matter] !== undefined)?.[matter];
}

function fitsField({ fields, managers, when }: Rule, live: KubeObject, facts: FieldFacts): boolean {
  if (fields !== undefined && !fields.some((pointer) => isWithin(pointer, facts.path, live))) return false;
  if (managers !== undefined && !facts.managers.some((manager) => managers.includes(manager))) return false;
  if (when === undefined) return true;
  const field = {
    path: pointerOf(facts.path),
    desired: facts.desired ?? null,
    live: facts.live ?? null,
    managers: facts.managers,
  };
  const subject = `rule for ${describeRef(refOf(live))}`;
  const answer = isTrue(expressionOf(when, subject), { object: live, field });
  // Most expressions read a member that some objects lack: that is no match, and no reason to stop a check.
  return answer === true;
}

/** Whether the pointer is the path itself or something above it. */
function isWithin(pointer: string, path: FieldPath, live: Json): boolean {
  const segments = pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (segments.length > path.length) return false;
  let parent: Json | undefined = live;
  return segments.every((segment, depth) => {
    const edge = path[depth] ?? '';
    const fit = segment === '*' || segment === starEscaped(segmentOf(edge)) || isPlace(segment, edge, parent);
    parent = valueBehind(parent, edge);
    return fit;
  });
}

/** A list item that the server names by its keys may be meant by its place. */
function isPlace(segment: string, edge: string, parent: Json | undefined): boolean {
  if (!/^[0-9]+$/.test(segment) || !Array.isArray(parent) || edge.startsWith('f:')) return false;
  const items: readonly Json[] = parent;
  return items[Number(segment)] === valueBehind(parent, edge);
}

function segmentOf(edge: string): string {
  if (edge === orderEdge) return '[order]';
  return edge.startsWith('f:') || edge.startsWith('i:') ? edge.slice(2) : describeEdge(edge);
}

function escaped(segment: string): string {
  return starEscaped(segment).replaceAll('~', '~0').replaceAll('/', '~1');
}

/** One backslash more in front of what would else be read as any member, or as a member called `*`. */
function starEscaped(segment: string): string {
  return /^\\*\*$/.test(segment) ? `\\${segment}` : segment;
}

/** Equal, with `*` for any run of characters; a backslash takes its meaning from a `*` or another backslash. */
function isLike(pattern: string, text: string): boolean {
  if (!/[*\\]/.test(pattern)) return pattern === text;
  const source = (pattern.match(/\\[*\\]|[^]/g) ?? []).map((part) =>
    part === '*' ? '.*' : (part.at(-1) ?? '').replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`),
  );
  return new RegExp(`^${source.join('')}$`, 's').test(text);
}
