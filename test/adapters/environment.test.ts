import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnvironment } from '../../adapters/environment.ts';

const complete = {
  TRUEUP_BUCKET: 'bucket',
  TRUEUP_CONFIG: 'assets/path/config.json',
  TRUEUP_RUN_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/1/run.fifo',
};

test('gives what was asked for, frozen', () => {
  const read = readEnvironment(['bucket', 'config', 'runQueue'], complete);
  assert.deepEqual(read, {
    bucket: 'bucket',
    config: 'assets/path/config.json',
    runQueue: 'https://sqs.eu-central-1.amazonaws.com/1/run.fifo',
  });
  assert.ok(Object.isFrozen(read));
});

test('does not ask for what a function does not need', () => {
  assert.deepEqual(readEnvironment(['bucket'], { TRUEUP_BUCKET: 'b' }), { bucket: 'b' });
});

test('names every variable that is missing or wrong in one error, without values', () => {
  const wrong = { TRUEUP_BUCKET: '', TRUEUP_CONFIG: 'no-slash-s3cret' };
  assert.throws(
    () => readEnvironment(['bucket', 'bus', 'config', 'runQueue'], wrong),
    ({ message }: Error) => {
      assert.match(message, /4 fault\(s\)/);
      assert.match(message, /TRUEUP_BUS: is not set/);
      assert.match(message, /TRUEUP_CONFIG: must be bucket\/key/);
      for (const name of ['BUCKET', 'RUN_QUEUE_URL']) assert.match(message, new RegExp(name));
      assert.doesNotMatch(message, /s3cret|soon/);
      return true;
    },
  );
});
