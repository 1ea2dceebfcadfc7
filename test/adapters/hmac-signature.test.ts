import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signer } from '../../adapters/hmac-signature.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test("agrees with the example in GitHub's documentation", () => {
  const mac = signer.hmac('sha256', "It's a Secret to Everybody", Buffer.from('Hello, World!'));
  assert.equal(hex(mac), '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17');
});

test('agrees with RFC 2202 on HMAC-SHA1', () => {
  const mac = signer.hmac('sha1', Buffer.alloc(20, 0x0b), Buffer.from('Hi There'));
  assert.equal(hex(mac), 'b617318655057264e28bc0b6fb378c8ef146be00');
});

test('bytes that are not UTF-8 are taken as they are', () => {
  const [one, other] = [Buffer.from([0xff, 0xfe, 0x00, 0x80]), Buffer.from([0xff, 0xfd, 0x00, 0x80])];
  assert.notEqual(hex(signer.hmac('sha256', 's', one)), hex(signer.hmac('sha256', 's', other)));
});

for (const [given, expected, equal] of [
  ['secret', 'secret', true],
  ['', '', true],
  ['secre', 'secret', false],
  ['secret0', 'secret', false],
  ['SECRET', 'secret', false],
  ['', 'secret', false],
  ['ü', 'u', false],
] as const) {
  test(`"${given}" ${equal ? 'is' : 'is not'} "${expected}"`, () => {
    assert.equal(signer.equal(given, expected), equal);
  });
}
