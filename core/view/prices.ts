/**
 * Published list prices in USD, us-east-1, as the pricing page of each service gave them in 2026. The one place for
 * them: every figure of `docs/cost.md` and of the dashboard that is computed comes from here.
 */
const million = 1_000_000;

export const prices = {
  alarm: 0.1,
  dashboard: 3,
  customMetric: 0.3,
  putMetricData: 10 / million,
  logsGb: 0.5,
  kmsKey: 1,
  kmsRequest: 3 / million,
  secret: 0.4,
  secretRequest: 5 / million,
  sqsStandard: 0.4 / million,
  sqsFifo: 0.5 / million,
  s3Get: 0.4 / million,
  /** PUT, COPY, POST and LIST; DELETE is free. */
  s3Put: 5 / million,
  lambdaRequest: 0.2 / million,
  /** A GB-second on arm64. */
  lambdaArm: 0.0000133334,
  /** A vCPU and a GB for an hour. */
  fargateCpu: 0.04048,
  fargateGb: 0.004445,
  /** An hour of an m6i.large, which has two vCPUs and 8 GiB. */
  node: 0.096,
} as const;

export const hoursInMonth = 730;
