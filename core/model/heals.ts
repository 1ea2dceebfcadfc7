import * as z from 'zod';
import { objectRefSchema } from './object.ts';
import { targetSchema } from './target.ts';

/** One field that we put right lately, so that a rival who changes it again and again is seen. */
export const healedPathSchema = z.object({
  /** ISO 8601, oldest first. */
  heals: z.array(z.string()),
  /** Set while the loop is broken: not before that is one more heal tried. */
  retryAt: z.string().optional(),
});
export type HealedPath = z.infer<typeof healedPathSchema>;

/**
 * What heals did to the objects of one target lately. Written when a heal ends an episode, read when one opens: a
 * target without drift has none.
 */
export const recentHealsSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  target: targetSchema,
  /** By object key, then by JSON pointer; the empty pointer is the object itself, which went missing. */
  objects: z.record(
    z.string(),
    z.object({ ref: objectRefSchema, paths: z.record(z.string(), healedPathSchema) }),
  ),
});
export type RecentHeals = z.infer<typeof recentHealsSchema>;

/** Pointers whose heal loop is broken, by object key; the empty pointer is the object itself, which goes missing. */
export type BrokenLoops = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Whether a heal leaves this alone: the path of a broken loop, or something beneath one. Sweep and run both ask here:
 * where they disagree, a run is asked for again and again that writes nothing. That an object goes missing (the empty
 * pointer) says nothing about its fields.
 */
export function isBroken(broken: BrokenLoops, key: string, pointer: string): boolean {
  const pointers = broken.get(key);
  if (pointers === undefined) return false;
  for (let above = pointer; above !== ''; above = above.slice(0, above.lastIndexOf('/'))) {
    if (pointers.has(above)) return true;
  }
  return pointer === '' && pointers.has('');
}
