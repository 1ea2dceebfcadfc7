import type { DesiredPointer } from './desired.ts';
import { jsonEqual } from './json.ts';
import { millisecondsOf } from './time.ts';

type Pin = NonNullable<DesiredPointer['pin']>;
type Held = NonNullable<DesiredPointer['held']>;

/** What a target should have, without how it came to that. */
export type PinnedContent = Pick<DesiredPointer, 'snapshot' | 'objects' | 'commit'>;

/** Whether a pin holds the pointer at `now`, in milliseconds since the epoch: it is there and has not run out. */
export function isPinned({ pin }: Pick<DesiredPointer, 'pin'>, now: number): boolean {
  return pin !== undefined && (pin.until === undefined || now < millisecondsOf(pin.until));
}

/** The pin that holds at `now`: one that has run out gives way to what it was set over. */
export function pinAt({ pin }: Pick<DesiredPointer, 'pin'>, now: number): Pin | undefined {
  return isPinned({ pin }, now) ? pin : pin?.over;
}

/** Whether trueup itself rolled back: that gives way to any commit with other objects. */
export function isSelfPinned({ pin }: Pick<DesiredPointer, 'pin'>): boolean {
  return pin?.rejects !== undefined;
}

/** Whether a person's rollback holds at `now`, whatever commits say. */
export function isHeldByPerson(pointer: Pick<DesiredPointer, 'pin'>, now: number): boolean {
  return isPinned(pointer, now) && !isSelfPinned(pointer);
}

/** Whether what the pointer says is applied without a person: a rollback by itself is, where commits wait for one too. */
export function isAppliedByItself({ settings, pin }: Pick<DesiredPointer, 'settings' | 'pin'>): boolean {
  return settings.sync === 'auto' || isSelfPinned({ pin });
}

/** Whether a pin is still written down although its time is over: any look at the pointer may lift it. */
export function isPinExpired({ pin }: Pick<DesiredPointer, 'pin'>, now: number): boolean {
  return pin !== undefined && !isPinned({ pin }, now);
}

/** The content that the pointer would have if nobody had pinned it. */
export function heldOf({ held, state, snapshot, objects, settings, commit }: DesiredPointer): Held {
  return held ?? { state, snapshot, objects, settings, commit };
}

/**
 * Sets the content and pins it there. A pin on a pin keeps what the commits say, and what failed under the one before: a time
 * that a person gave must not end at that. Whoever pins just that wants it all the same.
 */
export function pinned(pointer: DesiredPointer, content: PinnedContent, pin: Pin): DesiredPointer {
  const isSame = pointer.snapshot === content.snapshot;
  const over = ownPin(pointer.pin);
  const isWanted = over?.rejects.snapshot === content.snapshot;
  return {
    ...pointer,
    ...(isSame ? {} : content),
    seq: pointer.seq + 1,
    revision: pointer.revision + (isSame ? 0 : 1),
    pin: over === undefined || isWanted ? pin : { ...pin, over },
    held: heldOf(pointer),
    ...(isWanted && { insisted: content.snapshot }),
  };
}

/** The pin of trueup itself, as it is kept under one of a person, whose word is the newer one: nothing is told of it any more. */
function ownPin(pin: Pin | undefined): Pin['over'] {
  if (pin?.rejects === undefined) return pin?.over;
  const { by, reason, at, rejects } = pin;
  return { by, reason, at, rejects: { ...rejects, told: true } };
}

/** The pointer whose pin has run out: as the commits have it, unless that is what failed and nothing has come since. */
export function expired(pointer: DesiredPointer): DesiredPointer {
  const { state, snapshot } = heldOf(pointer);
  const over = pointer.pin?.over;
  if (over === undefined || state === 'gone' || snapshot !== over.rejects.snapshot) return unpinned(pointer);
  return { ...pointer, seq: pointer.seq + 1, pin: over };
}

/** The pointer as the commits have it. Its revision grows only when that is something else than was pinned. */
export function unpinned(pointer: DesiredPointer): DesiredPointer {
  const { pin, held: _, ...rest } = pointer;
  const held = heldOf(pointer);
  const failed = ownPin(pin)?.rejects.snapshot;
  const isSame =
    held.state === pointer.state &&
    held.snapshot === pointer.snapshot &&
    jsonEqual(held.settings, pointer.settings);
  return {
    ...rest,
    ...held,
    // Equal content is of the commit that it was first seen with.
    commit: isSame ? pointer.commit : held.commit,
    seq: pointer.seq + 1,
    revision: pointer.revision + (isSame ? 0 : 1),
    // Whoever lifts it wants what failed all the same.
    ...(failed === held.snapshot && { insisted: failed }),
  };
}

/** Who pinned it, why and until when, and what Git says meanwhile, in a sentence; undefined when nobody did. */
export function describePin({ pin, held, commit, failed }: DesiredPointer): string | undefined {
  if (pin === undefined) return undefined;
  const until = pin.until === undefined ? untilLifted(pin) : untilTime(pin.until, pin);
  const pinnedAs = `pinned to commit ${commit.sha.slice(0, 7)} by ${pin.by} since ${pin.at}, ${until} (${pin.reason})`;
  if (failed !== undefined) return pinnedAs;
  if (held?.state === 'gone') return `${pinnedAs}; Git has given the application up`;
  const head = held?.commit.sha;
  return head === undefined || head === commit.sha ? pinnedAs : `${pinnedAs}; Git is at ${head.slice(0, 7)}`;
}

function untilTime(until: string, { over }: Pin): string {
  return over === undefined ? `until ${until}` : `until ${until}, and then ${untilLifted(over)}`;
}

function untilLifted({ rejects }: Pin): string {
  if (rejects === undefined) return 'until it is lifted';
  return `until a commit gives other objects than ${rejects.commit.sha.slice(0, 7)}, or it is lifted`;
}
