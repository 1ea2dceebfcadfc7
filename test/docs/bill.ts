import { hoursInMonth, prices } from '../../core/view/prices.ts';
import { quietMonth, type QuietMonth } from '../simulator/quiet-month.ts';
import type { RequestKind } from '../simulator/requests.ts';

/**
 * The bill of `docs/cost.md`: what simulated installations ask of AWS in a quiet month, and what the template has, times
 * list prices. Nobody was billed it.
 */
export interface Line {
  readonly item: string;
  readonly count: number;
  /** USD for one. */
  readonly price: number;
}

export interface Bill {
  readonly fixed: readonly Line[];
  readonly perCluster: readonly Line[];
}

export const applicationsPerCluster = 100;

/** Of the template; `template.test.ts` holds them against it. */
export const resources = {
  alarms: 21,
  dashboards: 1,
  keys: 1,
  secrets: 2,
  standardQueues: 4,
  fifoQueues: 1,
} as const;

/** Five long polls of 20 s at any time. Lambda goes down to two only where no maximum concurrency is set. */
const pollsPerQueue = (hoursInMonth * 3600 * 5) / 20;

/** Assumed and never measured on AWS: GB-seconds of the sweep function for a fleet's message and for a cluster. */
const gbSeconds = { fleetSweep: 0.2, clusterSweep: 1 } as const;
/** Of one line in the log for each sweep. */
const logBytes = 1500;
const sweepsInMonth = hoursInMonth * 12;

let computed: Promise<Bill> | undefined;

/** Computed once by a process: it takes some seconds. */
export async function computeBill(): Promise<Bill> {
  computed ??= compute();
  return computed;
}

async function compute(): Promise<Bill> {
  const one = await quietMonth(1, applicationsPerCluster);
  const two = await quietMonth(2, applicationsPerCluster);
  const perClusterOf = (figure: (month: QuietMonth) => number): number =>
    Math.max(0, figure(two) - figure(one));
  const fixedOf = (figure: (month: QuietMonth) => number): number =>
    Math.max(0, figure(one) - perClusterOf(figure));
  const asked =
    (...kinds: RequestKind[]) =>
    (month: QuietMonth): number =>
      kinds.reduce((sum, kind) => sum + month.requests(kind), 0);
  const requests = (of: typeof fixedOf): Line[] => [
    { item: 'S3 GET', count: of(asked('s3 get')), price: prices.s3Get },
    { item: 'S3 PUT', count: of(asked('s3 put')), price: prices.s3Put },
    { item: 'S3 LIST', count: of(asked('s3 list')), price: prices.s3Put },
    { item: 'SQS requests', count: of(asked('sqs standard', 'sqs fifo')), price: prices.sqsStandard },
    { item: 'Custom metrics', count: of(({ metrics }) => metrics), price: prices.customMetric },
    { item: 'PutMetricData calls', count: of(asked('metrics')), price: prices.putMetricData },
    { item: 'Secrets Manager calls', count: of(asked('secrets')), price: prices.secretRequest },
    { item: 'KMS calls', count: of(asked('kms')), price: prices.kmsRequest },
  ];
  return {
    fixed: [
      { item: 'Alarms', count: resources.alarms, price: prices.alarm },
      { item: 'Dashboard', count: resources.dashboards, price: prices.dashboard },
      { item: 'KMS key', count: resources.keys, price: prices.kmsKey },
      { item: 'Secrets', count: resources.secrets, price: prices.secret },
      {
        item: 'Polling, standard queues',
        count: resources.standardQueues * pollsPerQueue,
        price: prices.sqsStandard,
      },
      { item: 'Polling, FIFO queue', count: resources.fifoQueues * pollsPerQueue, price: prices.sqsFifo },
      { item: 'Sweep function', count: sweepsInMonth * gbSeconds.fleetSweep, price: prices.lambdaArm },
      ...requests(fixedOf),
    ],
    perCluster: [
      ...requests(perClusterOf),
      { item: 'Sweep function', count: sweepsInMonth * gbSeconds.clusterSweep, price: prices.lambdaArm },
      { item: 'Invocations', count: sweepsInMonth, price: prices.lambdaRequest },
      { item: 'Logs', count: (sweepsInMonth * logBytes) / 1e9, price: prices.logsGb },
    ],
  };
}

/** What runs all the time in place of it, in each cluster: vCPUs and GiB that its pods request, and pods on Fargate. */
interface AlwaysOn {
  readonly cpu: number;
  /** Each pod on Fargate, in the sizes that there are. */
  readonly pods: readonly { readonly cpu: number; readonly gb: number }[];
}

const small = { cpu: 0.25, gb: 0.5 };

/** Flux's own manifests: four controllers that request 50 or 100 m of a CPU and 64 MiB. */
export const flux: AlwaysOn = { cpu: 0.35, pods: [small, small, small, small] };
/** Argo CD publishes no requests: a third party's sizing for 50 to 200 applications, one replica of each. */
export const argo: AlwaysOn = {
  cpu: 1.4,
  pods: [{ cpu: 0.5, gb: 2 }, small, { cpu: 0.5, gb: 1 }, small],
};

/** USD a month of a cluster: the share of nodes that are otherwise full. */
export function onNodes({ cpu }: AlwaysOn): number {
  return (cpu / 2) * prices.node * hoursInMonth;
}

export function onFargate({ pods }: AlwaysOn): number {
  const hourly = pods.reduce((sum, { cpu, gb }) => sum + cpu * prices.fargateCpu + gb * prices.fargateGb, 0);
  return hourly * hoursInMonth;
}
