import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liveWave, orderOf } from '../../core/order.ts';
import type { KubeObject } from '../../core/model/object.ts';

const object = (annotations: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j', namespace: 'shop', annotations },
});

test('waves and hooks as annotations say them', () => {
  assert.deepEqual(orderOf(object({})), { wave: 0 });
  assert.deepEqual(orderOf(object({ 'trueup.dev/wave': '-5' })), { wave: -5 });
  assert.deepEqual(orderOf(object({ 'trueup.dev/hook': 'post, pre' })), {
    wave: 0,
    hook: { phases: ['pre', 'post'], deletions: ['before'] },
  });
  const notes = {
    'trueup.dev/hook': 'fail',
    'trueup.dev/hook-delete': 'succeeded,failed',
    'trueup.dev/wave': '+2',
  };
  assert.deepEqual(orderOf(object(notes)), {
    wave: 2,
    hook: { phases: ['fail'], deletions: ['succeeded', 'failed'] },
  });
});

const wrong: readonly [Readonly<Record<string, string>>, RegExp][] = [
  [{ 'trueup.dev/wave': '1.5' }, /Job shop\/j: has trueup.dev\/wave: "1.5"; it must be a whole number/],
  [{ 'trueup.dev/wave': '' }, /has trueup.dev\/wave: ""/],
  [{ 'trueup.dev/wave': '1e3' }, /has trueup.dev\/wave: "1e3"/],
  [{ 'trueup.dev/wave': '9999999' }, /has trueup.dev\/wave: "9999999"/],
  [{ 'trueup.dev/hook': '' }, /"" is none of pre, post, fail, delete/],
  [{ 'trueup.dev/hook': 'pre,sync' }, /"sync" is none of/],
  [
    { 'trueup.dev/hook': 'pre', 'trueup.dev/hook-delete': 'never' },
    /"never" is none of before, succeeded, failed/,
  ],
  [{ 'trueup.dev/hook-delete': 'before' }, /and is no hook/],
];
for (const [annotations, message] of wrong) {
  test(`${JSON.stringify(annotations)} is a stop`, () => {
    assert.throws(() => orderOf(object(annotations)), message);
  });
}

test('the wave of a live object never stops anything', () => {
  assert.deepEqual(
    ['3', '-1', 'x', '1.5', '99999999'].map((wave) => liveWave(object({ 'trueup.dev/wave': wave }))),
    [3, -1, 0, 0, 0],
  );
});
