import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countedMonth, monthCost, sumOf } from '../../core/view/month-cost.ts';
import { hoursInMonth } from '../../core/view/prices.ts';
import { computeBill } from './bill.ts';
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

test('cost: what the dashboard reckons with is what is counted', async () => {
  const { fixed, perCluster } = await computeBill();
  const near = (told: number, computed: number) =>
    assert.ok(Math.abs(told - computed) <= tolerance * computed, `${told} for ${computed}`);
  near(sumOf(countedMonth.floor), sumOf(fixed));
  near(sumOf(countedMonth.cluster), sumOf(perCluster));
  const hours = hoursInMonth;
  const work = { clusters: 10, sweepMinutes: 5, runs: 0, hours, hoursOfMonth: hours };
  near(monthCost(work).usd, sumOf(fixed) + 10 * sumOf(perCluster));
  // Halfway through the month it has come to half, and to the whole by its end.
  near(monthCost({ ...work, hours: hours / 2 }).usd, monthCost(work).usd / 2);
  near(monthCost({ ...work, hours: hours / 2 }).wholeMonth, monthCost(work).usd);
});
