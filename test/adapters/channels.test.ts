import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { WiredChannels } from '../../adapters/channels.ts';
import type { ChannelConfig } from '../../core/contract/notifications.ts';
import { Blocked, Retry, Stop } from '../../core/errors.ts';
import type { Notice } from '../../core/model/notice.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { keys, vendorServer, type Vendor, type VendorServer } from './channels/contract-servers.ts';

const signingKey = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const vendors = ['slack', 'teams', 'discord', 'pagerduty', 'opsgenie', 'webhook'] as const;
const servers = new Map<Vendor, VendorServer>();
for (const vendor of vendors) servers.set(vendor, await vendorServer(vendor));
after(async () => {
  for (const server of servers.values()) await server[Symbol.asyncDispose]();
});
const serverOf = (vendor: Vendor): VendorServer => {
  const server = servers.get(vendor);
  assert.ok(server);
  return server;
};
const at = (vendor: Vendor, path = '') => `${serverOf(vendor).origin}${path}`;

const secrets = new Map([
  ['slack', at('slack', '/services/T000/B000/XXXX')],
  ['teams', at('teams', '/workflows/abc/triggers/manual/paths/invoke?api-version=2016-06-01&sig=s3cr3t')],
  ['discord', at('discord', '/api/webhooks/123456789012345678/aB-c_d')],
  ['pagerduty', keys.pagerduty],
  ['opsgenie', keys.opsgenie],
  ['webhook', signingKey],
]);
const clock = new ManualClock();
const get = async (name: string) => ({ current: `${secrets.get(name) ?? ''}\n` });
const channels = new WiredChannels({ secrets: { get }, clock, emailTopicPrefix: 'arn:x-' });

function channelOf(type: Vendor): ChannelConfig {
  const common = { name: 'ops', secret: type, internal: true } as const;
  switch (type) {
    case 'pagerduty':
    case 'opsgenie':
    case 'webhook':
      return { ...common, type, url: at(type, type === 'webhook' ? '/hook?x=1' : '') };
    case 'slack':
    case 'teams':
    case 'discord':
      break;
  }
  return { ...common, type };
}

const small: Notice = {
  version: 1,
  id: 'a'.repeat(32),
  incident: 'b'.repeat(32),
  phase: 'opened',
  event: 'run-failed',
  severity: 'error',
  fleet: 'acme',
  at: '2026-11-23T12:00:00.000Z',
  since: '2026-11-23T11:59:00.000Z',
  title: 'web on east: the run failed',
  text: 'Deployment shop/web: the server says no',
  items: [],
  more: 0,
  todo: 'trueup history --app web --cluster east',
  facts: [{ name: 'Cluster', value: 'east' }],
  links: [{ text: 'Commit 1111111', url: 'https://github.com/acme/platform/commit/1111111?a=1&b=(2)|3' }],
};
/** As long as core lets anything be, of the characters that take the most room, and of everything that is markup somewhere. */
const nasty = '<!channel> <@U1> @everyone [x](https://evil.example) *_~`|> & "\\ 漢😀 '.repeat(20);
const large: Notice = {
  ...small,
  title: nasty.slice(0, 140),
  text: nasty.slice(0, 400),
  items: Array.from({ length: 10 }, (_, index) => ({
    subject: `${index} ${nasty}`.slice(0, 150),
    text: nasty.slice(0, 400),
  })),
  more: 4711,
  todo: nasty.slice(0, 400),
  facts: Array.from({ length: 6 }, (_, index) => ({ name: `Fact ${index}`, value: nasty.slice(0, 500) })),
  links: Array.from({ length: 3 }, (_, index) => ({
    text: `Link ${index}`,
    url: `https://example.com/${'x'.repeat(300)}?${index}|`,
  })),
};

for (const vendor of vendors) {
  for (const phase of ['opened', 'changed', 'resolved', 'info', 'test'] as const) {
    test(`${vendor}: takes what is ${phase}, small and as large as it gets`, async () => {
      const { received } = serverOf(vendor);
      const before = received.length;
      await channels.deliver(channelOf(vendor), { ...small, phase });
      await channels.deliver(channelOf(vendor), { ...large, phase });
      assert.ok(received.length - before >= 2);
    });
  }

  test(`${vendor}: busy, broken and silent are tried again, with the time that it asks for`, async () => {
    const { faults } = serverOf(vendor);
    const deliver = async () => channels.deliver(channelOf(vendor), small);
    faults.push({ status: 429, headers: { 'retry-after': '17' } });
    await assert.rejects(deliver(), (error) => error instanceof Retry && error.afterSeconds === 17);
    faults.push({ status: 503 });
    await assert.rejects(deliver(), Retry);
    faults.push({ status: 408 });
    await assert.rejects(deliver(), Retry);
    faults.push('drop');
    await assert.rejects(deliver(), Retry);
    await deliver();
  });

  test(`${vendor}: a refusal blocks and names the secret, and no text holds it`, async () => {
    const { faults } = serverOf(vendor);
    for (const status of [401, 403, 404, 410]) {
      faults.push({ status, body: 'nope' });
      await assert.rejects(channels.deliver(channelOf(vendor), small), (error) => {
        assert.ok(error instanceof Blocked);
        assert.match(error.message, new RegExp(`^channel ops: 127\\.0\\.0\\.1:\\d+ refuses it \\(${status}`));
        assert.ok(error.message.endsWith(`mend the secret ${vendor}`));
        for (const secret of secrets.values()) assert.ok(!error.message.includes(secret));
        return true;
      });
    }
  });

  test(`${vendor}: a redirect is not followed, wherever it leads`, async () => {
    const { faults, received } = serverOf(vendor);
    const before = received.length;
    faults.push({ status: 307, headers: { location: at(vendor, '/elsewhere') } });
    await assert.rejects(channels.deliver(channelOf(vendor), small), /redirect, which is not followed/);
    assert.equal(received.length, before);
  });
}

test('what a vendor says of a message that it does not take is told, and the message is given up', async () => {
  const { faults } = serverOf('discord');
  faults.push({ status: 400, body: JSON.stringify({ message: 'Invalid Form Body', code: 50_035 }) });
  await assert.rejects(
    channels.deliver(channelOf('discord'), small),
    (error) => error instanceof Stop && error.message.endsWith('(400: Invalid Form Body (50035))'),
  );
  serverOf('slack').faults.push({ status: 400, body: 'invalid_blocks' });
  await assert.rejects(channels.deliver(channelOf('slack'), small), /\(400: invalid_blocks\)/);
  serverOf('slack').faults.push({ status: 400, body: `<html>${small.text}</html>` });
  await assert.rejects(channels.deliver(channelOf('slack'), small), /does not take this message \(400\)$/);
});

test('the credential of an instance of Lambda or of a private network is out of reach', async () => {
  for (const url of [
    'https://169.254.169.254/latest',
    'https://127.0.0.1/x',
    'https://[::1]/',
    'https://10.0.0.1/',
  ]) {
    secrets.set('slack-elsewhere', url);
    const channel = { name: 'ops', type: 'slack', secret: 'slack-elsewhere' } as const;
    await assert.rejects(channels.deliver(channel, small), /internal address/, url);
  }
  for (const url of [
    'http://hooks.slack.com/x',
    'file:///etc/passwd',
    'nothing',
    'https://a:b@hooks.slack.com/x',
  ]) {
    secrets.set('slack-elsewhere', url);
    const channel = { name: 'ops', type: 'slack', secret: 'slack-elsewhere' } as const;
    await assert.rejects(channels.deliver(channel, small), /not over TLS|no address to send to/, url);
  }
});

test('slack: what a stranger wrote mentions nobody, and phones show the title', async () => {
  await channels.deliver(channelOf('slack'), { ...small, title: 'x <!channel> & y' });
  const { text, blocks } = JSON.parse(serverOf('slack').received.at(-1)?.body ?? '');
  assert.equal(text, '🔴 x &lt;!channel&gt; &amp; y');
  assert.equal(blocks[0].text.text, '🔴 x <!channel> & y');
  assert.equal(blocks[0].text.type, 'plain_text');
  await channels.deliver(channelOf('slack'), { ...small, text: '<!channel>' });
  assert.match(serverOf('slack').received.at(-1)?.body ?? '', /&lt;!channel&gt;/);
});

for (const vendor of ['slack', 'teams', 'discord'] as const) {
  test(`${vendor}: items that do not fit are counted, and what stands below them is not lost`, async () => {
    const listed = large.items.map(({ text }, index) => ({
      subject: `item-${index}`,
      text: text.slice(0, 399),
    }));
    await channels.deliver(channelOf(vendor), { ...large, items: listed, todo: 'mend it' });
    const body = serverOf(vendor).received.at(-1)?.body ?? '';
    const shown = new Set(body.match(/item\\*-\d/g)).size;
    const [, more] = /and (\d+) more/.exec(body) ?? [];
    assert.equal(Number(more), large.more + large.items.length - shown);
    assert.ok(shown > 0 && body.includes('What to do') && body.includes('mend it') && body.includes('Link'));
  });
}

test('pagerduty and opsgenie: what is opened is resolved under the same key; what was deployed wakes nobody', async () => {
  const bodies = async (vendor: Vendor, phase: Notice['phase']) => {
    const before = serverOf(vendor).received.length;
    await channels.deliver(channelOf(vendor), { ...small, phase });
    return serverOf(vendor)
      .received.slice(before)
      .map(({ path, body }) => [path, JSON.parse(body)] as const);
  };
  const key = small.incident;
  for (const [phase, action] of [
    ['opened', 'trigger'],
    ['changed', 'trigger'],
    ['resolved', 'resolve'],
  ] as const) {
    const [[path, body] = ['', {}]] = await bodies('pagerduty', phase);
    assert.deepEqual([path, body.event_action, body.dedup_key], ['/v2/enqueue', action, key]);
  }
  assert.deepEqual(
    (await bodies('pagerduty', 'info')).map(([path]) => path),
    ['/v2/change/enqueue'],
  );
  const [[, opened] = ['', {}]] = await bodies('opsgenie', 'opened');
  assert.deepEqual([opened.alias, opened.priority], [key, 'P2']);
  assert.deepEqual(
    (await bodies('opsgenie', 'changed')).map(([path]) => path),
    [`/v2/alerts/${key}/notes?identifierType=alias`],
  );
  assert.deepEqual(
    (await bodies('opsgenie', 'resolved')).map(([path]) => path),
    [`/v2/alerts/${key}/close?identifierType=alias`],
  );
  assert.equal((await bodies('opsgenie', 'test')).length, 2);
});

test('webhook: signed as Standard Webhooks are, under one id over its tries', async () => {
  // The package looks at the machine's clock when it verifies.
  const real = new WiredChannels({
    secrets: { get },
    clock: { now: () => Date.now() },
    emailTopicPrefix: '',
  });
  serverOf('webhook').faults.push({ status: 500 });
  await assert.rejects(real.deliver(channelOf('webhook'), small), Retry);
  await real.deliver(channelOf('webhook'), small);
  const sent = serverOf('webhook').received.at(-1);
  assert.ok(sent);
  const headers = Object.fromEntries(
    Object.entries(sent.headers).map(([name, value]) => [name, String(value)]),
  );
  assert.equal(headers['webhook-id'], `msg_${small.id}`);
  assert.equal(sent.path, '/hook?x=1');
  assert.deepEqual(new Webhook(signingKey).verify(sent.body, headers), {
    type: 'run-failed.opened',
    timestamp: small.at,
    data: small,
  });
  assert.throws(() => new Webhook(signingKey).verify(sent.body.replace('east', 'west'), headers));
});

test('webhook: a key that is too short or none signs nothing', async () => {
  for (const key of ['whsec_c2hvcnQ=', 'hunter2', '']) {
    secrets.set('short', key);
    const channel = { ...channelOf('webhook'), secret: 'short' };
    await assert.rejects(channels.deliver(channel, small), (error) => {
      assert.ok(error instanceof Blocked);
      assert.match(
        error.message,
        /put whsec_ and the base64 of 24 to 64 random bytes into the secret short$/,
      );
      return true;
    });
  }
});
