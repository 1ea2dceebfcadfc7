import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { verifyHmac } from '../../adapters/hmac-signature.ts';

const body = Buffer.from('{"ref":"refs/heads/main"}');
const sign = (secret: string, bytes = body, algorithm = 'sha256') =>
  `${algorithm}=${createHmac(algorithm, secret).update(bytes).digest('hex')}`;

test("agrees with the example in GitHub's documentation", () => {
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  assert.ok(verifyHmac(Buffer.from('Hello, World!'), signature, ["It's a Secret to Everybody"]));
});

test('any of the secrets will do', () => {
  assert.ok(verifyHmac(body, sign('new'), ['new', 'old']));
  assert.ok(verifyHmac(body, sign('old'), ['new', 'old']));
});

test('bytes that are not UTF-8 are verified as they are', () => {
  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80]);
  assert.ok(verifyHmac(bytes, sign('s', bytes), ['s']));
  assert.ok(!verifyHmac(Buffer.from([0xff, 0xfd, 0x00, 0x80]), sign('s', bytes), ['s']));
});

const right = sign('secret');
for (const [what, signature] of [
  ['another secret', sign('other')],
  ['another body', sign('secret', Buffer.from('{}'))],
  ['SHA-1', sign('secret', body, 'sha1')],
  ['bare hex', right.slice('sha256='.length)],
  ['cut short', right.slice(0, -1)],
  ['longer', `${right}0`],
  ['upper case', right.toUpperCase()],
  ['nothing', ''],
  ['the name alone', 'sha256='],
  ['not ASCII', 'sha256=ü'],
] as const) {
  test(`refuses ${what}`, () => assert.ok(!verifyHmac(body, signature, ['secret'])));
}

test('an empty secret verifies nothing', () => {
  assert.ok(!verifyHmac(body, sign(''), ['', '']));
  assert.ok(!verifyHmac(body, sign(''), []));
});
