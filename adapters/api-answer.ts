import { gunzipSync } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { answerText } from './api-fault.ts';
import { faultIn } from './protobuf-list.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'PATCH' | 'DELETE';
  /** Escaped path below the server's prefix. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly accept?: string;
  readonly body?: { readonly contentType: string; readonly text: string };
  /** Leave the body of a 200 as it came: most often nobody wants to know what is in it. */
  readonly unparsed?: true;
  /** Ask for the body only if it is another than that of this ETag; else the answer is 304. */
  readonly unless?: string | undefined;
}

export interface ApiResponse {
  readonly status: number;
  /** Parsed JSON; text where the server sent something else. */
  readonly body: unknown;
  /** In place of the body, where it was to be left as it came. */
  readonly bytes?: Buffer;
  /** Texts of `Warning` headers. */
  readonly warnings: readonly string[];
  readonly etag?: string | undefined;
  /** Seconds, where the server named a delay. */
  readonly retryAfter?: number | undefined;
}

type Raw = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>;

/** Reads the whole answer; throws what the connection threw, or SyntaxError when it broke off unseen. */
export async function answerOf(
  { statusCode, headers, body: content }: Raw,
  { unparsed }: Pick<ApiRequest, 'unparsed'> = {},
): Promise<ApiResponse> {
  const isZipped = headerOf(headers['content-encoding']) === 'gzip';
  const type = headerOf(headers['content-type']);
  const rest = {
    status: statusCode,
    warnings: warningsIn(headers['warning']),
    etag: headerOf(headers['etag']) || undefined,
    retryAfter: Number(headerOf(headers['retry-after'])) || undefined,
  };
  if (unparsed === true) {
    const came = Buffer.from(await content.arrayBuffer());
    const bytes = isZipped ? gunzipSync(came) : came;
    if (statusCode === 200) return { ...rest, body: undefined, bytes };
    // What went wrong is told in the same way as what was asked for.
    const body: unknown = type.startsWith('application/json') ? JSON.parse(bytes.toString()) : faultIn(bytes);
    return { ...rest, body };
  }
  const isJson = type.startsWith('application/json');
  const text = isZipped ? gunzipSync(await content.arrayBuffer()).toString('utf8') : await content.text();
  const body: unknown = isJson && text !== '' ? JSON.parse(text) : text;
  return { ...rest, body };
}

/** For how long the server wants us to wait before it does what it did not do now. */
export function secondsAsked(
  { method }: ApiRequest,
  { status, retryAfter }: ApiResponse,
): number | undefined {
  if (status === 429) return retryAfter ?? 1;
  return (status === 503 || status === 504) && method === 'GET' ? retryAfter : undefined;
}

/** A kind whose storage is still being opened speaks for itself alone: nobody else need wait. */
export function isOfOneKind({ status, body }: ApiResponse): boolean {
  return answerText(status, body).includes('storage is (re)initializing');
}

function headerOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.[0] ?? '');
}

/** `299 - "unknown field \"spec.foo\""` gives `unknown field "spec.foo"`. */
function warningsIn(value: string | readonly string[] | undefined): string[] {
  const lines = typeof value === 'string' ? [value] : (value ?? []);
  return lines.map((line) => line.replace(/^299 \S+ "(.*)"$/, '$1').replaceAll('\\"', '"'));
}
