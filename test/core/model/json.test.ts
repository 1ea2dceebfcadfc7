import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonEqual, type Json } from '../../../core/model/json.ts';

const cases: readonly (readonly [a: Json | undefined, b: Json | undefined, equal: boolean])[] = [
  [{ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ a: 1, c: 2 }, { a: 1, b: 2 }, false],
  [{ a: null }, {}, false],
  [[1, 2], [2, 1], false],
  [[], {}, false],
  [{ 0: 'a' }, ['a'], false],
  [null, {}, false],
  [undefined, null, false],
  ['1', 1, false],
  [JSON.parse('{"constructor": 1}'), {}, false],
  [{}, JSON.parse('{"toString": 1}'), false],
];

for (const [a, b, equal] of cases) {
  test(`${JSON.stringify(a)} and ${JSON.stringify(b)} are ${equal ? '' : 'not '}equal`, () => {
    assert.equal(jsonEqual(a, b), equal);
    assert.equal(jsonEqual(b, a), equal);
  });
}
