import type { RepositoryConfig } from '../contract/repository.ts';
import type { Fleet } from '../fleet.ts';
import type { GitHost, PullRequest } from '../host-ports.ts';
import type { Trace } from '../model/trace.ts';
import type { Bus, Clock, Queues } from '../ports.ts';
import type { ExamineDeps } from '../produce/examine.ts';
import type { PullHint } from './ask-host.ts';
import type { Decided } from './decide.ts';
import type { Holder } from './next-pointers.ts';

/** What following pull requests asks of the world. */
export interface EnvironmentDeps extends ExamineDeps {
  readonly host: GitHost;
  readonly bus: Bus;
  readonly queues: Queues;
  readonly clock: Clock;
}

/** Why the pull requests of a repository are looked at: always a hint only (rule 2). */
export interface Reason {
  readonly deliveryId: string;
  /** The message came before: a run may not have been asked for, and a pointer have been moved for nothing. */
  readonly isRepeated?: boolean | undefined;
  /** Nobody asks again before the next poll: a host that does not answer, or shows less than an event told of, is left alone. */
  readonly isLast: boolean;
  readonly trace?: Trace | undefined;
  readonly hint?: PullHint | undefined;
  /** Environments whose snapshot was lost: made again though nothing changed. */
  readonly anew?: readonly string[] | undefined;
}

/** One look at the pull requests of a repository. */
export interface Work {
  readonly repository: RepositoryConfig;
  readonly reason: Reason;
  readonly deps: EnvironmentDeps;
  /** ISO 8601. */
  readonly at: string;
}

/** All that is known before anything is written. */
export interface Situation {
  readonly decided: Decided;
  readonly pulls: ReadonlyMap<string, PullRequest | undefined>;
  readonly fleet: Fleet;
  /** Of all that was decided from, but for the time; absent where the host was not asked. */
  readonly digest?: string;
}

export function holderOf({ repository }: Work, environment: Holder['environment']): Holder {
  return { repository: repository.name, environment };
}
