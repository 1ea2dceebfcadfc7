import { isGoing } from '../model/deletion.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { describeRef } from '../model/object.ts';
import { syncCommand } from '../model/sync-command.ts';
import { decidePrune, keptFor, type Candidate, type PruneDecision } from './decide-prune.ts';
import { heldBy, type KeptObject } from './held-by.ts';

/** What the decisions about one target's undesired objects depend on besides each of them. */
export interface Surroundings {
  /** Desired objects: they stay. */
  readonly desired: readonly KeptObject[];
  /** Object key to what other applications have in it, in words, for Namespaces and definitions. */
  readonly contents: ReadonlyMap<string, string>;
  /** As many as a person agreed to lose; it covers all that would go, or none of what needs it. */
  readonly confirmPrune: number | undefined;
  /** Which Git the application follows: how to ask for a run depends on it. */
  readonly repository: string;
}

export interface Judged {
  readonly candidate: Candidate;
  readonly decision: PruneDecision;
}

/** Decides about all undesired objects together: what stays may be inside of what would go. */
export function judgeUndesired(
  candidates: readonly Candidate[],
  surroundings: Surroundings,
): { readonly judged: readonly Judged[]; readonly confirmed: boolean } {
  const all = judgeAll(candidates, surroundings, true);
  const going = all.filter(({ decision }) => decision.kind === 'delete').length;
  const { confirmPrune, repository } = surroundings;
  if (confirmPrune !== undefined && going <= confirmPrune) return { judged: all, confirmed: true };
  const judged = judgeAll(candidates, surroundings, false).map((one) => tellingHow(one, going, repository));
  return { judged, confirmed: false };
}

function tellingHow({ candidate, decision }: Judged, going: number, repository: string): Judged {
  if (decision.kind !== 'keep' || decision.because !== 'confirmation') return { candidate, decision };
  const { application } = candidate;
  const how = syncCommand({ repository, application }, { confirmPrune: going });
  return { candidate, decision: { ...decision, why: `${decision.why}: ${how}` } };
}

function judgeAll(
  candidates: readonly Candidate[],
  { desired, contents }: Surroundings,
  confirmed: boolean,
): readonly Judged[] {
  const alone = candidates.map((candidate) => ({ candidate, decision: decidePrune(candidate, confirmed) }));
  const firm = [...desired, ...alone.filter(staysFirmly).map(placeOf)];
  const later = alone.filter(({ decision }) => isInGrace(decision)).map(placeOf);
  return alone.map((one) => {
    const { candidate, decision } = one;
    const { key, entry } = candidate;
    const goes = decision.kind === 'delete';
    if (!goes && !isInGrace(decision)) return one;
    const held = heldBy(entry, firm);
    if (held !== undefined) return { candidate, decision: keptFor(key, undefined, describeRef(held)) };
    const content = contents.get(key);
    if (content !== undefined) return { candidate, decision: keptFor(key, entry.markedAt, content) };
    const waiting = goes ? heldBy(entry, later) : undefined;
    if (waiting === undefined) return one;
    return { candidate, decision: keptFor(key, entry.markedAt, describeRef(waiting)) };
  });
}

/** On the cluster after this run, and after later ones. What is none of our business any more counts as well. */
function staysFirmly({ candidate, decision }: Judged): boolean {
  if (decision.kind === 'keep') return decision.because !== 'grace';
  return decision.kind === 'forget' && candidate.live !== undefined;
}

/** Marked, or about to be. */
export function isInGrace(decision: PruneDecision): boolean {
  return decision.kind === 'keep' && decision.because === 'grace';
}

function placeOf({ candidate: { entry } }: Judged): KeptObject {
  return { ref: entry.ref, plural: entry.plural };
}

/** An entry without what is said of undesired objects. */
export function unmarked(entry: InventoryEntry): InventoryEntry {
  const { markedAt: _, kept: __, ...rest } = entry;
  return rest;
}

/** Entries as they must be noted before anything is done: why each one is kept. Those that say it already are left out. */
export function notesOf(judged: readonly Judged[]): readonly (readonly [string, InventoryEntry])[] {
  return judged.flatMap(({ candidate: { key, entry: before, live, at }, decision }) => {
    if (decision.kind !== 'keep') return [];
    const { because, why, markedAt } = decision;
    // A deletion that was begun and never sent is off.
    const isOff = before.state === 'deleting' && live !== undefined && !isGoing(live);
    const entry = isOff ? { ...before, state: 'applied' as const } : before;
    // A hand-over that waits is looked at again an hour after each look.
    const isSame = entry.kept?.because === because && because !== 'hand-over';
    const since = isSame ? (entry.kept?.since ?? at) : at;
    const { kept } = entry;
    const isSaid = kept?.message === why && kept.since === since && entry.markedAt === markedAt;
    if (isSaid && !isOff) return [];
    const mark = markedAt !== undefined && { markedAt };
    return [[key, { ...unmarked(entry), ...mark, kept: { because, since, message: why } }] as const];
  });
}
