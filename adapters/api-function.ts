import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
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
  if (reply.kind === 'problem') {
    const own = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
    return { statusCode: reply.problem.status, headers: own, body: JSON.stringify(reply.problem) };
  }
  // `private`: no cache on the way keeps what one person may see.
  const own = {
    'content-type': 'application/json',
    'cache-control': 'private, no-cache',
    vary: 'accept-encoding',
    etag: reply.etag,
  };
  if (headers['if-none-match'] === reply.etag) return { statusCode: 304, headers: own, body: '' };
  const body = JSON.stringify(reply.body);
  const isTaken = /(?:^|[\s,])gzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(headers['accept-encoding'] ?? '');
  if (!isTaken || body.length < worthCompressing) return { statusCode: 200, headers: own, body };
  const compressed = await compress(body);
  return {
    statusCode: 200,
    headers: { ...own, 'content-encoding': 'gzip' },
    body: compressed.toString('base64'),
    isBase64Encoded: true,
  };
}
