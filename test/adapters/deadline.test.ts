import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDeadline } from '../../adapters/deadline.ts';
import { Retry } from '../../core/errors.ts';

test('gives the result or the failure of work that is in time', async () => {
  assert.equal(await withDeadline('work', 60_000, Promise.resolve(7)), 7);
  await assert.rejects(withDeadline('work', 60_000, Promise.reject(new TypeError('bug'))), TypeError);
});

test('is a Retry that names what was too slow', async () => {
  await assert.rejects(withDeadline('webhook', 1, new Promise(() => {})), (error) => {
    assert.ok(error instanceof Retry);
    assert.equal(error.message, 'webhook: took longer than 1 ms; try again');
    return true;
  });
});
