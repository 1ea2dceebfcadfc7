import type { TrueupEvent } from '../../core/contract/events.ts';
import type { MemoryCluster } from '../fakes/memory-cluster.ts';
import type { Deliveries } from './deliveries.ts';
import type { GitHost } from './git-host.ts';
import type { PullRequests } from './pull-requests.ts';
import type { QueueName, SimulatedQueue } from './queue.ts';
import type { QuietTime } from './quiet.ts';
import type { Surroundings } from './surroundings.ts';
import type { Watch } from './watch.ts';

/** The world as the functions and their ports see it. */
export interface InnerWorld extends Surroundings {
  readonly host: GitHost;
  readonly deliveries: Deliveries;
  readonly pulls: PullRequests;
  readonly watch: Watch;
  readonly quiet: QuietTime;
  readonly queues: Readonly<Record<QueueName, SimulatedQueue>>;
  readonly clusterOf: (name: string) => MemoryCluster;
  /** Ends the simulation: whoever caught this would hide it. */
  fail(error: unknown): void;
  nextId(): string;
  /** What the bus does with an event of ours. */
  announce(event: TrueupEvent): void;
}
