import * as z from 'zod';
import { Blocked, Retry, messageOf } from '../core/errors.ts';

/** Which cluster, for texts: `cluster b at https://10.0.0.1:6443`. */
export interface ApiServer {
  readonly cluster: string;
  /** Origin and, behind a proxy, a path prefix. */
  readonly server: string;
  /** What is known of it that may explain why it does not answer. */
  readonly circumstances?: string;
}

/** The part of metav1.Status that tells what went wrong. */
const statusSchema = z.object({
  message: z.string().optional(),
  reason: z.string().optional(),
  details: z
    .object({
      kind: z.string().optional(),
      name: z.string().optional(),
      causes: z
        .array(
          z.object({
            reason: z.string().optional(),
            field: z.string().optional(),
            message: z.string().optional(),
          }),
        )
        .optional(),
    })
    .nullish(),
});
export type ApiStatus = z.infer<typeof statusSchema>;

/** The Status in an answer; an unknown group answers in plain text, which has none. */
export function statusOf(body: unknown): ApiStatus {
  return statusSchema.safeParse(body).data ?? {};
}

/** What the server said, or its status code where it said nothing. */
export function answerText(status: number, body: unknown): string {
  return statusOf(body).message ?? `status ${status}`;
}

/** Codes of OpenSSL and Node that mean: whoever answers is not who the CA vouches for. */
const certificateCodes = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_UNTRUSTED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

const advice: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'the connection was refused; check that the API server runs and that the endpoint is its current one',
  ENOTFOUND:
    'its host name does not resolve; check that the cluster still exists, and for a private endpoint the DNS of the VPC',
  EAI_AGAIN: 'its host name could not be looked up just now',
  EHOSTUNREACH: 'there is no route to it; check subnets, route tables and security groups',
  ENETUNREACH: 'there is no route to it; check subnets, route tables and security groups',
};

/**
 * What a failed connection means. Retry where time may mend it; Blocked where a person must: a certificate that the
 * cluster's CA did not sign is never talked to (issue 3: these texts become the reason of Unknown).
 */
export function connectionFault(
  at: ApiServer,
  error: unknown,
  limits: { connect: number; request: number },
): Retry | Blocked {
  const subject = `cluster ${at.cluster} at ${at.server}`;
  const code = codeOf(error);
  if (certificateCodes.has(code)) {
    const message = `its certificate was refused (${code}: ${messageOf(error)}); correct the CA of this cluster, or find out who answers in its place`;
    return new Blocked({ subject, message, cause: error });
  }
  const known = at.circumstances === undefined ? '' : `; ${at.circumstances}`;
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    const message = `no answer within ${limits.connect} s; check that it runs and that its endpoint can be reached from here (address allow-list, security group, VPC)${known}`;
    return new Retry({ subject, message, cause: error });
  }
  if (code === 'TimeoutError') {
    const message = `connected, but a request had no answer within ${limits.request} s; it may be overloaded or hang${known}`;
    return new Retry({ subject, message, cause: error, timedOut: true });
  }
  const advised = advice[code] ?? `the connection broke (${code === '' ? messageOf(error) : code})`;
  const message = `${advised}${known}`;
  return new Retry({ subject, message, cause: error });
}

/** A connection that was alive and is not any more: nothing is known of the server, so a read may be sent again. */
export function isBrokenConnection(error: unknown): boolean {
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(codeOf(error));
}

/** Several addresses tried give an AggregateError: its first failure speaks for all. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? (error.name === 'Error' ? '' : error.name) : '';
}

/** Conflicting fields of a server-side apply: `conflict with "kubectl" using apps/v1` names the manager. */
export function conflictsIn(body: unknown): { readonly field: string; readonly manager: string }[] {
  return (statusOf(body).details?.causes ?? []).flatMap(({ reason, field, message }) =>
    reason === 'FieldManagerConflict' && field !== undefined
      ? [{ field, manager: /"([^"]*)"/.exec(message ?? '')?.[1] ?? 'unknown' }]
      : [],
  );
}

/** What to do about an admission webhook that did not answer: new ones are often not up yet. Undefined for other words. */
export function webhookAdvice(words: string): string | undefined {
  const name = /failed calling webhook "([^"]*)"/.exec(words)?.[1];
  if (name === undefined) return undefined;
  return `the admission webhook ${name} could not be called, so the object waits; if it stays so, look whether its Service has ready endpoints and its configuration the right CA, or delete the configuration where what served it is gone`;
}

/** The API server reads no larger request, and has no setting for it. */
const requestLimit = 3_145_728;

/** Why a body is not worth sending. */
export function oversizeOf(text: string): string | undefined {
  const bytes = Buffer.byteLength(text);
  return bytes > requestLimit ? oversizeText(bytes, requestLimit, 'the largest request it reads') : undefined;
}

/**
 * An answer that means: too large, in whatever words. etcd takes 1.5 MB unless it is set otherwise, ConfigMaps and
 * Secrets may hold 1 MiB, a proxy in between may take less.
 */
export function tooLargeText(status: number, words: string, text: string): string | undefined {
  const bytes = Buffer.byteLength(text);
  const held = /may not be more than (\d+) bytes/.exec(words)?.[1];
  if (held !== undefined) return oversizeText(bytes, Number(held), words);
  if (status === 413)
    return oversizeText(bytes, Number(/limit is (\d+)/.exec(words)?.[1]) || undefined, words);
  if (!/request is too large|message larger than max/.test(words)) return undefined;
  return oversizeText(bytes, 1_572_864, `${words}; etcd's usual limit`);
}

function oversizeText(bytes: number, limit: number | undefined, reason: string): string {
  const megabytes = (count: number): string => `${(count / 1e6).toFixed(2)} MB`;
  const most = limit === undefined ? 'more than' : `more than the ${megabytes(limit)} that`;
  return `the object is ${megabytes(bytes)} as JSON, ${most} the API server takes (${reason}); split it, or keep large content outside of the cluster and name it in the object`;
}
