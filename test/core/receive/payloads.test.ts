import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { TrueupEvent } from '../../../core/contract/events.ts';
import { receive } from '../../../core/receive.ts';
import { examplesOf } from '../../fakes/github-delivery.ts';
import { everyHook, world } from '../../fakes/hook-world.ts';
import { RecordingBus } from '../../fakes/recorders.ts';
import { signed } from '../../fakes/senders.ts';
import { payloadsOf, providers, secretOf, unsigned } from './payloads.ts';

function shown({ type, detail }: TrueupEvent): string {
  if (type === 'PushReceived') {
    const { repository, ref, before, after, deleted } = detail;
    assert.equal(deleted, after === '0'.repeat(40));
    return `${repository} ${ref} ${before.slice(0, 7)}..${after.slice(0, 7)}`;
  }
  if (type === 'PullRequestChanged') {
    const { repository, id, action, head, base } = detail;
    return `${repository} ${id} ${action} ${head.branch} ${head.sha.slice(0, 7)} into ${base.branch}`;
  }
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
        rotate({ current: secretOf(provider) });
        const answer = await receive(signed(provider, unsigned(provider, payload)), deps);
        const { delivery, invalid, ignored, pushes, images, pulls } = payload;
        assert.equal(answer.status, invalid === undefined ? 202 : 400, JSON.stringify(answer));
        assert.deepEqual(bus.events.map(shown), pushes ?? images ?? pulls ?? []);
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
        const secret = secretOf('ghcr');
        rotate({ current: secret });
        const headers = { 'x-github-event': event, 'x-github-delivery': `${event}-${index}` };
        const request = signed('ghcr', { headers, body: JSON.stringify(payload), secret });
        const { status, body } = await receive(request, deps);
        assert.equal(status, 202);
        assert.equal(body.state, 'ignored');
      });
    }
  }
});

test('the page of receivers tells how many payloads of each provider there are', () => {
  const page = readFileSync(new URL('../../../docs/reference/receivers.md', import.meta.url), 'utf8');
  for (const provider of providers) {
    const payloads = payloadsOf(provider);
    const wanted = payloads.filter(
      ({ pushes, images, pulls }) => (pushes ?? images ?? pulls) !== undefined,
    ).length;
    const ignored = payloads.filter((payload) => payload.ignored !== undefined).length;
    const counts = `${payloads.length}: ${wanted} / ${ignored} / ${payloads.length - wanted - ignored}`;
    const row = page
      .split('\n')
      .find((line) => new RegExp(`\\| \`${provider}(/<secret>)?\` +\\|`).test(line));
    assert.ok(row?.includes(counts), `${provider} ${counts}`);
  }
});
