import {
  AlarmStatusWidget,
  Dashboard as CdkDashboard,
  GraphWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  MathExpression,
  Metric,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric, IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { StackConfig } from '../core/contract/config.ts';
import { dimensions, metricNamespace, metrics } from '../core/contract/metrics.ts';
import type { MetricName } from '../core/contract/metrics.ts';
import type { Alarms } from './alarms.ts';
import type { Functions } from './functions.ts';
import type { Queues } from './queues.ts';
import type { TrueUpFunction } from './trueup-function.ts';

export interface DashboardProps {
  readonly config: StackConfig;
  readonly alarms: Alarms;
  readonly functions: Functions;
  readonly queues: Queues;
}

const width = 8;

/** One screen: what is wrong, then the fleet by cluster, then the machinery. */
export class Dashboard extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, { config, alarms, functions, queues }: DashboardProps) {
    super(scope, id);
    this.name = `trueup-${config.fleet}`;
    const work = [queues.pushes, queues.runs, queues.later, queues.sweeps, queues.intake];
    new CdkDashboard(this, 'Dashboard', {
      dashboardName: this.name,
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', width: width * 3, alarms: alarms.alarms })],
        [
          byCluster(config, 'Drifted objects', metrics.driftedObjects),
          byCluster(config, 'Oldest drift (s)', metrics.oldestDrift),
          byCluster(config, 'Oldest check (s)', metrics.oldestCheck),
        ],
        [
          byCluster(config, 'Degraded targets', metrics.degradedTargets),
          graph('Failures', [
            ofFleet(config, metrics.failedSnapshots, Stats.MAXIMUM),
            ofFleet(config, metrics.failedRuns, Stats.MAXIMUM),
          ]),
          byCluster(config, 'Fields of others', metrics.foreignFields),
        ],
        [
          graph('Push to applied and to healthy (s)', [
            ofFleet(config, metrics.leadTimeApplied, Stats.percentile(50)),
            ofFleet(config, metrics.leadTimeHealthy, Stats.percentile(50)),
            ofFleet(config, metrics.leadTimeHealthy, Stats.percentile(95)),
          ]),
          graph('Drift: change to record, and to heal (s)', [
            ofFleet(config, metrics.detectTime, Stats.percentile(50)),
            ofFleet(config, metrics.healTime, Stats.percentile(50)),
          ]),
          byCluster(config, 'Requests put off by API servers', metrics.throttledRequests, Stats.SUM),
        ],
        [
          fromLog('Last sweeps by cluster', functions.sweep, [
            "filter message = 'cluster swept'",
            'stats count() as sweeps, avg(milliseconds) as ms, avg(requests) as requests, sum(throttled) as putOff, avg(s3Writes) as s3Writes by cluster',
            'sort requests desc',
          ]),
          fromLog('Slowest runs', functions.reconcile, [
            "filter message = 'run ran'",
            'fields @timestamp, cluster, application, reason, outcome, milliseconds, requests, trace',
            'sort milliseconds desc',
            'limit 20',
          ]),
          graph(
            'Invocations: what the bill goes by',
            functions.all.map((each) => each.function.metricInvocations()),
          ),
        ],
        [
          graph(
            'Oldest message (s)',
            work.map(({ queue }) => queue.metricApproximateAgeOfOldestMessage()),
          ),
          graph(
            'Function errors',
            functions.all.map((each) => each.function.metricErrors()),
          ),
          graph(
            'Function duration (ms)',
            functions.all.map((each) => each.function.metricDuration()),
          ),
        ],
      ],
    });
  }
}

function graph(title: string, left: IMetric[]): IWidget {
  return new GraphWidget({ title, width, left, leftYAxis: { min: 0 } });
}

/** What is in the log already need not be a metric: it is read when somebody looks. */
function fromLog(title: string, from: TrueUpFunction, queryLines: string[]): IWidget {
  const logGroupNames = [from.function.logGroup.logGroupName];
  return new LogQueryWidget({
    title,
    width,
    view: LogQueryVisualizationType.TABLE,
    logGroupNames,
    queryLines,
  });
}

function ofFleet({ fleet }: StackConfig, metricName: MetricName, statistic: string): Metric {
  const dimensionsMap = { [dimensions.fleet]: fleet };
  return new Metric({ namespace: metricNamespace, metricName, dimensionsMap, statistic });
}

/** Whatever clusters there are: those found by their tags are not known at synth. */
function byCluster(
  { fleet }: StackConfig,
  title: string,
  metricName: MetricName,
  statistic: string = Stats.MAXIMUM,
): IWidget {
  const names = [metricNamespace, dimensions.fleet, dimensions.cluster].join(',');
  const search = `{${names}} MetricName="${metricName}" ${dimensions.fleet}="${fleet}"`;
  const expression = `SEARCH('${search}', '${statistic}')`;
  return graph(title, [new MathExpression({ expression, label: '', usingMetrics: {} })]);
}
