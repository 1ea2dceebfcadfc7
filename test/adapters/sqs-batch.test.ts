import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import * as z from 'zod';
import { handleBatch, type FaultPolicy } from '../../adapters/sqs-batch.ts';
import { Blocked, Retry, Stop } from '../../core/errors.ts';

const schema = z.object({ does: z.string() });

function record(messageId: string, body: string, group?: string) {
  const attributes = { ApproximateReceiveCount: '3', ...(group !== undefined && { MessageGroupId: group }) };
  return { messageId, receiptHandle: 'r', body, attributes, eventSource: 'aws:sqs' };
}

const fault = { subject: 'application web', message: 'no' };
async function act(body: z.infer<typeof schema>): Promise<void> {
  if (body.does === 'retry') throw new Retry(fault);
  if (body.does === 'stop') throw new Stop(fault);
  if (body.does === 'block') throw new Blocked(fault);
  if (body.does === 'crash') throw new TypeError('x is not a function');
}

/** Runs a batch and gives the failed messages, and the log lines it wrote. */
async function run(records: readonly ReturnType<typeof record>[], onFault?: FaultPolicy) {
  const lines: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  const written = mock.method(process.stdout, 'write', (line: string | Uint8Array) => {
    // The test runner reports through the same stream, in bytes.
    if (typeof line !== 'string') return write(line);
    return lines.push(line) > 0;
  });
  try {
    const { batchItemFailures } = await handleBatch({ Records: records }, schema, act, onFault);
    return { failed: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), lines };
  } finally {
    written.mock.restore();
  }
}

const json = (does: string) => JSON.stringify({ does });

for (const [does, failed, level] of [
  ['well', false, undefined],
  ['retry', true, 'WARN'],
  ['stop', false, 'WARN'],
  ['block', false, 'WARN'],
  ['crash', true, 'ERROR'],
] as const) {
  test(`a message that does ${does} is ${failed ? 'left in the queue' : 'acknowledged'}`, async () => {
    const result = await run([record('m1', json(does))]);
    assert.deepEqual(result.failed, failed ? ['m1'] : []);
    const line =
      result.lines[0] === undefined ? undefined : (JSON.parse(result.lines[0]) as Record<string, unknown>);
    assert.equal(line?.['level'], level);
    if (does === 'crash') assert.match(String(line?.['stack']), /TypeError/);
    else assert.equal(line?.['stack'], undefined);
  });
}

for (const does of ['stop', 'block']) {
  test(`a message that does ${does} stays in a queue whose handler records such outcomes itself`, async () => {
    const { failed, lines } = await run([record('m1', json(does)), record('m2', json('well'))], 'fail');
    assert.deepEqual(failed, ['m1']);
    assert.match(lines[0] ?? '', /"level":"ERROR".*"error":"application web: no"/);
  });
}

test('one message does not decide over another', async () => {
  const { failed } = await run([
    record('m1', json('retry')),
    record('m2', json('well')),
    record('m3', json('crash')),
  ]);
  assert.deepEqual(failed, ['m1', 'm3']);
});

test('in a FIFO group all that come after a failed message stay, in their order', async () => {
  const { failed } = await run([
    record('a1', json('well'), 'a'),
    record('a2', json('retry'), 'a'),
    record('b1', json('well'), 'b'),
    record('a3', json('well'), 'a'),
  ]);
  assert.deepEqual(failed, ['a2', 'a3']);
});

for (const body of ['s3cret', '{"does":7,"token":"s3cret"}', '"s3cret"', '']) {
  test(`a body that does not fit goes to the DLQ, and no log line holds it: ${body}`, async () => {
    const { failed, lines } = await run([record('m1', body), record('m2', json('well'))]);
    assert.deepEqual(failed, ['m1']);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /"queueMessage":"m1","receiveCount":3/);
    assert.doesNotMatch(lines[0] ?? '', /s3cret/);
  });
}

test('an event that is not of SQS is refused as a whole', async () => {
  await assert.rejects(handleBatch({ rawPath: '/' }, schema, act));
});
