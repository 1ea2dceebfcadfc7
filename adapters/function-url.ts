import * as z from 'zod';

/** Lambda function URL, payload format 2.0: the parts we read. */
const requestSchema = z.object({
  rawPath: z.string(),
  rawQueryString: z.string().default(''),
  requestContext: z.object({ http: z.object({ method: z.string(), sourceIp: z.string() }) }),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});

export interface UrlRequest {
  readonly method: string;
  readonly path: string;
  /** Of a name that is there twice, the last. */
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes as they came over the wire. */
  readonly body: Uint8Array;
  readonly text: string;
  /** As AWS saw it. */
  readonly sourceIp: string;
}

export interface UrlResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded?: true;
}

/** Lambda's event as an HTTP request. Throws when the event is not that of a function URL. */
export function readUrlRequest(event: unknown): UrlRequest {
  const { rawPath, rawQueryString, requestContext, headers, body, isBase64Encoded } =
    requestSchema.parse(event);
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    method: requestContext.http.method,
    sourceIp: requestContext.http.sourceIp,
    path: rawPath,
    query: Object.fromEntries(new URLSearchParams(rawQueryString)),
    headers: Object.fromEntries(lowered),
    body: bytes,
    text: isBase64Encoded ? bytes.toString('utf8') : body,
  };
}

export function jsonResponse(statusCode: number, body: object): UrlResponse {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { statusCode, headers, body: JSON.stringify(body) };
}
