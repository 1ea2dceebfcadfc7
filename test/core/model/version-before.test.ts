import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as z from 'zod';
import { prefixes } from '../../../core/contract/keys.ts';
import { clusterCheckSchema } from '../../../core/model/check.ts';
import { deliverySchema } from '../../../core/model/delivery.ts';
import { desiredPointerSchema, repositoryStateSchema } from '../../../core/model/desired.ts';
import { driftRecordSchema, openDriftSchema } from '../../../core/model/drift.ts';
import { clusterFactsSchema } from '../../../core/model/facts.ts';
import { recentHealsSchema } from '../../../core/model/heals.ts';
import { inventorySchema } from '../../../core/model/inventory.ts';
import { clusterMemorySchema } from '../../../core/model/memory.ts';
import { renderRecordSchema } from '../../../core/model/render-record.ts';
import { runRecordSchema } from '../../../core/model/run.ts';

/** By folder; snapshots are read by their digest, leases and bodies of deliveries by nothing but their token and id. */
const schemas: Readonly<Partial<Record<keyof typeof prefixes, z.ZodType>>> = {
  checks: clusterCheckSchema,
  desired: desiredPointerSchema,
  drift: driftRecordSchema,
  facts: clusterFactsSchema,
  heals: recentHealsSchema,
  inventory: inventorySchema,
  memory: clusterMemorySchema,
  openDrift: openDriftSchema,
  renders: renderRecordSchema,
  repositories: repositoryStateSchema,
  runs: runRecordSchema,
};
const file = path.resolve(import.meta.dirname, '../../fixtures/previous-version/records.json');
const records = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(file, 'utf8')));

test('every document that the version before left is read as it is', () => {
  const read = Object.entries(records).flatMap(([key, text]) => {
    const delivery = /^deliveries\/[^/]+\/id\//.test(key) ? deliverySchema : undefined;
    const folder = Object.entries(schemas).find(([name]) =>
      key.startsWith(prefixes[name as keyof typeof prefixes]),
    );
    const schema = delivery ?? folder?.[1];
    if (schema === undefined) return [];
    const { error } = schema.safeParse(JSON.parse(text));
    assert.equal(error, undefined, `${key}: ${error?.message}`);
    return [key.slice(0, key.indexOf('/'))];
  });
  assert.deepEqual([...new Set(read)].toSorted(), [
    'checks',
    'deliveries',
    'desired',
    'drift',
    'facts',
    'heals',
    'inventory',
    'memory',
    'open-drift',
    'renders',
    'repositories',
    'runs',
  ]);
});
