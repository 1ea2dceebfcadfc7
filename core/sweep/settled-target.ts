import type { TargetCheck } from '../model/check.ts';
import type { TargetMemory } from '../model/memory.ts';
import { refOfKey } from '../model/object.ts';
import type { Checked } from './check-target.ts';
import { kindOfKey } from './listed-kinds.ts';
import { isTimed, recallHealth } from './remembered-health.ts';
import type { Recalled, SweptCluster, SweptTarget } from './swept-cluster.ts';
import { targetHealth } from './target-health.ts';

/** What follows of what is remembered of a target, whatever the cluster says. */
interface Settlement {
  /** Kinds of its objects. */
  readonly kinds: ReadonlySet<string>;
  /** The health of at least one is for time to change. */
  readonly isTimed: boolean;
  readonly health: Pick<TargetCheck, 'health' | 'healthMessage'>;
}

/** A memory is never changed, and most often the next sweep of this process has the very same. */
const known = new WeakMap<TargetMemory, Settlement>();

export function settlementOf(memory: TargetMemory): Settlement {
  const before = known.get(memory);
  if (before !== undefined) return before;
  const ailing = memory.objects
    .filter(([, , , , , , health]) => health !== '')
    .map(([key, , , , , , health]) => ({ ref: refOfKey(key), ...recallHealth(health) }));
  const settlement = {
    kinds: new Set(memory.objects.map(([key]) => kindOfKey(key))),
    isTimed: memory.objects.some(([, , , , , , health]) => isTimed(health)),
    health: targetHealth(ailing, memory.objects.length),
  };
  known.set(memory, settlement);
  return settlement;
}

/**
 * The check of a target of which nothing was written since its last clean one, neither records nor objects: nothing of it
 * is read. Undefined where anything is in doubt.
 */
export function checkSettled(
  at: string,
  { extras, drifting, labelled }: Pick<SweptCluster, 'extras' | 'drifting' | 'labelled'>,
  { target: { application }, memory, previous, state }: SweptTarget,
  recalled: () => ReadonlyMap<string, Recalled>,
): Checked | undefined {
  const isLeftAlone = state === undefined && !extras.has(application) && !drifting.has(application);
  if (memory?.settled === undefined || !isLeftAlone) return undefined;
  const { kinds, health, ...settlement } = settlementOf(memory);
  if (settlement.isTimed) return undefined;
  // Of a kind whose list is what it was, every object is.
  const isUnread = [...kinds].every((kind) => labelled.unread.has(kind));
  if (!isUnread && !memory.objects.every(([key]) => recalled().get(key)?.glance === 'same')) return undefined;
  const check = {
    at,
    ...memory.settled,
    drifted: 0,
    ...health,
    ...(previous?.fullAt !== undefined && { fullAt: previous.fullAt }),
  };
  return { check };
}
