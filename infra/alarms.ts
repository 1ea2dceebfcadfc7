import { Duration, Stack } from 'aws-cdk-lib/core';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { alarmKinds, alarmName } from '../core/contract/alarms.ts';
import type { AlarmKind } from '../core/contract/alarms.ts';
import type { StackConfig } from '../core/contract/config.ts';
import { dimensions, metricNamespace, metrics } from '../core/contract/metrics.ts';
import type { MetricName } from '../core/contract/metrics.ts';
import type { NamedQueues } from './target-queues.ts';
import type { TrueUpFunction } from './trueup-function.ts';

export interface AlarmsProps {
  readonly config: StackConfig;
  readonly webhook: TrueUpFunction;
  readonly deadLetters: Readonly<Record<string, Queue>>;
}

interface Watch {
  readonly kind: AlarmKind;
  /** Which of several: queue or fault. */
  readonly of?: string;
  readonly metric: IMetric;
  readonly above: number;
  readonly says: string;
  readonly missing?: TreatMissingData;
  /** How many periods one bad value counts for; 1 when left out. */
  readonly periods?: number;
}

// A sweep sends the value once a period; one that is a second late leaves a period empty, and the alarm must not flap.
const gaugePeriods = 2;

// Longer than the longest delay of a message, and than a dead function keeps one from being seen.
const longestWait = Duration.minutes(20);

/** Every alarm of the installation, and the topic that hears of each change to ALARM and back to OK. */
export class Alarms extends Construct {
  readonly topic: Topic;
  readonly alarms: Alarm[] = [];
  readonly #fleet: string;
  readonly #sweep: Duration;

  constructor(scope: Construct, id: string, { config, webhook, deadLetters }: AlarmsProps) {
    super(scope, id);
    this.#fleet = config.fleet;
    this.#sweep = Duration.minutes(config.sweepMinutes);
    this.topic = this.#makeTopic();
    this.#watchFleet();
    if (config.discovery.length > 0) this.#watchDiscovery();
    if (config.canary !== undefined) this.#watchCanary();
    this.#watchWebhook(webhook);
    for (const [name, queue] of Object.entries(deadLetters)) this.#watchDeadLetters(name, queue);
  }

  /** Work that waits too long: there is more of it than is allowed at once, or nobody takes it. */
  watchBacklog(queues: NamedQueues): void {
    for (const [name, { queue }] of Object.entries(queues)) {
      this.#watch({
        kind: alarmKinds.backlog,
        of: name,
        metric: queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(5) }),
        above: longestWait.toSeconds(),
        says: `Work waits in the queue ${name} for more than ${longestWait.toMinutes()} minutes`,
      });
    }
  }

  /** A function behind no queue: nobody hears of its failures but who asks. */
  watchDashboard({ function: { functionName } }: TrueUpFunction): void {
    this.#watch({
      kind: alarmKinds.dashboardErrors,
      metric: ofFunction(functionName, 'Url5xxCount'),
      above: 0,
      says: 'The dashboard was answered with errors',
    });
  }

  watchDeadLetters(queues: NamedQueues): void {
    for (const [name, { deadLetters }] of Object.entries(queues)) this.#watchDeadLetters(name, deadLetters);
  }

  #makeTopic(): Topic {
    // Not encrypted at rest: CloudWatch can publish only under a key of our own (1 USD a month), and an alarm says
    // nothing but names.
    const topic = new Topic(this, 'Topic', { displayName: `trueup ${this.#fleet}`, enforceSSL: true });
    // A policy of its own replaces the default one, which would have let CloudWatch publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    return topic;
  }

  #watchDiscovery(): void {
    this.#watch({
      kind: alarmKinds.failedDiscovery,
      metric: this.#metric(metrics.failedDiscoveries),
      above: 0,
      periods: gaugePeriods,
      says: 'For three sweeps an account and region did not say which clusters it has: new ones are not served',
    });
  }

  #watchCanary(): void {
    const day = Duration.days(1);
    this.#watch({
      kind: alarmKinds.canary,
      metric: this.#metric(metrics.canary, { period: day }),
      above: day.toSeconds(),
      missing: TreatMissingData.BREACHING,
      says: 'For a day no change of the canary was found and put right: drift may go unseen',
    });
  }

  /** All are of the fleet: which clusters there are is not known at synth, and each alarm costs as much as its checks. */
  #watchFleet(): void {
    const unchecked = Duration.minutes(this.#sweep.toMinutes() * 3);
    this.#watch({
      kind: alarmKinds.drift,
      metric: this.#metric(metrics.driftedObjects),
      above: 0,
      periods: gaugePeriods,
      says: 'Objects differ from what was last applied (`trueup status` says on which clusters)',
    });
    this.#watch({
      kind: alarmKinds.degraded,
      metric: this.#metric(metrics.degradedTargets),
      above: 0,
      periods: gaugePeriods,
      says: 'An application is Degraded',
    });
    this.#watch({
      kind: alarmKinds.unchecked,
      // Over three sweeps at once, so that one late report is not yet silence.
      metric: this.#metric(metrics.oldestCheck, { period: unchecked }),
      above: unchecked.toSeconds(),
      missing: TreatMissingData.BREACHING,
      says: 'A cluster, or an application on it, was not checked for three sweeps',
    });
    this.#watch({
      kind: alarmKinds.failedSnapshots,
      // Sent when a repository fails and when it recovers, and not in between: the state stays until the next value,
      // and the period is short so that both do not fall into one.
      metric: this.#metric(metrics.failedSnapshots, { period: Duration.minutes(1) }),
      above: 0,
      missing: TreatMissingData.IGNORE,
      says: 'A commit could not be followed (a fault, or no good signature): what failed stays at its last good snapshot',
    });
    this.#watch({
      kind: alarmKinds.healLoop,
      metric: this.#metric(metrics.healLoops),
      above: 0,
      periods: gaugePeriods,
      says: 'Somebody changes a field again after each heal: it is left alone now',
    });
    this.#watch({
      kind: alarmKinds.missedDrift,
      metric: this.#metric(metrics.missedDrift, { statistic: Stats.SUM }),
      above: 0,
      says: 'Objects drifted although nothing had said that they changed: the fast check missed them',
    });
    this.#watch({
      kind: alarmKinds.restored,
      metric: this.#metric(metrics.restoredServers, { statistic: Stats.SUM }),
      above: 0,
      says: 'An API server is older than it was, as after a restore from a backup',
    });
    this.#watch({
      kind: alarmKinds.failedRuns,
      metric: this.#metric(metrics.failedRuns),
      above: 0,
      periods: gaugePeriods,
      says: 'The last run of a target failed or was blocked: it is not what Git says',
    });
  }

  #watchWebhook({ function: { functionName } }: TrueUpFunction): void {
    const counted = { failed: 'Url5xxCount', throttled: 'Throttles' };
    for (const [what, metricName] of Object.entries(counted)) {
      this.#watch({
        kind: alarmKinds.webhookErrors,
        of: what,
        metric: ofFunction(functionName, metricName),
        above: 0,
        says: `Webhooks ${what}: the Git host may not deliver them again`,
      });
    }
  }

  #watchDeadLetters(name: string, queue: Queue): void {
    this.#watch({
      kind: alarmKinds.deadLetters,
      of: name,
      metric: queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5) }),
      above: 0,
      says: `Work was given up and lies in the dead-letter queue of ${name}`,
    });
  }

  #metric(
    metricName: MetricName,
    options: { readonly period?: Duration; readonly statistic?: string } = {},
  ): Metric {
    return new Metric({
      namespace: metricNamespace,
      metricName,
      dimensionsMap: { [dimensions.fleet]: this.#fleet },
      statistic: Stats.MAXIMUM,
      period: this.#sweep,
      ...options,
    });
  }

  #watch({ kind, of, metric, above, says, missing, periods = 1 }: Watch): void {
    const name = alarmName(this.#fleet, kind, of);
    const alarm = new Alarm(this, [kind, ...(of === undefined ? [] : [of])].join('-'), {
      alarmName: name,
      alarmDescription: `${says}. What to do: docs/runbook.md#${kind}`,
      metric,
      threshold: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: periods,
      datapointsToAlarm: 1,
      treatMissingData: missing ?? TreatMissingData.NOT_BREACHING,
    });
    const tell = new SnsAction(this.topic);
    alarm.addAlarmAction(tell);
    alarm.addOkAction(tell);
    this.alarms.push(alarm);
  }
}

/** How often within five minutes. */
function ofFunction(functionName: string, metricName: string): Metric {
  return new Metric({
    namespace: 'AWS/Lambda',
    metricName,
    dimensionsMap: { FunctionName: functionName },
    statistic: Stats.SUM,
    period: Duration.minutes(5),
  });
}
