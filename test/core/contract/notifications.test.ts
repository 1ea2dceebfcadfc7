import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { sample } from '../../infra/synthesized.ts';

const slack = { name: 'ops', type: 'slack', secret: 's' } as const;
const hook = { name: 'ops', type: 'webhook', secret: 's' } as const;
const faults: readonly (readonly [what: string, notifications: unknown, fault: RegExp])[] = [
  [
    'two channels of one name',
    { channels: [slack, slack], routes: [{ channels: ['ops'] }] },
    /name "ops" is used twice/,
  ],
  [
    'a route to nowhere',
    { channels: [slack], routes: [{ channels: ['op'] }] },
    /routes\.0\.channels: channel "op" is not among the channels; known: ops/,
  ],
  [
    'an address without TLS',
    { channels: [{ ...hook, url: 'http://example.com/x' }], routes: [{ channels: ['ops'] }] },
    /channels\.0\.url: must be https/,
  ],
  [
    'a token in an address',
    { channels: [{ ...hook, url: 'https://a:b@example.com/x' }], routes: [{ channels: ['ops'] }] },
    /must not hold a user name or token/,
  ],
  [
    'an option that there is none of',
    { channels: [{ ...slack, chanel: 'x' }], routes: [{ channels: ['ops'] }] },
    /chanel/,
  ],
  [
    'an event that there is none of',
    { channels: [slack], routes: [{ channels: ['ops'], events: ['drfit'] }] },
    /routes\.0\.events\.0/,
  ],
  [
    'a topic that is none',
    { channels: [{ name: 'ops', type: 'sns', topicArn: 'x' }], routes: [{ channels: ['ops'] }] },
    /topicArn: must be an ARN/,
  ],
];
for (const [what, notifications, fault] of faults) {
  test(`notifications: ${what} is a fault`, () =>
    assert.throws(() => parseStackConfig(JSON.parse(JSON.stringify({ ...sample, notifications }))), fault));
}
