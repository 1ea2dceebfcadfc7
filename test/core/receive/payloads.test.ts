import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { hooksOf, type HookProvider } from '../../../core/contract/hooks.ts';
import type { TrueupEvent } from '../../../core/contract/events.ts';
import { receive } from '../../../core/receive.ts';
import { examplesOf } from '../../fakes/github-delivery.ts';
import { everyHook, world } from '../../fakes/hook-world.ts';
import { signed } from '../../fakes/senders.ts';
import { RecordingBus } from '../../fakes/recorders.ts';

/** What each provider sends, and what becomes of it. Exactly one of the last four. */
const caseSchema = z.strictObject({
  name: z.string(),
  hook: z.string().optional(),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown(),
  delivery: z.string().optional(),
  pushes: z.array(z.string()).optional(),
  images: z.array(z.string()).optional(),
  ignored: z.string().optional(),
  invalid: z.string().optional(),
});

/** Every provider that has a hook: one without a file of payloads fails. */
const providers = [...new Set(hooksOf(everyHook).map(({ provider }) => provider))];
const secret = '0123456789abcdef0123456789abcdef';

function payloadsOf(provider: HookProvider) {
  const file = new URL(`payloads/${provider}.yaml`, import.meta.url);
  return z.array(caseSchema).parse(load(readFileSync(file, 'utf8')));
}

function shown({ type, detail }: TrueupEvent): string {
  if (type === 'PushReceived') {
    const { repository, ref, before, after, deleted } = detail;
    assert.equal(deleted, after === '0'.repeat(40));
    return `${repository} ${ref} ${before.slice(0, 7)}..${after.slice(0, 7)}`;
  }
  assert.equal(type, 'ImagePushed');
  if (type !== 'ImagePushed') return type;
  const { repository, tag, digest, mediaType } = detail;
  const at = digest === undefined ? '' : `@${digest}`;
  return `${repository}:${tag}${at}${mediaType === undefined ? '' : ` ${mediaType}`}`;
}

for (const provider of providers) {
  describe(provider, () => {
    for (const payload of payloadsOf(provider)) {
      test(payload.name, async () => {
        const bus = new RecordingBus();
        const { deps, store, rotate } = world(bus, everyHook);
        rotate({ current: provider === 'oidc' ? 'good' : secret });
        const { headers, hook, body } = payload;
        const message = {
          headers,
          body: JSON.stringify(body),
          secret: provider === 'oidc' ? 'good' : secret,
        };
        const request = signed(provider, hook === undefined ? message : { ...message, hook });
        const answer = await receive(request, deps);
        const { delivery, invalid, ignored, pushes, images } = payload;
        assert.equal(answer.status, invalid === undefined ? 202 : 400, JSON.stringify(answer));
        assert.deepEqual(bus.events.map(shown), pushes ?? images ?? []);
        if (delivery !== undefined) assert.equal(answer.body.delivery, delivery);
        if (ignored !== undefined) assert.equal(answer.body.state, 'ignored');
        const told = ignored ?? invalid;
        if (told !== undefined) assert.ok(answer.body.reason?.startsWith(told), answer.body.reason);
        if (invalid !== undefined) assert.deepEqual(store.writes, []);
      });
    }
  });
}

describe("GHCR by GitHub's own examples", () => {
  for (const event of ['package', 'ping']) {
    for (const [index, payload] of examplesOf(event).entries()) {
      test(`${event} ${index}`, async () => {
        const { deps, rotate } = world(new RecordingBus(), everyHook);
        rotate({ current: secret });
        const headers = { 'x-github-event': event, 'x-github-delivery': `${event}-${index}` };
        const { status, body } = await receive(
          signed('ghcr', { headers, body: JSON.stringify(payload), secret }),
          deps,
        );
        assert.equal(status, 202);
        assert.equal(body.state, 'ignored');
      });
    }
  }
});
