import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { strToU8, zipSync, type Zippable } from 'fflate';
import { isZip, unpackZip } from '../../adapters/zip-archive.ts';
import { Stop } from '../../core/errors.ts';

const kind = { noun: 'artifact', fileBytes: 1_000_000 };
const unpack = (bytes: Uint8Array) => unpackZip(bytes, 's3://a/b.zip', kind);
const zip = (files: Zippable) => zipSync(files, { level: 6 });
const mode = (bits: number) => ({ os: 3, attrs: bits << 16 });

/** The same archive with some bytes of each of these texts put in place of others, as long. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll(from, to), 'latin1');
}

/** In the directory at the end, or in front of each file: a field of so many bytes at an offset. */
function patched(bytes: Uint8Array, signature: string, offset: number, value: number[]): Uint8Array {
  const copy = Buffer.from(bytes);
  copy.set(value, copy.indexOf(signature, 0, 'latin1') + offset);
  return copy;
}

describe('zip archives', () => {
  test('give their files by path, folders and permissions apart', async () => {
    const bytes = zip({
      'a/': new Uint8Array(),
      './a/b.yaml': strToU8('b: 1'),
      'ü.yaml': strToU8('u: 1'),
      'run.sh': [strToU8('#!/bin/sh'), mode(0o100755)],
      'stored.txt': [strToU8('as it is'), { level: 0 }],
    });
    assert.ok(isZip(bytes));
    const files = await unpack(bytes);
    assert.deepEqual(
      [...files].map(([path, content]) => [path, Buffer.from(content).toString()]),
      [
        ['a/b.yaml', 'b: 1'],
        ['ü.yaml', 'u: 1'],
        ['run.sh', '#!/bin/sh'],
        ['stored.txt', 'as it is'],
      ],
    );
    const empty = zip({});
    assert.ok(isZip(empty));
    assert.equal((await unpack(empty)).size, 0);
    assert.ok(!isZip(Buffer.from('PK')) && !isZip(new Uint8Array([0x1f, 0x8b, 8, 0])));
  });

  const one = zip({ 'a.yaml': strToU8('a: 1') });
  const zeros = new Uint8Array(999_999);
  const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`f${at}`, new Uint8Array()]));
  const refused: { why: string; bytes: Uint8Array; says: RegExp }[] = [
    { why: 'a path that climbs', bytes: zip({ '../../etc/x': zeros }), says: /leads out of it: "\.\.\/\.\./ },
    { why: 'an absolute path', bytes: zip({ '/etc/passwd': zeros }), says: /leads out of it: "\/etc/ },
    { why: 'a path of Windows', bytes: zip({ 'a\\..\\..\\x': zeros }), says: /leads out of it: "a\/\.\./ },
    { why: 'a drive', bytes: zip({ 'C:/x': zeros }), says: /leads out of it: "C:/ },
    { why: 'a NUL in a name', bytes: zip({ 'a\0b': zeros }), says: /leads out of it: "a\\u0000b"/ },
    { why: 'a symlink', bytes: zip({ l: [strToU8('/etc/x'), mode(0o120777)] }), says: /holds the link l,/ },
    { why: 'a device', bytes: zip({ d: [zeros, mode(0o020666)] }), says: /holds d, which is no file/ },
    {
      why: 'a file that is too large',
      bytes: zip({ x: new Uint8Array(1_000_001) }),
      says: /x of 1000001 bytes/,
    },
    { why: 'too many files', bytes: zip(many), says: /holds more than 10000 files/ },
    {
      why: 'a bomb',
      bytes: zip(Object.fromEntries(Array.from({ length: 105 }, (_, at) => [`f${at}`, zeros]))),
      says: /holds more than 104857600 bytes/,
    },
    {
      why: 'a file twice',
      bytes: replaced(zip({ 'a.yaml': strToU8('1'), 'b.yaml': strToU8('2') }), 'b.yaml', 'a.yaml'),
      says: /holds a\.yaml twice/,
    },
    { why: 'a password', bytes: patched(one, 'PK\u0001\u0002', 8, [1, 0]), says: /holds a\.yaml encrypted/ },
    {
      why: 'another packing',
      bytes: patched(one, 'PK\u0001\u0002', 10, [14, 0]),
      says: /packed by method 14/,
    },
    {
      why: 'a checksum that does not match',
      bytes: patched(one, 'PK\u0001\u0002', 16, [0]),
      says: /no sound zip/,
    },
    {
      why: 'a size that is not its own',
      bytes: patched(one, 'PK\u0001\u0002', 24, [9]),
      says: /no sound zip/,
    },
    { why: 'an end that is missing', bytes: one.subarray(0, -30), says: /no sound zip archive; package/ },
  ];
  for (const { why, bytes, says } of refused) {
    test(`are refused with ${why}`, async () => {
      await assert.rejects(unpack(bytes), (error: Error) => {
        assert.ok(error instanceof Stop, String(error));
        assert.match(error.message, says);
        return error.message.startsWith('s3://a/b.zip: ');
      });
    });
  }

  test('that were cut or changed anywhere are refused or read, and nothing else', async () => {
    const bytes = zip({ 'a.yaml': strToU8('a: 1\n'.repeat(20)), 'b/c.yaml': strToU8('c: 1') });
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      for (const given of [changed, bytes.subarray(0, at)]) {
        const read = await unpack(given).catch((error: unknown) => error);
        assert.ok(read instanceof Map || read instanceof Stop, `${at}: ${String(read)}`);
      }
    }
  });
});
