import type { StackConfig } from './contract/config.ts';
import type { FieldDrift, ObjectDrift } from './model/drift.ts';
import type { HealedPath, RecentHeals } from './model/heals.ts';
import type { ObjectRef } from './model/object.ts';
import type { Rule } from './model/rule.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import { isHealed, type Loop } from './record.ts';

export type LoopBreaker = StackConfig['loopBreaker'];
type Objects = RecentHeals['objects'];

/** Older heals say nothing, whatever the stack calls a loop; so many of one path say all. */
const forgetMs = 86_400_000;
const mostHeals = 20;

/** Drift with what is not healed any more turned to `observe`, and what broken loops are called in the records. */
export interface Judged {
  readonly drifts: ReadonlyMap<string, ObjectDrift>;
  readonly loops: ReadonlyMap<string, Loop>;
  /** What is to be remembered; the same value where nothing changed. */
  readonly objects: Objects;
}

/**
 * Finds heal loops: a path that we healed and somebody changed again, `flips` times in `minutes`. Such a path is left
 * alone until as long again has passed without a heal; then one more is tried, and the first flip after it breaks the
 * loop anew. `isOpen` tells drift that stood already at the last check.
 */
export function breakLoops(
  objects: Objects,
  found: ReadonlyMap<string, ObjectDrift>,
  isOpen: (key: string) => boolean,
  { now, breaker }: { readonly now: number; readonly breaker: LoopBreaker },
): Judged {
  const drifts = new Map(found);
  const loops = new Map<string, Loop>();
  let next = objects;
  for (const [key, drift] of found) {
    const known = objects[key];
    if (known === undefined) continue;
    const paths: Record<string, HealedPath> = { ...known.paths };
    const broken = new Map<string, HealedPath>();
    for (const pointer of healedIn(drift)) {
      const path = paths[pointer];
      const judged = path === undefined ? undefined : judgePath(path, isOpen(key), now, breaker);
      if (judged === undefined) delete paths[pointer];
      else paths[pointer] = judged;
      if (judged?.retryAt !== undefined && millisecondsOf(judged.retryAt) > now) broken.set(pointer, judged);
    }
    if (JSON.stringify(paths) !== JSON.stringify(known.paths)) next = { ...next, [key]: { ...known, paths } };
    if (broken.size === 0) continue;
    drifts.set(key, leftAlone(drift, broken));
    loops.set(key, loopOf(drift, broken));
  }
  return { drifts, loops, objects: next };
}

/** Undefined: so long after the last heal a new drift is no flip. */
function judgePath(
  path: HealedPath,
  isOpen: boolean,
  now: number,
  { flips, minutes }: LoopBreaker,
): HealedPath | undefined {
  const windowMs = minutes * 60_000;
  const last = millisecondsOf(path.heals.at(-1) ?? isoTime(0));
  const isRecent = now - last < windowMs;
  if (!isRecent && !isOpen) return undefined;
  const counted = path.heals.filter((at) => now - millisecondsOf(at) < windowMs);
  const isLoop = path.retryAt !== undefined || counted.length >= flips;
  return isRecent && isLoop ? { ...path, retryAt: isoTime(last + windowMs) } : path;
}

/** Pointers of what a heal would put right; empty for an object that is missing. */
export function healedIn({ kind, mode, fields }: ObjectDrift): readonly string[] {
  if (kind === 'missing') return (mode ?? 'heal') === 'heal' ? [''] : [];
  return fields.filter(isHealed).map(pointerIn);
}

function pointerIn({ pointer, path }: FieldDrift): string {
  return pointer ?? path;
}

function leftAlone(drift: ObjectDrift, broken: ReadonlyMap<string, HealedPath>): ObjectDrift {
  if (drift.kind === 'missing') return { ...drift, mode: 'observe' };
  const fields = drift.fields.map((field) =>
    isHealed(field) && broken.has(pointerIn(field)) ? { ...field, mode: 'observe' as const } : field,
  );
  return { ...drift, fields };
}

/** The path that flipped most often speaks for the object. */
function loopOf(drift: ObjectDrift, broken: ReadonlyMap<string, HealedPath>): Loop {
  const [[pointer, { heals }] = ['', { heals: [] }]] = [...broken].sort(
    ([, a], [, b]) => b.heals.length - a.heals.length,
  );
  const field = drift.fields.find((each) => pointerIn(each) === pointer);
  return { manager: field?.manager ?? 'unknown', flips: heals.length, since: heals[0] ?? '' };
}

/** Notes that a heal put these paths right. */
export function noteHeal(
  objects: Objects,
  {
    key,
    ref,
    pointers,
  }: { readonly key: string; readonly ref: ObjectRef; readonly pointers: readonly string[] },
  at: string,
): Objects {
  const paths = { ...objects[key]?.paths };
  for (const pointer of pointers) {
    const path = paths[pointer] ?? { heals: [] };
    paths[pointer] = { ...path, heals: [...path.heals, at].slice(-mostHeals) };
  }
  return { ...objects, [key]: { ref, paths } };
}

/** Without objects that were applied because Git or a person said so, and without what is too old to matter. */
export function forgetHeals(objects: Objects, applied: ReadonlySet<string>, now: number): Objects {
  const recent = Object.entries(objects).flatMap(([key, { ref, paths }]) => {
    const kept = Object.entries(paths).filter(
      ([, { heals }]) => now - millisecondsOf(heals.at(-1) ?? isoTime(0)) < forgetMs,
    );
    return applied.has(key) || kept.length === 0 ? [] : [[key, { ref, paths: Object.fromEntries(kept) }]];
  });
  return Object.fromEntries(recent);
}

/** What a heal must leave alone, as rules that come after all others. */
export function brokenRules(objects: Objects, now: number): readonly { readonly rule: Rule }[] {
  return Object.values(objects).flatMap(({ ref, paths }) => {
    const broken = Object.entries(paths)
      .filter(([, { retryAt }]) => retryAt !== undefined && millisecondsOf(retryAt) > now)
      .map(([pointer]) => pointer);
    const match = exactly(ref);
    const fields = broken.filter((pointer) => pointer !== '');
    return [
      ...(broken.includes('') ? [{ rule: { match, drift: 'observe' as const } }] : []),
      ...(fields.length > 0 ? [{ rule: { match, fields, drift: 'observe' as const } }] : []),
    ];
  });
}

/** Fits one object and no other. */
export function exactly({ group, kind, namespace, name }: ObjectRef): Rule['match'] {
  return { group, kind, ...(namespace === undefined ? {} : { namespace }), name };
}
