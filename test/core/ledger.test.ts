import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { judge, type Candidate } from '../../core/ledger.ts';
import type { Delivery } from '../../core/model/delivery.ts';

const now = Date.parse('2026-11-23T12:00:00.000Z');
const push = { repository: 'shop', ref: 'refs/heads/main', before: 'a'.repeat(40), after: 'b'.repeat(40) };

const knownSchema = z
  .object({
    id: z.string(),
    body: z.string(),
    state: z.enum(['claimed', 'published', 'ignored']),
    ago: z.number(),
  })
  .nullable();
type Known = z.infer<typeof knownSchema>;

/** Minutes ago it was received and, if so, published; a claim lasts one minute. */
function deliveryOf(known: Known): Delivery | undefined {
  if (known === null) return undefined;
  const at = (minutes: number) => new Date(now - minutes * 60_000).toISOString();
  return {
    version: 1,
    provider: 'github',
    event: 'push',
    id: known.id,
    bodyDigest: known.body,
    receivedAt: at(known.ago),
    state: known.state,
    claimExpiresAt: at(known.ago - 1),
    attempts: 1,
    pushes: [push],
    ...(known.state === 'published' && { publishedAt: at(known.ago) }),
  };
}

// The delivery that comes has id 1 and body B. What is known: the record of body B, and the record of id 1.
const cases = z
  .array(
    z.object({
      name: z.string(),
      byBody: knownSchema.default(null),
      byId: knownSchema.default(null),
      stamped: z.boolean().default(true),
      verdict: z.string(),
    }),
  )
  .parse(
    load(`
- name: never seen
  verdict: take
- name: published under the same id, however long ago
  byBody: { id: '1', body: B, state: published, ago: 100000 }
  byId: { id: '1', body: B, state: published, ago: 100000 }
  verdict: duplicate of 1
- name: published under the same id, without a stamp
  byBody: { id: '1', body: B, state: published, ago: 1 }
  stamped: false
  verdict: duplicate of 1
- name: published under the same id, and since then under another
  byBody: { id: '2', body: B, state: published, ago: 100 }
  byId: { id: '1', body: B, state: published, ago: 200 }
  stamped: false
  verdict: duplicate of 1
- name: a replay under another id a moment ago
  byBody: { id: '2', body: B, state: published, ago: 9 }
  verdict: duplicate of 2
- name: the same bytes a long time ago may be another push
  byBody: { id: '2', body: B, state: published, ago: 10 }
  verdict: take
- name: the same bytes without a stamp may be another push
  byBody: { id: '2', body: B, state: published, ago: 0 }
  stamped: false
  verdict: take
- name: the same id with another body is another delivery
  byId: { id: '1', body: A, state: published, ago: 0 }
  verdict: take
- name: claimed by a copy that is at work
  byBody: { id: '1', body: B, state: claimed, ago: 0.9 }
  verdict: wait
- name: claimed by a copy under another id that is at work
  byBody: { id: '2', body: B, state: claimed, ago: 0.9 }
  verdict: wait
- name: claimed by a function that died
  byBody: { id: '1', body: B, state: claimed, ago: 1 }
  byId: { id: '1', body: B, state: claimed, ago: 1 }
  verdict: take
- name: ignored before, as when its repository was not configured yet
  byId: { id: '1', body: B, state: ignored, ago: 0 }
  verdict: take
`),
  );

for (const { name, byBody, byId, stamped, verdict } of cases) {
  test(name, () => {
    const candidate: Candidate = {
      provider: 'github',
      id: '1',
      bodyDigest: 'B',
      event: 'push',
      wanted: { pushes: [push] },
      stamped,
    };
    const judged = judge(candidate, { byBody: deliveryOf(byBody), byId: deliveryOf(byId) }, now);
    assert.equal(judged.kind === 'duplicate' ? `duplicate of ${judged.of}` : judged.kind, verdict);
  });
}
