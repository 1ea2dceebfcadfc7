import type { DesiredPointer } from '../model/desired.ts';
import { jsonEqual } from '../model/json.ts';
import { heldOf, isHeldByPerson } from '../model/pin.ts';
import type { TouchedTarget } from '../model/pull-preview.ts';

export type Pointers = ReadonlyMap<string, DesiredPointer>;

/** Targets that are to be another thing at the head than at the base, in the order of their names; `now`: as they are. */
export function touchedTargets(
  { base, head, now }: { readonly base: Pointers; readonly head: Pointers; readonly now: Pointers },
  at: number,
): readonly TouchedTarget[] {
  return [...head].sort(byKey).flatMap(([key, pointer]) => {
    const before = base.get(key);
    if (isSame(before, pointer)) return [];
    const { pin } = pointer;
    const isPinned = pin !== undefined && isHeldByPerson(pointer, at);
    const current = now.get(key);
    const movedOn = !isSame(before, current) && !isSame(pointer, current);
    return [
      {
        target: pointer.target,
        ...(isPinned && { pinned: { by: pin.by, reason: pin.reason } }),
        ...(movedOn && { movedOn: true as const }),
      },
    ];
  });
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** As commits have it, whatever a person pinned. */
function isSame(one: DesiredPointer | undefined, other: DesiredPointer | undefined): boolean {
  if (one === undefined || other === undefined) return isGone(one) && isGone(other);
  const [a, b] = [heldOf(one), heldOf(other)];
  if (a.state !== b.state || !jsonEqual(faultsIn(one), faultsIn(other))) return false;
  return a.state === 'gone' || (a.snapshot === b.snapshot && jsonEqual(a.settings, b.settings));
}

function isGone(pointer: DesiredPointer | undefined): boolean {
  return pointer === undefined || heldOf(pointer).state === 'gone';
}

function faultsIn({ failed }: DesiredPointer) {
  return failed?.faults ?? [];
}
