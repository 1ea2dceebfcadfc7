import { Duration, Stack } from 'aws-cdk-lib/core';
import { FilterPattern, LogGroup, SubscriptionFilter } from 'aws-cdk-lib/aws-logs';
import { LambdaDestination } from 'aws-cdk-lib/aws-logs-destinations';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { auditFilterPattern, auditLogGroup } from '../core/contract/audit.ts';
import { placeOf } from '../core/contract/cluster-access.ts';
import type { ClusterConfig } from '../core/contract/config.ts';
import type { Storage } from './storage.ts';
import type { TargetWorld } from './target-functions.ts';
import { workVisibility, type NamedQueues } from './target-queues.ts';
import { TrueUpFunction } from './trueup-function.ts';
import { deadLetterQueue, WorkQueue } from './work-queue.ts';

export interface AuditProps extends TargetWorld {
  /** Checks what was written: the function that sweeps, outside of networks. */
  readonly sweep: TrueUpFunction;
}

/** Follows the audit logs of clusters (issue 6): drift of theirs is found in seconds, with who it was. An option. */
export class Audit extends Construct {
  readonly function: TrueUpFunction;
  /** Requests for checks, which wait behind no sweep. */
  readonly checks: WorkQueue;
  /** Batches of log lines that were given up. */
  readonly deadLetters: Queue;
  readonly #storage: Storage;
  /** Functions that may read what is kept. */
  readonly #readers = new Set<TrueUpFunction>();

  constructor(scope: Construct, id: string, { configAsset, storage, code, sweep }: AuditProps) {
    super(scope, id);
    this.#storage = storage;
    // What is lost here the next sweep finds.
    const hint = { visibility: workVisibility, attempts: 2, retention: Duration.hours(1) };
    this.checks = new WorkQueue(this, 'Checks', hint);
    this.checks.feed(sweep, 5);
    // Log lines hold what people wrote to the cluster: no longer than it takes to see what went wrong.
    this.deadLetters = deadLetterQueue(this, 'DeadLetters', { retentionPeriod: Duration.days(1) });
    this.function = new TrueUpFunction(this, 'Audit', {
      description: 'Follows audit logs of clusters and asks for checks of what others wrote to',
      code: code('audit'),
      timeout: Duration.minutes(1),
      memoryMiB: 1024,
      deadLetters: this.deadLetters,
    });
    configAsset.grant(this.function);
    storage.grant(this.function, { read: ['inventory'], write: ['audit'] });
    this.checks.grantSend(this.function, 'sweepQueue');
  }

  /** By their names in alarms. */
  get work(): NamedQueues {
    const { checks, deadLetters } = this;
    return { checks, audit: { queue: checks.queue, deadLetters } };
  }

  /**
   * Subscribes to the log of one control plane, which must be switched on already; a log group takes two subscriptions, and
   * where both are taken the deployment fails. `sweep` checks that cluster. Throws for a cluster whose logs are in another account or region.
   */
  follow({ name, access }: ClusterConfig, sweep: TrueUpFunction): void {
    if (access.type !== 'eks')
      throw new Error(`cluster ${name}: only EKS clusters have audit logs to follow`);
    const { name: eksName, region, account } = placeOf(access);
    const stack = Stack.of(this);
    // Of a stack without an environment nobody knows where it will be: there only a name alone says "here".
    const isElsewhere = (of: string | undefined, here: string): boolean => of !== undefined && of !== here;
    if (isElsewhere(region, stack.region) || isElsewhere(account, stack.account)) {
      throw new Error(
        `cluster ${name}: CloudWatch Logs sends a function only the logs of its own account and region, and the stack's are not known to be those: give the stack its env, or leave audit out`,
      );
    }
    if (!this.#readers.has(sweep)) this.#storage.grant(sweep, { write: ['audit'] });
    this.#readers.add(sweep);
    new SubscriptionFilter(this, `Log-${name}`, {
      logGroup: LogGroup.fromLogGroupName(this, `Group-${name}`, auditLogGroup(eksName)),
      destination: new LambdaDestination(this.function.function),
      filterPattern: FilterPattern.literal(auditFilterPattern),
    });
  }
}
