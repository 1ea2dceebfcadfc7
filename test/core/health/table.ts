import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { healthOf } from '../../../core/health.ts';
import { kubeObjectSchema, type LiveObject } from '../../../core/model/object.ts';

/** When every case is judged. */
export const now = Date.parse('2026-11-23T12:00:00Z');

const serverMeta = { uid: 'one', resourceVersion: '1' };
const generationSchema = z.number().optional();

/** A live object from YAML; uid and resourceVersion are added, since no rule looks at them. */
export function liveObject(yaml: string): LiveObject {
  const { metadata, ...object } = kubeObjectSchema.parse(load(yaml));
  const generation = generationSchema.parse(metadata['generation']);
  return {
    ...object,
    metadata: { ...metadata, ...serverMeta, ...(generation !== undefined && { generation }) },
  };
}

/** One test per case: name, what `Status Reason: message` begins with, and the object. */
export function judge(cases: readonly (readonly [name: string, expected: string, yaml: string])[]): void {
  for (const [name, expected, yaml] of cases) {
    test(name, () => {
      const { status, reason, message } = healthOf(liveObject(yaml), now);
      const text =
        [status, reason].filter((part) => part !== '').join(' ') + (message === '' ? '' : `: ${message}`);
      assert.ok(text.startsWith(expected), `${text} does not begin with ${expected}`);
    });
  }
}
