import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import type { StackConfigInput } from '../../core/contract/config.ts';
import { ofType, synthesize } from '../infra/synthesized.ts';
import { fixed, perCluster, sumOf, totalFor, type Line } from './bill.ts';
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

const configOf = (clusters: number): StackConfigInput => ({
  repositories: [{ name: 'config', url: 'https://github.com/acme/config.git' }],
  clusters: Array.from({ length: clusters }, (_, index) => {
    const name = `cluster-${index}`;
    return { name, access: { type: 'eks', name } };
  }),
});

function countsFor(clusters: number): Readonly<Record<string, number>> {
  using stack = synthesize(configOf(clusters));
  const types = ['CloudWatch::Alarm', 'CloudWatch::Dashboard', 'KMS::Key', 'SecretsManager::Secret'];
  return Object.fromEntries(types.map((type) => [type, ofType(stack.resources, `AWS::${type}`).length]));
}

function countOf(lines: readonly Line[], item: string): number {
  return lines.find((line) => line.item === item)?.count ?? 0;
}

test('cost: the template has as many of each as the computation says', () => {
  for (const clusters of [1, 3]) {
    assert.deepEqual(countsFor(clusters), {
      'CloudWatch::Alarm': countOf(fixed, 'Alarms') + clusters * countOf(perCluster, 'Alarms'),
      'CloudWatch::Dashboard': countOf(fixed, 'Dashboard'),
      'KMS::Key': countOf(fixed, 'KMS key'),
      'SecretsManager::Secret': countOf(fixed, 'Secrets'),
    });
  }
});

const mappingSchema = z.object({ ScalingConfig: z.object({ MaximumConcurrency: z.number() }) });

test('cost: five queues are polled, each with a maximum concurrency, one of them FIFO', () => {
  using stack = synthesize(configOf(1));
  const mappings = ofType(stack.resources, 'AWS::Lambda::EventSourceMapping');
  assert.equal(mappings.length, 5);
  for (const [, { Properties }] of mappings) mappingSchema.parse(Properties);
  const fifo = ofType(stack.resources, 'AWS::SQS::Queue').filter(([id, { Properties }]) => {
    return Properties['FifoQueue'] === true && !id.includes('DeadLetters');
  });
  assert.equal(fifo.length, 1);
});
