import { hoursInMonth, prices } from './prices.ts';

/** So many of one thing in a month, at USD each. */
interface Line {
  readonly count: number;
  readonly price: number;
}

/** As `docs/cost.md` has them, which a simulated month counts; `test/docs/cost.test.ts` holds these against it. */
export const countedMonth = {
  /** Of one installation, without its options. */
  floor: [
    { count: 21, price: prices.alarm },
    { count: 1, price: prices.dashboard },
    { count: 1, price: prices.kmsKey },
    { count: 2, price: prices.secret },
    { count: 2_628_000, price: prices.sqsStandard },
    { count: 657_000, price: prices.sqsFifo },
    { count: 1_752, price: prices.lambdaArm },
    { count: 11_680, price: prices.s3Get },
    { count: 29_200, price: prices.sqsStandard },
    { count: 1, price: prices.customMetric },
    { count: 8_760, price: prices.putMetricData },
  ],
  /** Of a cluster of 100 applications that is checked every 5 minutes and found clean. */
  cluster: [
    { count: 129_940, price: prices.s3Get },
    { count: 122_640, price: prices.s3Put },
    { count: 17_520, price: prices.sqsStandard },
    { count: 1_034, price: prices.secretRequest },
    { count: 7_361, price: prices.kmsRequest },
    { count: 8_760, price: prices.lambdaArm },
    { count: 8_760, price: prices.lambdaRequest },
    { count: 0.013, price: prices.logsGb },
  ],
} as const satisfies Readonly<Record<string, readonly Line[]>>;

/** USD for a run with the push that it came of: 1,000 of them are 0.50 (docs/cost.md#options). */
const usdOfRun = 0.0005;
const countedSweepMinutes = 5;

/** What an installation had to do this month. */
export interface MonthOfWork {
  readonly clusters: number;
  readonly sweepMinutes: number;
  readonly runs: number;
  /** Since the month began, and of all of it. */
  readonly hours: number;
  readonly hoursOfMonth: number;
}

export interface MonthCost {
  /** So far. */
  readonly usd: number;
  readonly wholeMonth: number;
  /** In a sentence. */
  readonly of: string;
  readonly parts: readonly { readonly name: string; readonly usd: number }[];
}

/** USD of a month so far: what was counted in simulated months, at list prices. Nobody was billed it. */
export function monthCost({ clusters, sweepMinutes, runs, hours, hoursOfMonth }: MonthOfWork): MonthCost {
  const share = hours / hoursInMonth;
  const floor = sumOf(countedMonth.floor) * share;
  const checks = sumOf(countedMonth.cluster) * share * clusters * (countedSweepMinutes / sweepMinutes);
  const work = runs * usdOfRun;
  const usd = floor + checks + work;
  return {
    usd: cents(usd),
    wholeMonth: cents(hours === 0 ? 0 : (usd * hoursOfMonth) / hours),
    of: `an estimate, and no bill: requests as they were counted in simulated months, for clusters of 100 applications, at list prices of us-east-1; without options, taxes, free tiers and traffic`,
    parts: [
      { name: 'the installation', usd: cents(floor) },
      {
        name: `${clusters} ${clusters === 1 ? 'cluster' : 'clusters'}, checked every ${sweepMinutes} min`,
        usd: cents(checks),
      },
      { name: `${runs.toLocaleString('en')} runs`, usd: cents(work) },
    ],
  };
}

export function sumOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { count, price }) => sum + count * price, 0);
}

function cents(usd: number): number {
  return Math.round(usd * 100) / 100;
}
