import type { TrueupEvent } from './contract/events.ts';
import { Stop } from './errors.ts';
import type { DesiredPointer } from './model/desired.ts';
import { isoTime } from './model/time.ts';
import type { Bus, Clock } from './ports.ts';

/** A stored snapshot is gone, or not what it was: the commit that it came from may give it again. */
export class LostSnapshot extends Stop {
  /** Digest of the snapshot. */
  readonly snapshot: string;
  constructor(snapshot: string, what: string) {
    const message = `${what}; it is rendered anew where the newest commit gives the same: if this stays, see docs/runbook.md#a-target-is-unknown`;
    super({ subject: `snapshot ${snapshot}`, message });
    this.snapshot = snapshot;
  }
}

/** One event stays far below what the bus takes; a later fault asks for the rest. */
const applicationsTold = 1000;

/**
 * Has applications rendered again whose snapshot is lost, by a hint to each of their repositories (rule 2 of the design).
 * What the pointer says no more, a pin holds, or a commit with faults could not replace, the head would not give.
 */
export async function askAnew(
  found: readonly { readonly error: unknown; readonly pointer: DesiredPointer | undefined }[],
  { bus, clock }: { readonly bus: Bus; readonly clock: Pick<Clock, 'now'> },
): Promise<void> {
  const pointers = found.flatMap(({ error, pointer }) =>
    error instanceof LostSnapshot && pointer !== undefined && isOfHead(pointer, error) ? [pointer] : [],
  );
  const at = isoTime(clock.now());
  const byRef = Map.groupBy(pointers, ({ repository, ref }) => `${repository} ${ref}`);
  const hints = [...byRef.values()].flatMap((lost): TrueupEvent[] => {
    const [pointer] = lost;
    if (pointer === undefined) return [];
    const { repository, ref, examined } = pointer;
    const known = { before: examined.sha, after: examined.sha, deleted: false };
    const anew = [...new Set(lost.map(({ target }) => target.application))].slice(0, applicationsTold);
    const origin = { deliveryId: `lost-snapshot-${repository}-${at}`, provider: 'trueup' };
    return [{ type: 'PushReceived', detail: { version: 1, at, ...origin, repository, ref, ...known, anew } }];
  });
  if (hints.length > 0) await bus.publish(hints);
}

function isOfHead({ snapshot, pin, failed }: DesiredPointer, error: LostSnapshot): boolean {
  return snapshot === error.snapshot && pin === undefined && failed === undefined;
}
