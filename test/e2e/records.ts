import { S3Client } from '@aws-sdk/client-s3';
import { S3Store } from '../../adapters/s3-store.ts';
import { keys, prefixes } from '../../core/contract/keys.ts';
import { readDocument } from '../../core/documents.ts';
import { clusterCheckSchema, type ClusterCheck } from '../../core/model/check.ts';
import { deliverySchema, type Delivery } from '../../core/model/delivery.ts';
import { desiredPointerSchema, repositoryStateSchema } from '../../core/model/desired.ts';
import type { DesiredPointer, RepositoryState } from '../../core/model/desired.ts';
import { driftRecordSchema, type DriftRecord } from '../../core/model/drift.ts';
import { inventorySchema, type Inventory } from '../../core/model/inventory.ts';
import { runRecordSchema, type RunRecord } from '../../core/model/run.ts';
import type { Target } from '../../core/model/target.ts';
import type { Store } from '../../core/ports.ts';
import type { Installation } from './installation.ts';

export interface Keyed<T> {
  readonly key: string;
  readonly value: T;
}

/** The system's own records in S3, as an onlooker reads them. */
export interface Records {
  readonly store: Store;
  deliveries(): Promise<readonly Delivery[]>;
  repository(ref: string): Promise<RepositoryState | undefined>;
  desired(target: Target): Promise<DesiredPointer | undefined>;
  inventory(target: Target): Promise<Inventory | undefined>;
  /** Oldest first. */
  runs(target: Target): Promise<readonly Keyed<RunRecord>[]>;
  drifts(target: Target): Promise<readonly Keyed<DriftRecord>[]>;
  check(cluster: string): Promise<ClusterCheck | undefined>;
}

export function recordsOf({ clients, output, repository }: Installation): Records {
  const store = new S3Store(output('bucket'), new S3Client({ ...clients, forcePathStyle: true }));
  const keysBelow = async (prefix: string) => Array.fromAsync(store.list(prefix));
  const belongsTo = (target: Target) => (key: string) =>
    key.includes(`/${target.cluster}/${target.application}/`);
  return {
    store,
    deliveries: async () => {
      const found = await keysBelow(`${prefixes.deliveries}github/id/`);
      const read = await Promise.all(found.map((key) => readDocument(store, key, deliverySchema)));
      return read.flatMap((document) => (document === undefined ? [] : [document.value]));
    },
    repository: async (ref) =>
      (await readDocument(store, keys.repository(repository, ref), repositoryStateSchema))?.value,
    desired: async (target) => (await readDocument(store, keys.desired(target), desiredPointerSchema))?.value,
    inventory: async (target) => (await readDocument(store, keys.inventory(target), inventorySchema))?.value,
    runs: async (target) => {
      const found = (await keysBelow(prefixes.runs)).filter(belongsTo(target));
      const read = await Promise.all(
        found.map(async (key) => ({ key, value: (await readDocument(store, key, runRecordSchema))?.value })),
      );
      return read.flatMap(({ key, value }) => (value === undefined ? [] : [{ key, value }]));
    },
    drifts: async (target) => {
      const found = (await keysBelow(prefixes.drift)).filter(belongsTo(target));
      const read = await Promise.all(
        found.map(async (key) => ({
          key,
          value: (await readDocument(store, key, driftRecordSchema))?.value,
        })),
      );
      return read.flatMap(({ key, value }) => (value === undefined ? [] : [{ key, value }]));
    },
    check: async (cluster) => (await readDocument(store, keys.check(cluster), clusterCheckSchema))?.value,
  };
}
