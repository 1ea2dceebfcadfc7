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
import type { TrueUpFunction } from './trueup-function.ts';

export interface AlarmsProps {
  readonly config: StackConfig;
  readonly webhook: TrueUpFunction;
  readonly deadLetters: Readonly<Record<string, Queue>>;
}

interface Watch {
  readonly kind: AlarmKind;
  /** Which of several: cluster, queue or fault. */
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
    for (const { name } of config.clusters) this.#watchCluster(name);
    this.#watchFleet();
    this.#watchWebhook(webhook);
    for (const [name, queue] of Object.entries(deadLetters)) this.#watchDeadLetters(name, queue);
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

  #watchCluster(cluster: string): void {
    const unchecked = Duration.minutes(this.#sweep.toMinutes() * 3);
    this.#watch({
      kind: alarmKinds.drift,
      of: cluster,
      metric: this.#metric(metrics.driftedObjects, { cluster }),
      above: 0,
      periods: gaugePeriods,
      says: `Objects on cluster ${cluster} differ from what was last applied`,
    });
    this.#watch({
      kind: alarmKinds.degraded,
      of: cluster,
      metric: this.#metric(metrics.degradedTargets, { cluster }),
      above: 0,
      periods: gaugePeriods,
      says: `An application on cluster ${cluster} is Degraded`,
    });
    this.#watch({
      kind: alarmKinds.unchecked,
      of: cluster,
      // Over three sweeps at once, so that one late report is not yet silence.
      metric: this.#metric(metrics.oldestCheck, { cluster, period: unchecked }),
      above: unchecked.toSeconds(),
      missing: TreatMissingData.BREACHING,
      says: `Cluster ${cluster}, or an application on it, was not checked for three sweeps`,
    });
  }

  #watchFleet(): void {
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
      metric: this.#metric(metrics.healLoops, {}),
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
      metric: this.#metric(metrics.failedRuns, { statistic: Stats.SUM }),
      above: 0,
      says: 'A run failed or was blocked: its target is not what Git says',
    });
  }

  #watchWebhook({ function: { functionName } }: TrueUpFunction): void {
    const counted = { failed: 'Url5xxCount', throttled: 'Throttles' };
    for (const [what, metricName] of Object.entries(counted)) {
      this.#watch({
        kind: alarmKinds.webhookErrors,
        of: what,
        metric: new Metric({
          namespace: 'AWS/Lambda',
          metricName,
          dimensionsMap: { FunctionName: functionName },
          statistic: Stats.SUM,
          period: Duration.minutes(5),
        }),
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
    { cluster, ...options }: { cluster?: string; period?: Duration; statistic?: string },
  ): Metric {
    return new Metric({
      namespace: metricNamespace,
      metricName,
      dimensionsMap: {
        [dimensions.fleet]: this.#fleet,
        ...(cluster === undefined ? {} : { [dimensions.cluster]: cluster }),
      },
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
