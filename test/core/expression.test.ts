import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expressionOf } from '../../core/expression.ts';
import type { Json } from '../../core/model/json.ts';

const object = {
  name: 'web-12',
  list: [3, 1, 2],
  words: ['b', 'a'],
  cpu: '500m',
  memory: '2Gi',
  text: `${'a'.repeat(60)}b`,
} satisfies Json;

const cases: readonly (readonly [expression: string, value: unknown])[] = [
  ["object.name.matches('^[a-z]+-[0-9]+$')", true],
  ["object.words.all(w, w.matches('^.$'))", true],
  ["object.name.matches('.matches(x)')", false],
  // Regular expressions of JavaScript would try for hours.
  ["object.text.matches('^(a+)+$')", false],
  ["object.name.find('[0-9]+')", '12'],
  ["object.name.findAll('[0-9]')", ['1', '2']],
  ["object.name.findAll('[0-9]', 1)", ['1']],
  ["object.name.replace('web', 'app')", 'app-12'],
  ['object.name.charAt(1)', 'e'],
  ["'%s has %d of 100%%'.format([object.name, 3])", 'web-12 has 3 of 100%'],
  ['object.list.sum()', 6n],
  ['object.list.map(x, x * 2).max()', 6n],
  ['object.words.min()', 'a'],
  ['object.list.isSorted()', false],
  ["object.words.indexOf('a')", 1n],
  ["sets.contains(object.words, ['a'])", true],
  ["sets.intersects(object.words, ['c'])", false],
  ["sets.equivalent(object.words, ['a', 'b', 'a'])", true],
  ["quantity(object.memory).isGreaterThan(quantity('2000M'))", true],
  ["quantity(object.cpu).isLessThan(quantity('1'))", true],
  ["quantity(object.cpu).compareTo(quantity('0.5'))", 0n],
  ["isQuantity('1.5Gi') && !isQuantity('lots')", true],
  ["quantity('2k').asInteger()", 2000n],
];

for (const [expression, value] of cases) {
  test(expression, () => {
    assert.deepEqual(expressionOf(expression, 'a test').evaluate({ object }), { kind: 'value', value });
  });
}

test('what cannot be evaluated says why, without the text around it', () => {
  const fault = (expression: string) => {
    const evaluation = expressionOf(expression, 'a test').evaluate({ object });
    return evaluation.kind === 'fault' ? evaluation.message : `gives ${String(evaluation.value)}`;
  };
  assert.equal(fault("object.name.matches('(')"), 'Invalid regular expression: (');
  assert.equal(fault("quantity('lots').sign() > 0"), 'lots is no quantity, such as 500m or 1.5Gi');
  assert.equal(fault('[].min()'), 'min and max of an empty list');
  assert.throws(() => expressionOf('object..a', 'policy p'), /^Stop: policy p: is no CEL expression/);
});

test('what other expressions gave is there as it was', () => {
  const size = expressionOf('quantity(object.memory)', 'a test').evaluate({ object });
  assert.ok(size.kind === 'value');
  const computed = { variables: { size: size.value } };
  const larger = expressionOf("variables.size.isGreaterThan(quantity('1Gi'))", 'a test');
  assert.deepEqual(larger.evaluate({ object }, computed), { kind: 'value', value: true });
});

test('loops within loops are refused before they run: nothing could interrupt them', () => {
  const nested = (depth: number): string =>
    depth === 0 ? 'true' : `[1, 2].all(v${depth}, ${nested(depth - 1)})`;
  assert.equal(expressionOf(nested(3), 'rule a').evaluate({}).kind, 'value');
  assert.throws(() => expressionOf(nested(4), 'rule a'), /more than 3 deep/);
});
