import type { TrueupEvent } from '../../core/contract/events.ts';
import type { MemoryCluster } from '../fakes/memory-cluster.ts';
import type { Deliveries } from './deliveries.ts';
import type { GitHost } from './git-host.ts';
import type { QueueName, SimulatedQueue } from './queue.ts';
import type { QuietTime } from './quiet.ts';
import type { Surroundings } from './surroundings.ts';
import type { Watch } from './watch.ts';

/** The world as the functions and their ports see it. */
export interface InnerWorld extends Surroundings {
  readonly host: GitHost;
  readonly deliveries: Deliveries;
  readonly watch: Watch;
  readonly quiet: QuietTime;
  readonly queues: Readonly<Record<QueueName, SimulatedQueue>>;
  readonly clusterOf: (name: string) => MemoryCluster;
  nextId(): string;
  /** What the bus does with an event of ours. */
  announce(event: TrueupEvent): void;
}
