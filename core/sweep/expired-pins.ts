import type { TrueupEvent } from '../contract/events.ts';
import type { DesiredPointer } from '../model/desired.ts';
import { isPinExpired } from '../model/pin.ts';
import { isoTime } from '../model/time.ts';
import type { Bus, Clock } from '../ports.ts';

/**
 * A pin that has run out is lifted by the next look at its repository, and no push may come for days: this asks for one
 * look at each such repository, as a push of what was examined last would. A hint like any other (rule 2 of the design).
 */
export async function askForExpiredPins(
  pointers: readonly DesiredPointer[],
  { bus, clock }: { readonly bus: Bus; readonly clock: Pick<Clock, 'now'> },
): Promise<void> {
  const now = clock.now();
  const expired = pointers.filter((pointer) => isPinExpired(pointer, now));
  const byRef = Map.groupBy(expired, ({ repository, ref }) => `${repository} ${ref}`);
  const hints = [...byRef.values()].flatMap(([pointer]): TrueupEvent[] => {
    if (pointer === undefined) return [];
    const { repository, ref, examined } = pointer;
    const at = isoTime(now);
    const known = { before: examined.sha, after: examined.sha, deleted: false };
    const origin = { deliveryId: `expired-pin-${repository}-${at}`, provider: 'sweep' };
    return [{ type: 'PushReceived', detail: { version: 1, at, ...origin, repository, ref, ...known } }];
  });
  if (hints.length > 0) await bus.publish(hints);
}
