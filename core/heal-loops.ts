import type { StackConfig } from './contract/config.ts';
import type { FieldDrift, ObjectDrift } from './model/drift.ts';
import { isBroken, type BrokenLoops, type HealedPath, type RecentHeals } from './model/heals.ts';
import type { ObjectRef } from './model/object.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import { isHealed, type Loop } from './record.ts';

export type LoopBreaker = StackConfig['loopBreaker'];
type Objects = RecentHeals['objects'];

/** Older heals say nothing, whatever the stack calls a loop and however seldom a target is checked; so many say all. */
const forgetMs = 7 * 86_400_000;
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
 * loop anew. `isOpen` tells drift that stood already at the last check. `periodMs`: how long after one check the next
 * one of the target comes; where so many flips cannot even be seen in `minutes`, the window is as long as they take.
 */
export function breakLoops(
  objects: Objects,
  found: ReadonlyMap<string, ObjectDrift>,
  isOpen: (key: string) => boolean,
  {
    now,
    breaker: { flips, minutes },
    periodMs,
  }: { readonly now: number; readonly breaker: LoopBreaker; readonly periodMs: number },
): Judged {
  const windowMs = Math.max(minutes * 60_000, (flips + 1) * periodMs);
  const drifts = new Map(found);
  const loops = new Map<string, Loop>();
  let next = objects;
  for (const [key, drift] of found) {
    const known = objects[key];
    if (known === undefined) continue;
    const paths: Record<string, HealedPath> = { ...known.paths };
    for (const pointer of healedIn(drift)) {
      const path = paths[pointer];
      const judged = path === undefined ? undefined : judgePath(path, isOpen(key), { now, flips, windowMs });
      if (judged === undefined) delete paths[pointer];
      else paths[pointer] = judged;
    }
    if (JSON.stringify(paths) !== JSON.stringify(known.paths)) next = { ...next, [key]: { ...known, paths } };
    const isLeft = (pointer: string): boolean => isBroken(brokenLoops(next, now), key, pointer);
    const left = healedIn(drift).filter(isLeft);
    if (left.length === 0) continue;
    drifts.set(key, leftAlone(drift, new Set(left)));
    loops.set(key, loopOf(drift, left, paths));
  }
  return { drifts, loops, objects: next };
}

/** Undefined: so long after the last heal a new drift is no flip. */
function judgePath(
  path: HealedPath,
  isOpen: boolean,
  { now, flips, windowMs }: { readonly now: number; readonly flips: number; readonly windowMs: number },
): HealedPath | undefined {
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

function leftAlone(drift: ObjectDrift, left: ReadonlySet<string>): ObjectDrift {
  if (drift.kind === 'missing') return { ...drift, mode: 'observe' };
  const fields = drift.fields.map((field) =>
    isHealed(field) && left.has(pointerIn(field)) ? { ...field, mode: 'observe' as const } : field,
  );
  return { ...drift, fields };
}

/** The path that flipped most often speaks for the object. */
function loopOf(drift: ObjectDrift, left: readonly string[], paths: Objects[string]['paths']): Loop {
  const [[pointer, { heals }] = ['', { heals: [] }]] = Object.entries(paths)
    .filter(([, { retryAt }]) => retryAt !== undefined)
    .sort(([, a], [, b]) => b.heals.length - a.heals.length);
  const named = drift.fields.find((each) => pointerIn(each) === pointer);
  const field = named ?? drift.fields.find((each) => left.includes(pointerIn(each)));
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

/** What a heal must leave alone. */
export function brokenLoops(objects: Objects, now: number): BrokenLoops {
  const broken = Object.entries(objects).map(([key, { paths }]): [string, ReadonlySet<string>] => {
    const waiting = Object.entries(paths).filter(
      ([, { retryAt }]) => retryAt !== undefined && millisecondsOf(retryAt) > now,
    );
    return [key, new Set(waiting.map(([pointer]) => pointer))];
  });
  return new Map(broken.filter(([, pointers]) => pointers.size > 0));
}
