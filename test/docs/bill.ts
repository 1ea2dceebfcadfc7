/**
 * What `docs/cost.md` computes: counts of the template and of the code times list prices of us-east-1 in USD. The test
 * beside this holds the counts against the template and the page against the figures; nobody was billed them.
 */

const hours = 730;
const minutesBetweenSweeps = 5;
const sweeps = (hours * 60) / minutesBetweenSweeps;

/** The cluster that the page computes with. */
const sample = { targets: 10, objects: 200, targetsWithSecrets: 1 } as const;

/** Assumed and never measured on AWS: seconds of the sweep function for a fleet's message and for such a cluster. */
const seconds = {
  fleetSweep: 0.2,
  // To connect, to list the records and the objects. Exact checks come four times a day, and are less than the rest.
  clusterSweep: 1,
} as const;

/** Five long polls of 20 s at any time. Lambda goes down to two only where no maximum concurrency is set. */
const pollsPerQueue = (hours * 3600 * 5) / 20;

/** Requests of one sweep of one cluster that finds nothing, counted in `core/sweep.ts` and what it calls. */
const perSweep = {
  s3Get: 2,
  s3PutOrList: 10,
  secrets: 2,
  metrics: 1,
  /** Snapshots are read by exact checks alone: four times a day. */
  kms: (sample.targetsWithSecrets * 4) / (24 * (60 / minutesBetweenSweeps)),
  /** The fleet's message becomes this one: sent and deleted; its receive is one of the polls. */
  sqs: 2,
  logBytes: 1500,
} as const;

export interface Line {
  readonly item: string;
  readonly count: number;
  /** USD for one. */
  readonly price: number;
}

const million = 1_000_000;
const arm = 0.0000133334;

export const fixed: readonly Line[] = [
  { item: 'Alarms', count: 13, price: 0.1 },
  { item: 'Dashboard', count: 1, price: 3 },
  { item: 'KMS key', count: 1, price: 1 },
  { item: 'Secrets', count: 2, price: 0.4 },
  { item: 'Polling, standard queues', count: 4 * pollsPerQueue, price: 0.4 / million },
  { item: 'Polling, FIFO queue', count: pollsPerQueue, price: 0.5 / million },
  { item: 'Sweep function, fleet message', count: sweeps * seconds.fleetSweep, price: arm },
];

export const perCluster: readonly Line[] = [
  { item: 'Alarms', count: 3, price: 0.1 },
  { item: 'Custom metrics', count: 1, price: 0.3 },
  { item: 'S3 GET', count: sweeps * perSweep.s3Get, price: 0.4 / million },
  { item: 'S3 PUT and LIST', count: sweeps * perSweep.s3PutOrList, price: 5 / million },
  { item: 'Sweep function', count: sweeps * seconds.clusterSweep, price: arm },
  { item: 'Invocations', count: sweeps, price: 0.2 / million },
  { item: 'Secrets Manager calls', count: sweeps * perSweep.secrets, price: 5 / million },
  { item: 'PutMetricData calls', count: sweeps * perSweep.metrics, price: 10 / million },
  { item: 'KMS calls', count: sweeps * perSweep.kms, price: 3 / million },
  { item: 'SQS requests', count: sweeps * perSweep.sqs, price: 0.4 / million },
  { item: 'Logs', count: (sweeps * perSweep.logBytes) / 1e9, price: 0.5 },
];

export function sumOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { count, price }) => sum + count * price, 0);
}

/** USD a month for so many clusters like the sample. */
export function totalFor(clusters: number): number {
  return sumOf(fixed) + clusters * sumOf(perCluster);
}
