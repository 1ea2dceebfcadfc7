import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import { Blocked, Retry } from '../core/errors.ts';

/** Which call failed, in the words of the person who must act on it. */
export interface AwsCall {
  /** What was touched, e.g. `s3://bucket/key` or `secret trueup/hooks/github`. */
  readonly subject: string;
  /** IAM action that the caller needs, e.g. `s3:GetObject`. */
  readonly permission: string;
}

/** What the SDK's own classification takes: an error whose SDK parts may all be missing. */
type SdkFailure = Parameters<typeof isThrottlingError>[0];

/**
 * Sorts what an AWS SDK client threw: Retry for throttling, 5xx, timeouts and lost connections; Blocked for a missing
 * permission or missing credentials. Anything else comes back as it is: the caller knows it, or it is a bug.
 */
export function awsFault(call: AwsCall, error: unknown): unknown {
  if (!isSdkFailure(error)) return error;
  const { subject, permission } = call;
  // Asked before 403: the SDK has tried three times already, and a clock that is off also says 403.
  if (isThrottlingError(error) || isTransientError(error) || isServerError(error)) {
    return new Retry({
      subject,
      message: `AWS did not do ${permission} (${error.name === 'Error' ? error.message : error.name}); try again`,
      cause: error,
    });
  }
  if (error.$metadata?.httpStatusCode === 403 || /^(AccessDenied|AuthorizationError)/.test(error.name)) {
    return new Blocked({
      subject,
      message: `AWS refused ${permission} (${error.name}); allow it to this role, or see what policy denies it`,
      cause: error,
    });
  }
  if (/^(CredentialsProviderError|ExpiredToken|UnrecognizedClient)/.test(error.name)) {
    return new Blocked({
      subject,
      message: `no valid AWS credentials for ${permission} (${error.name}); log in again`,
      cause: error,
    });
  }
  return error;
}

/** HTTP status of an SDK error, undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return isSdkFailure(error) ? error.$metadata?.httpStatusCode : undefined;
}

/** True when the SDK sent the request more than once, so that an earlier try may have done its work unseen. */
export function wasRetried(error: unknown): boolean {
  return isSdkFailure(error) && (error.$metadata?.attempts ?? 1) > 1;
}

function isSdkFailure(error: unknown): error is SdkFailure {
  return error instanceof Error;
}
