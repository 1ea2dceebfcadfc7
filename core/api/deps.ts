import type { StackConfig } from '../contract/config.ts';
import type { Bus, Clock, Ids, Queues, Store } from '../ports.ts';
import type { LiveClusters } from '../live-ports.ts';
import type { FleetBook } from '../view/fleet-book.ts';

/** What the API is answered from. */
export interface ApiDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly bus: Bus;
  readonly queues: Pick<Queues, 'run'>;
  readonly config: StackConfig;
  /** Kept between requests: only what changed is read again. */
  readonly book: FleetBook;
  /** Of trueup. */
  readonly version: string;
  /** The records are those of an installation on AWS, and not of a store of one's own, which costs nothing of it. */
  readonly installed: boolean;
  /** Clusters that can be looked at with the rights of who is at this machine; absent: none. */
  readonly live?: LiveClusters;
}
