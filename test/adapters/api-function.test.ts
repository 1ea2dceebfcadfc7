import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { apiResponse, readApiCall } from '../../adapters/api-function.ts';
import { readUrlRequest } from '../../adapters/function-url.ts';

function call(event: {
  method?: string;
  rawPath?: string;
  rawQueryString?: string;
  body?: string;
  isBase64Encoded?: boolean;
}) {
  const { method = 'GET', rawPath = '/api/v1/fleet', ...rest } = event;
  return readApiCall(
    readUrlRequest({ ...rest, rawPath, requestContext: { http: { method, sourceIp: '192.0.2.1' } } }),
  );
}

test("a function URL's event is a question", () => {
  const { method, path, query, body } = call({ rawQueryString: 'q=a%20b&limit=5' });
  assert.deepEqual([method, path, query, body], ['GET', 'fleet', { q: 'a b', limit: '5' }, undefined]);
  assert.equal(call({ rawPath: '/fleet' }).path, '');
  const text = JSON.stringify({ reason: 'x' });
  const sent = { method: 'POST', body: Buffer.from(text).toString('base64'), isBase64Encoded: true };
  assert.deepEqual(
    [call(sent).body, call({ method: 'POST', body: text }).body],
    [{ reason: 'x' }, { reason: 'x' }],
  );
  for (const bad of ['', '{', JSON.stringify('x'.repeat(64 * 1024))])
    assert.equal(call({ method: 'POST', body: bad }).body, undefined);
});

const large = { rows: 'row '.repeat(1_000) };
const answer = (body: unknown) => ({ kind: 'answer', body, etag: '"e1"' }) as const;

test('an answer is compressed where that is worth it and taken', async () => {
  const packed = await apiResponse(answer(large), { 'accept-encoding': 'br, gzip' });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.ok(packed.isBase64Encoded);
  assert.deepEqual(JSON.parse(gunzipSync(Buffer.from(packed.body, 'base64')).toString()), large);
  for (const encoding of ['br', 'gzip;q=0', '']) {
    const plain = await apiResponse(answer(large), { 'accept-encoding': encoding });
    assert.deepEqual(
      [plain.headers['content-encoding'], JSON.parse(plain.body)],
      [undefined, large],
      encoding,
    );
  }
  const small = await apiResponse(answer({}), { 'accept-encoding': 'gzip' });
  assert.deepEqual(
    [small.body, small.headers['etag'], small.headers['cache-control']],
    ['{}', '"e1"', 'private, no-cache'],
  );
});

test('what the browser has is not sent again; a problem is kept by nobody', async () => {
  const same = await apiResponse(answer(large), { 'if-none-match': '"e1"' });
  assert.deepEqual([same.statusCode, same.body], [304, '']);
  for (const [header, status] of [
    ['W/"e1"', 304],
    ['"e0", "e1"', 304],
    ['*', 304],
    ['"e11"', 200],
  ] as const)
    assert.equal((await apiResponse(answer({}), { 'if-none-match': header })).statusCode, status, header);
  const problem = { type: 'about:blank', title: 'no', status: 404, detail: 'x' };
  const told = await apiResponse({ kind: 'problem', problem }, { 'if-none-match': '"e1"' });
  assert.deepEqual(
    [told.statusCode, told.headers['content-type'], told.headers['cache-control'], JSON.parse(told.body)],
    [404, 'application/problem+json', 'no-store', problem],
  );
});

test('an answer that Lambda could not give is told as a problem, with what to do', async () => {
  const body = { rows: 'x'.repeat(6 * 1024 * 1024) };
  const plain = await apiResponse(answer(body), {});
  assert.deepEqual([plain.statusCode, plain.headers['cache-control']], [413, 'no-store']);
  assert.match(plain.body, /gzip/);
  assert.equal((await apiResponse(answer(body), { 'accept-encoding': 'gzip' })).statusCode, 200);
});

test('the size of an answer is that with which it goes to Lambda: as a text in JSON', async () => {
  const body = { rows: Array.from({ length: 800_000 }, () => 'abc') };
  assert.ok(JSON.stringify(body).length < 5 * 1024 * 1024);
  assert.ok(JSON.stringify({ body: JSON.stringify(body) }).length > 6 * 1024 * 1024);
  assert.equal((await apiResponse(answer(body), {})).statusCode, 413);
});
