import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as z from 'zod';
import { prefixes } from '../../core/contract/keys.ts';
import { dashboard, ofType, sample, synthesize, type Synthesized } from '../infra/synthesized.ts';
import { resources as billed } from './bill.ts';
import { headingsOf, readPage, rowOf } from './documents.ts';

/** What the pages say of the deployed stack, held against its template. */

const stack = synthesize();
after(() => stack[Symbol.dispose]());

test('every alarm names a heading that the runbook has', () => {
  const alarms = ofType(stack.resources, 'AWS::CloudWatch::Alarm');
  assert.notEqual(alarms.length, 0);
  for (const [name, { Properties }] of alarms) {
    const [, path = '', anchor = ''] = /(docs\/[\w.]+\.md)#(\S+)$/.exec(
      String(Properties['AlarmDescription']),
    ) ?? [name];
    const anchors = headingsOf(readPage(path)).map((heading) => heading.anchor);
    assert.ok(anchors.includes(anchor), `${name}: ${path} has no heading for #${anchor}`);
  }
});

const lifecycleSchema = z.object({
  LifecycleConfiguration: z.object({
    Rules: z.array(
      z.object({
        Prefix: z.string().optional(),
        ExpirationInDays: z.number().optional(),
        NoncurrentVersionExpiration: z.object({ NoncurrentDays: z.number() }).optional(),
      }),
    ),
  }),
});

for (const prefix of Object.values(prefixes)) {
  test(`architecture: the row of ${prefix} tells its lifecycle`, () => {
    const [[, { Properties }] = ['', { Properties: {} }]] = ofType(stack.resources, 'AWS::S3::Bucket');
    const { Rules } = lifecycleSchema.parse(Properties).LifecycleConfiguration;
    const rule = Rules.find(({ Prefix }) => Prefix === prefix);
    const current = rule?.ExpirationInDays === undefined ? 'kept' : `${rule.ExpirationInDays} d`;
    const told = rowOf(readPage('docs/architecture.md'), `\`${prefix}`).at(-1);
    assert.equal(told, `${current}, ${rule?.NoncurrentVersionExpiration?.NoncurrentDays} d`);
  });
}

test('runbook: each resource that a command asks for is in the stack exactly once', () => {
  using whole = synthesize({ ...sample, dashboard });
  const { text } = readPage('docs/runbook.md');
  const named = [...text.matchAll(/physical (AWS::[\w:]+) (TrueUp\w+)/g)].map(([, ...names]) => names);
  const logs = [...text.matchAll(/`(?:logs|faults)\s(\w+)/g)].map(([, name]) => [
    'AWS::Logs::LogGroup',
    `TrueUpFunctions${name}Log`,
  ]);
  for (const [type = '', start = ''] of [...named, ...logs]) {
    const found = ofType(whole.resources, type).filter(([id]) => id.startsWith(start));
    assert.equal(found.length, 1, `${type} ${start}: ${found.map(([id]) => id).join(', ')}`);
  }
});

function countsOf({ resources }: Synthesized): Readonly<Record<string, number>> {
  const types = ['CloudWatch::Alarm', 'CloudWatch::Dashboard', 'KMS::Key', 'SecretsManager::Secret'];
  return Object.fromEntries(types.map((type) => [type, ofType(resources, `AWS::${type}`).length]));
}

test('cost: the template has as many of each as the bill says, however many clusters there are', () => {
  const { clusters: declared = [] } = sample;
  const [first] = declared;
  using small = synthesize({ ...sample, clusters: first === undefined ? [] : [first] });
  for (const synthesized of [small, stack]) {
    assert.deepEqual(countsOf(synthesized), {
      'CloudWatch::Alarm': billed.alarms,
      'CloudWatch::Dashboard': billed.dashboards,
      'KMS::Key': billed.keys,
      'SecretsManager::Secret': billed.secrets,
    });
  }
});

const mappingSchema = z.object({ ScalingConfig: z.object({ MaximumConcurrency: z.number() }) });

test('cost: five queues are polled, each with a maximum concurrency, one of them FIFO', () => {
  const mappings = ofType(stack.resources, 'AWS::Lambda::EventSourceMapping');
  assert.equal(mappings.length, billed.standardQueues + billed.fifoQueues);
  for (const [, { Properties }] of mappings) mappingSchema.parse(Properties);
  const fifo = ofType(stack.resources, 'AWS::SQS::Queue').filter(([id, { Properties }]) => {
    return Properties['FifoQueue'] === true && !id.includes('DeadLetters');
  });
  assert.equal(fifo.length, billed.fifoQueues);
});
