import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SystemIds } from '../../adapters/system-clock.ts';

test('ids are unique and sort by creation, also within a millisecond', () => {
  const source = new SystemIds();
  const ids = Array.from({ length: 10_000 }, () => source.next());
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(ids.toSorted(), ids);
});
