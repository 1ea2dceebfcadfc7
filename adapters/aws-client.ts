/**
 * Settings of every AWS SDK client. Without `throwOnRequestTimeout` the SDK only warns,
 * and a silent endpoint would hold a Lambda until its own timeout.
 */
export const awsClient = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 5_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
} as const;
