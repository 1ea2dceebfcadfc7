import assert from 'node:assert/strict';
import { test } from 'node:test';
import { receive } from '../../core/receive.ts';
import { delivery, examplesOf } from '../fakes/github-delivery.ts';
import { world } from '../fakes/hook-world.ts';

/** Mulberry32: the same numbers at every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function mutated(text: string, below: (limit: number) => number): Buffer {
  const bytes = Buffer.from(text);
  const at = below(bytes.length);
  switch (below(6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]);
    case 2:
      return Buffer.from(text.replaceAll('"refs/', `"${'../'.repeat(below(4))}`));
    case 3:
      return Buffer.from(
        text.replaceAll(/"(ref|before|after|clone_url|full_name)":"[^"]*"/g, (member) =>
          below(2) === 0
            ? member
            : member.replace(/:.*/, `:${['null', '[]', '1e999', '""', '{"a":"b"}'][below(5)]}`),
        ),
      );
    default:
      for (let count = below(8); count >= 0; count -= 1) bytes[below(bytes.length)] = below(256);
      return bytes;
  }
}

test('no mutation of body, headers or route gives a 5xx or throws', async () => {
  const below = numbers(20_261_123);
  const { deps, bus } = world();
  const seen = new Map<number, number>();
  const junk = [
    '',
    'push',
    '\0',
    '../..',
    'sha256=',
    'ü'.repeat(50),
    'application/json',
    'x'.repeat(5_000),
    '__proto__',
  ];
  const examples = ['push', 'ping', 'issues'].flatMap((event) =>
    examplesOf(event).map((body) => ({ event, body })),
  );
  for (let round = 0; round < 3_000; round += 1) {
    const { event, body } = examples[below(examples.length)] ?? { event: 'push', body: {} };
    const text = JSON.stringify(body);
    const request = delivery({
      id: `fuzz-${round}`,
      event,
      body: below(3) > 0 ? mutated(text, below) : text,
    });
    const headers: Record<string, string | undefined> = { ...request.headers };
    const names = Object.keys(headers);
    if (below(4) === 0)
      headers[names[below(names.length)] ?? ''] = below(4) === 0 ? undefined : junk[below(junk.length)];
    const path = below(20) === 0 ? `/hooks/${junk[below(junk.length)]}` : request.path;
    const { status } = await receive({ ...request, headers, path }, deps);
    assert.ok(status < 500, `round ${round}: ${status}`);
    seen.set(status, (seen.get(status) ?? 0) + 1);
  }
  // The fuzz reached every kind of answer; a fuzz that never gets past the signature would prove nothing.
  for (const status of [202, 400, 401, 404])
    assert.ok((seen.get(status) ?? 0) > 20, `${status}: ${seen.get(status)}`);
  assert.ok(bus.events.length > 0);
});
