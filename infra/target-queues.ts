import { Duration } from 'aws-cdk-lib/core';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { StackConfig } from '../core/contract/config.ts';
import { WorkQueue } from './work-queue.ts';

/** Timeout of the functions that fetch, apply or check. */
export const workTimeout = Duration.minutes(5);

// A minute above the timeout and no more: when a function dies, its message, and for a FIFO queue its whole target,
// waits this long. (AWS advises six times for throttled functions; here `maxConcurrency` keeps those rare.)
export const workVisibility = Duration.minutes(6);

/** Queues of the functions that work on targets: those of the installation, and those of each network. */
export interface TargetQueues {
  /** Run requests, a message group for each target or for each place of a cluster. */
  readonly runs: WorkQueue;
  /** Run requests with a delay, which a FIFO queue has not: health looked at again, retries. */
  readonly later: WorkQueue;
  /** Sweep requests: one for the fleet, which becomes one per cluster. */
  readonly sweeps: WorkQueue;
  /**
   * What pull requests would do on a cluster: apart from the sweeps, so that however many are open, checks wait for none.
   * Made only where pull requests are previewed.
   */
  readonly questions: WorkQueue | undefined;
}

/** The next sweep is the better retry, and of a question the next commit; after an outage only a few old ones may be left. */
const checking = { visibility: workVisibility, attempts: 2, retention: Duration.hours(1) };

/** Makes them right below `scope`. */
export function targetQueues(
  scope: Construct,
  { repositories }: Pick<StackConfig, 'repositories'>,
): TargetQueues {
  const isAsked = repositories.some(({ preview }) => preview !== undefined);
  return {
    // Fewer attempts than elsewhere: a message that kills its function holds up its target all the while.
    runs: new WorkQueue(scope, 'Runs', { fifo: true, visibility: workVisibility, attempts: 3 }),
    later: new WorkQueue(scope, 'Later', { visibility: workVisibility, attempts: 5 }),
    sweeps: new WorkQueue(scope, 'Sweeps', checking),
    questions: isAsked ? new WorkQueue(scope, 'Questions', checking) : undefined,
  };
}

/** A queue and where its given-up work lies, by its name in alarms and for `trueup redrive`. */
export type NamedQueues = Readonly<Record<string, { readonly queue: Queue; readonly deadLetters: Queue }>>;
