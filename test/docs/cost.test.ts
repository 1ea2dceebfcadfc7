import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeBill, sumOf } from './bill.ts';
import { costTables, withTables } from './cost-tables.ts';
import { readPage } from './documents.ts';

/** A request more or less a day is no other bill. */
const tolerance = 0.05;
const leastUsd = 0.02;

const figure = /\d[\d,]*(?:\.\d+)?/g;

/** Texts that are the same but for figures that are nearly so. */
function assertNearly(actual: string, expected: string): void {
  assert.equal(actual.replaceAll(figure, '#'), expected.replaceAll(figure, '#'));
  const numbers = (text: string): number[] =>
    [...text.matchAll(figure)].map(([each]) => Number(each.replaceAll(',', '')));
  const wanted = numbers(expected);
  for (const [place, number] of numbers(actual).entries()) {
    const other = wanted[place] ?? 0;
    const isNear = Math.abs(number - other) <= Math.max(leastUsd, tolerance * other);
    assert.ok(isNear, `docs/cost.md says ${number} and ${other} is computed; run \`npm run bill\``);
  }
}

test('cost: the tables of the page are those that a simulated month gives', async () => {
  const { text } = readPage('docs/cost.md');
  const lines = withTables(text, costTables(await computeBill())).split('\n');
  for (const [place, line] of text.split('\n').entries()) assertNearly(line, lines[place] ?? '');
});

test('cost: a further cluster of 100 applications costs at most 1 USD a month, the floor less than 10', async () => {
  const { fixed, perCluster } = await computeBill();
  assert.ok(sumOf(perCluster) <= 1, `${sumOf(perCluster)} for each cluster`);
  assert.ok(sumOf(fixed) < 10, `${sumOf(fixed)} for the installation`);
});
