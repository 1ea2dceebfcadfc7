import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixed, perCluster, sumOf, totalFor } from './bill.ts';
import { readPage, rowOf } from './documents.ts';

const page = readPage('docs/cost.md');
const [floorText = '', clusterText = ''] = page.text.split('\n## ').slice(1);

for (const [lines, text] of [
  [fixed, floorText],
  [perCluster, clusterText],
] as const) {
  for (const { item, count, price } of lines) {
    test(`cost: the row of ${item} has the computed figure`, () => {
      assert.equal(rowOf({ ...page, text }, item).at(-1), (count * price).toFixed(2));
    });
  }
}

test('cost: sums for 1, 10 and 100 clusters', () => {
  for (const clusters of [1, 10, 100]) {
    const sums = [sumOf(fixed), clusters * sumOf(perCluster), totalFor(clusters)];
    assert.deepEqual(
      rowOf(page, `${clusters} |`).slice(1),
      sums.map((sum) => sum.toFixed(2)),
    );
  }
});
