import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupByCause } from '../../../core/notify/group-by-cause.ts';

const item = (name: string, ...causes: string[]) => ({ name, causes });
const shown = (items: readonly { name: string; causes: readonly string[] }[]) =>
  groupByCause(items).map((group) => `${group.cause}: ${group.items.map(({ name }) => name).join(' ')}`);

test('the cause of the most comes first, then that of the most that are left', () => {
  const items = [
    item('web on a', 'commit 1', 'cluster a'),
    item('web on b', 'commit 1', 'cluster b'),
    item('web on c', 'commit 1', 'cluster c'),
    item('api on d', 'commit 2', 'cluster d'),
    item('db on d', 'commit 3', 'cluster d'),
    item('alone', 'commit 4', 'cluster e'),
  ];
  assert.deepEqual(shown(items), [
    'commit 1: web on a web on b web on c',
    'cluster d: api on d db on d',
    'commit 4: alone',
  ]);
});

test('of equals the one that is named earlier, and then the order of the alphabet', () => {
  assert.deepEqual(shown([item('x', 'commit 2', 'cluster a'), item('y', 'commit 2', 'cluster a')]), [
    'commit 2: x y',
  ]);
  assert.deepEqual(shown([item('x', 'b'), item('y', 'a')]), ['a: y', 'b: x']);
});

test('at most ten groups: what is beyond is one', () => {
  const items = Array.from({ length: 500 }, (_, index) => item(`i${index}`, `cause ${index}`));
  const groups = groupByCause(items);
  assert.equal(groups.length, 10);
  assert.equal(groups.at(-1)?.items.length, 491);
  assert.equal(groups.flatMap((group) => group.items).length, 500);
});

test('nothing is no group', () => assert.deepEqual(groupByCause([]), []));
