import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readUrlRequest } from '../../../adapters/function-url.ts';
import type { HookProvider } from '../../../core/contract/hooks.ts';
import { receive } from '../../../core/receive.ts';
import { everyHook, world } from '../../fakes/hook-world.ts';
import { RecordingBus } from '../../fakes/recorders.ts';
import { signed } from '../../fakes/senders.ts';
import { payloadsOf, providers, secretOf, unsigned } from './payloads.ts';

/** Requests for each provider; the seed is fixed, so that a failure is found again and the counts are the same. */
const requests = 500;
const seed = 20_261_123;

/** What is done to a body. Places are taken modulo what there is. */
const bodyChange = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ kind: 'none' } as const) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('leaf' as const), at: fc.nat(), value: fc.jsonValue() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('drop' as const), at: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('bytes' as const),
      edits: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('raw' as const), bytes: fc.uint8Array() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('json' as const), text: fc.json() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deep' as const), depth: fc.nat(20_000) }) },
);
type BodyChange = typeof bodyChange extends fc.Arbitrary<infer C> ? C : never;

const headerChange = fc.array(
  fc.record({
    at: fc.nat(),
    value: fc.option(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '..', '__proto__', '{}')), {
      nil: undefined,
    }),
  }),
  { maxLength: 2 },
);

const fuzzed = fc.record({
  payload: fc.nat(),
  body: bodyChange,
  headers: headerChange,
  changedAfterSigning: fc.integer({ min: 0, max: 4 }).map((dice) => dice === 0),
  changedHeaders: fc.integer({ min: 0, max: 3 }).map((dice) => dice === 0),
  base64: fc.boolean(),
  path: fc.oneof({ weight: 24, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.webPath() }),
});

/** Every object of a JSON value with one of its keys: a place that can be changed. */
function placesOf(value: unknown): { readonly holder: Record<string, unknown>; readonly key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...placesOf(holder[key])]);
}

function changed(text: string, change: BodyChange): Uint8Array {
  const bytes = Buffer.from(text);
  switch (change.kind) {
    case 'none':
      return bytes;
    case 'leaf':
    case 'drop': {
      const body: unknown = JSON.parse(text);
      const places = placesOf(body);
      const place = places[change.at % Math.max(1, places.length)];
      if (place === undefined) return bytes;
      if (change.kind === 'drop') delete place.holder[place.key];
      else place.holder[place.key] = change.value;
      return Buffer.from(JSON.stringify(body));
    }
    case 'bytes':
      for (const [at, byte] of change.edits) bytes[at % bytes.length] = byte;
      return bytes;
    case 'cut':
      return bytes.subarray(0, change.at % bytes.length);
    case 'raw':
      return change.bytes;
    case 'json':
      return Buffer.from(change.text);
    case 'deep':
      break;
  }
  return Buffer.from(`${'['.repeat(change.depth)}${']'.repeat(change.depth)}`);
}

/** The request as Lambda hands it over, with the body as text or in base64. */
function urlEvent(provider: HookProvider, fuzz: typeof fuzzed extends fc.Arbitrary<infer F> ? F : never) {
  const payloads = payloadsOf(provider);
  const payload = payloads[fuzz.payload % payloads.length];
  assert.ok(payload);
  const message = unsigned(provider, payload);
  const body = changed(String(message.body), fuzz.body);
  const request = signed(provider, fuzz.changedAfterSigning ? message : { ...message, body });
  const headers: Record<string, string> = {};
  for (const [name, value = ''] of Object.entries(request.headers)) headers[name] = value;
  const names = Object.keys(headers);
  for (const { at, value } of fuzz.changedHeaders ? fuzz.headers : []) {
    const name = names[at % names.length] ?? '';
    if (value === undefined) delete headers[name];
    else headers[name] = value;
  }
  const sent = Buffer.from(body);
  return {
    rawPath: fuzz.path ?? request.path,
    requestContext: { http: { method: 'POST', sourceIp: request.sourceIp } },
    headers,
    body: fuzz.base64 ? sent.toString('base64') : sent.toString('utf8'),
    isBase64Encoded: fuzz.base64,
  };
}

for (const provider of providers) {
  test(`${provider}: ${requests} changed requests, no 5xx and no throw`, async (context) => {
    const seen = new Map<number, number>();
    const bus = new RecordingBus();
    const { deps, rotate } = world(bus, everyHook);
    rotate({ current: secretOf(provider) });
    const property = fc.asyncProperty(fuzzed, async (fuzz) => {
      const { status, fault } = await receive(readUrlRequest(urlEvent(provider, fuzz)), deps);
      assert.ok(status < 500, `${status}: ${String(fault)}`);
      seen.set(status, (seen.get(status) ?? 0) + 1);
    });
    await fc.assert(property, { numRuns: requests, seed });
    const counts = [...seen].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
    context.diagnostic(`${provider} ${counts.join(', ')}; ${bus.events.length} events`);
    // A fuzz that never gets past the proof, or never through, would prove nothing.
    for (const status of [202, 400]) assert.ok((seen.get(status) ?? 0) > 20, counts.join(', '));
    assert.ok(bus.events.length > 0);
  });
}
