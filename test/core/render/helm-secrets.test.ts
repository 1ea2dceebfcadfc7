import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json, JsonObject } from '../../../core/model/json.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { assertSecretsStay } from '../../../core/render/helm-secrets.ts';

const value = 'supersecretvalue';
const token = 'a3f1'.repeat(16);
const sum = 'b'.repeat(64);

function placed(data: JsonObject, { name = 'x', kind = 'ConfigMap' } = {}) {
  const object: KubeObject = { apiVersion: 'v1', kind, metadata: { name }, data };
  return { objects: [object], origins: {} };
}

/** What a fault says; undefined for none. */
function faultOf(...args: Parameters<typeof assertSecretsStay>): string | undefined {
  try {
    assertSecretsStay(...args);
    return undefined;
  } catch (error) {
    return `${String(error)} ${JSON.stringify(error)}`;
  }
}

describe('a checksum', () => {
  const cases: { what: string; text: string; refused: boolean }[] = [
    { what: 'of a Secret is let through', text: sum, refused: false },
    { what: 'is no token of as many hex digits', text: token, refused: true },
    { what: 'is no token that was cut to as many', text: token.slice(0, 32), refused: true },
  ];
  for (const { what, text, refused } of cases) {
    for (const known of [token, token.toUpperCase()]) {
      test(`${what}, with other values for ${known.slice(0, 4)}`, () => {
        const fault = faultOf(placed({ token: text }), placed({ token: 'c'.repeat(text.length) }), [known]);
        assert.equal(fault !== undefined, refused);
      });
    }
  }
});

describe('a key or a name that is a value', () => {
  const other = '0123456789abcdef';
  const cases: { what: string; data: (key: string) => Json; kind?: string }[] = [
    { what: 'in front of a text', data: (key) => ({ [key]: 'x' }) },
    { what: 'in front of nothing', data: (key) => ({ [key]: {} }) },
    { what: 'in front of a checksum', data: (key) => ({ [key]: sum }) },
    { what: 'of a Secret', data: (key) => ({ [key]: 'eA==' }), kind: 'Secret' },
  ];
  for (const { what, data, kind = 'ConfigMap' } of cases) {
    for (const hasTwin of [true, false]) {
      test(`${what} is refused and not quoted, ${hasTwin ? 'with' : 'without'} other values`, () => {
        const at = (key: string) => placed(JSON.parse(JSON.stringify(data(key))), { kind });
        const fault = faultOf(at(value), hasTwin ? at(other) : undefined, [value]) ?? '';
        assert.match(fault, new RegExp(`${kind} x: data\\.… holds, or depends on`));
        assert.ok(!fault.includes(value), fault);
      });
    }
  }

  for (const hasTwin of [true, false]) {
    test(`as the name of an object is not quoted, ${hasTwin ? 'with' : 'without'} other values`, () => {
      const at = (name: string) => placed({ a: 'x' }, { name });
      const fault = faultOf(at(value), hasTwin ? at(other) : undefined, [value]) ?? '';
      assert.match(fault, /ConfigMap …: .* holds, or depends on/);
      assert.ok(!fault.includes(value), fault);
    });
  }

  test('is no matter where it stands in both', () => {
    assert.equal(faultOf(placed({ [value]: 'x' }), placed({ [value]: 'x' }), [value]), undefined);
  });
});
