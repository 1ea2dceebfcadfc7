import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { isKnown } from '../core/contract/site-headers.ts';
import { mostBytes, type ApiCall, type ApiReply } from './api-server.ts';
import type { UrlRequest, UrlResponse } from './function-url.ts';

const compress = promisify(gzip);
/** Below that, the headers are most of it. */
const worthCompressing = 1_400;
const prefix = '/api/v1/';

/** A request of the dashboard to its function. A body that is too long or no JSON is undefined, which the API says is a fault. */
export function readApiCall({ method, path, query, text, body }: UrlRequest): ApiCall {
  const below = path.startsWith(prefix) ? path.slice(prefix.length) : '';
  const isRead = method === 'POST' && body.length <= mostBytes;
  return { method, path: below, query, body: isRead ? jsonOf(text) : undefined };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The answer as Lambda takes it: 304 for what the browser has already, compressed where that is worth it. */
export async function apiResponse(reply: ApiReply, headers: UrlRequest['headers']): Promise<UrlResponse> {
  if (reply.kind === 'problem') return problemResponse(reply.problem);
  // `private`: no cache on the way keeps what one person may see.
  const own = {
    'content-type': 'application/json',
    'cache-control': 'private, no-cache',
    vary: 'accept-encoding',
    etag: reply.etag,
  };
  if (isKnown(headers['if-none-match'], reply.etag)) return { statusCode: 304, headers: own, body: '' };
  const body = JSON.stringify(reply.body);
  const isTaken = /(?:^|[\s,])gzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(headers['accept-encoding'] ?? '');
  if (!isTaken || body.length < worthCompressing)
    // It goes to Lambda as a text in JSON, where each of its quotes is two signs.
    return Buffer.byteLength(JSON.stringify(body)) > mostAnswered
      ? problemResponse(tooLong)
      : { statusCode: 200, headers: own, body };
  const text = (await compress(body)).toString('base64');
  if (text.length > mostAnswered) return problemResponse(tooLong);
  return {
    statusCode: 200,
    headers: { ...own, 'content-encoding': 'gzip' },
    body: text,
    isBase64Encoded: true,
  };
}

/** Lambda fails an invocation whose answer is longer than 6 MB, and whoever asked is told nothing; some of it is not ours. */
const mostAnswered = 5.5 * 1024 * 1024;
const tooLong = {
  type: 'about:blank',
  title: 'The answer is longer than the 6 MB that Lambda can give.',
  status: 413,
  detail: 'Ask for less, with gzip (`accept-encoding`), or on a machine of your own with `trueup ui`.',
};

function problemResponse(problem: { readonly status: number }): UrlResponse {
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  return { statusCode: problem.status, headers, body: JSON.stringify(problem) };
}
