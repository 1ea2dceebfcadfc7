import { isoTime } from '../model/time.ts';
import { refOfKey } from '../model/object.ts';
import type { Checked } from './check-target.ts';
import { isTimed, recallHealth } from './remembered-health.ts';
import type { Recalled, SweptCluster, SweptTarget } from './swept-cluster.ts';
import { targetHealth } from './target-health.ts';

/**
 * The check of a target of which nothing was written since its last clean one, neither records nor objects: nothing of it
 * is read. Undefined where anything is in doubt.
 */
export function checkSettled(
  now: number,
  { extras, drifting }: Pick<SweptCluster, 'extras' | 'drifting'>,
  { target: { application }, memory, previous, state }: SweptTarget,
  recalled: ReadonlyMap<string, Recalled>,
): Checked | undefined {
  const isLeftAlone = state === undefined && !extras.has(application) && !drifting.has(application);
  if (memory?.settled === undefined || !isLeftAlone || recalled.size !== memory.objects.length)
    return undefined;
  for (const known of recalled.values()) {
    if (known.glance !== 'same' || isTimed(known.memory[6])) return undefined;
  }
  const ailing = memory.objects
    .filter(([, , , , , , health]) => health !== '')
    .map(([key, , , , , , health]) => ({ ref: refOfKey(key), ...recallHealth(health) }));
  const check = {
    at: isoTime(now),
    ...memory.settled,
    drifted: 0,
    ...targetHealth(ailing, memory.objects.length),
    ...(previous?.fullAt !== undefined && { fullAt: previous.fullAt }),
  };
  return { check };
}
