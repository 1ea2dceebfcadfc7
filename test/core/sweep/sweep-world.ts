import { setTimeout as delay } from 'node:timers/promises';
import { keys } from '../../../core/contract/keys.ts';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { loadDesired } from '../../../core/desired-state.ts';
import { readDocument } from '../../../core/documents.ts';
import { clusterCheckSchema, type TargetCheck } from '../../../core/model/check.ts';
import {
  defaultSettings,
  desiredPointerSchema,
  type DesiredPointer,
  type Settings,
} from '../../../core/model/desired.ts';
import { driftRecordSchema } from '../../../core/model/drift.ts';
import { inventorySchema, type Inventory } from '../../../core/model/inventory.ts';
import type { KubeObject, LiveObject, ObjectRef } from '../../../core/model/object.ts';
import { resolveDesired, type ResolvedObject } from '../../../core/plan.ts';
import type { Cluster, ObjectAddress, Sealer } from '../../../core/ports.ts';
import { canonicalObjects, contentDigest, encodeSnapshot, sealSnapshot } from '../../../core/snapshot.ts';
import { sweepCluster, type SweepDeps } from '../../../core/sweep.ts';
import { isoTime } from '../../../core/model/time.ts';
import { CountingIds, ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryStore } from '../../fakes/memory-store.ts';
import { MemoryValues } from '../../fakes/memory-values.ts';
import { RecordingBus, RecordingMetrics, RecordingQueues } from '../../fakes/recorders.ts';
import { ScriptedCluster } from './scripted-cluster.ts';

const person = { name: 'Ada', email: 'ada@example.com', at: '2026-11-23T11:00:00.000Z' };
const sha = 'c0ffee'.padEnd(40, '0');

const sealer: Sealer = {
  digestKey: async () => new Uint8Array(32).fill(7),
  newDataKey: async () => ({ wrapped: 'wrapped', key: new Uint8Array(32) }),
  unwrap: async () => new Uint8Array(32),
  encrypt: (_, plain) => Buffer.from(plain).toString('base64'),
  decrypt: (_, sealed) => Buffer.from(sealed, 'base64').toString(),
};

export function deployment(name: string, image = 'a:1'): KubeObject {
  const spec = { replicas: 2, template: { spec: { containers: [{ name: 'app', image }] } } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'web' }, spec };
}

export function configMap(name: string, data: Readonly<Record<string, string>> = { a: '1' }): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'web' }, data };
}

export function secret(name: string, password: string): KubeObject {
  const metadata = { name, namespace: 'web' };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: { password } };
}

/** One cluster `east` with its records, for sweeps without AWS; a scripted one unless a real one is given. */
export class SweepWorld<C extends Cluster = ScriptedCluster> {
  readonly store = new MemoryStore();
  readonly bus = new RecordingBus();
  readonly queues = new RecordingQueues();
  readonly metrics = new RecordingMetrics();
  readonly clock = new ManualClock();
  readonly ids = new CountingIds();
  readonly references = new MemoryValues();
  readonly cluster: C;
  budgetMs = 300_000;

  constructor(cluster: C) {
    this.cluster = cluster;
  }

  get deps(): SweepDeps {
    const { store, bus, queues, metrics, clock, ids, references, cluster } = this;
    const config = parseStackConfig({
      repositories: [{ name: 'config', url: 'https://example.com/config.git' }],
      clusters: ['east', 'west'].map((name) => ({ name, access: { type: 'eks', name } })),
    });
    const deadline = clock.now() + this.budgetMs;
    return {
      store,
      bus,
      queues,
      metrics,
      clock,
      ids,
      sealer,
      references,
      clusters: { connect: async () => cluster },
      config,
      deadline,
    };
  }

  /** What the snapshot function does: a snapshot, and the pointer moved to it. */
  async push(
    application: string,
    objects: readonly KubeObject[],
    settings: Partial<Settings> = {},
  ): Promise<DesiredPointer> {
    const target = { cluster: 'east', application };
    const content = { application, namespace: 'web', objects: canonicalObjects(objects) };
    const digest = await contentDigest(content, sealer);
    const commit = {
      repository: 'config',
      ref: 'refs/heads/main',
      sha,
      author: person,
      committer: person,
      subject: 'change',
    };
    const provenance = { commit, renderer: 'plain' as const, versions: {}, inputDigest: 'none', origins: {} };
    const snapshot = await sealSnapshot(content, provenance, sealer);
    await this.store.put(keys.snapshot(application, digest), encodeSnapshot(snapshot), 'any');
    const before = (await readDocument(this.store, keys.desired(target), desiredPointerSchema))?.value;
    const pointer: DesiredPointer = {
      version: 1,
      seq: (before?.seq ?? 0) + 1,
      target,
      repository: 'config',
      ref: 'refs/heads/main',
      state: 'present',
      revision: (before?.revision ?? 0) + 1,
      snapshot: digest,
      objects: objects.length,
      settings: { ...defaultSettings, ...settings },
      commit,
      examined: { sha, at: isoTime(this.clock.now()) },
    };
    await this.#write(keys.desired(target), pointer);
    return pointer;
  }

  /** What a run does: everything applied, and the inventory that says so. */
  async run(pointer: DesiredPointer): Promise<void> {
    const { target } = pointer;
    const resolved = [...(await this.resolve(pointer))].sort((a, b) => rankOf(a.ref) - rankOf(b.ref));
    const entries: Inventory['entries'] = {};
    for (const { address, object, ref, key, digest } of resolved) {
      const outcome = await this.#applied(address, object);
      const { uid } = outcome.metadata;
      const place = { apiVersion: address.apiVersion, plural: address.plural };
      entries[key] = {
        ref,
        ...place,
        state: 'applied',
        created: true,
        adopted: false,
        uid,
        desiredDigest: digest,
      };
    }
    const at = isoTime(this.clock.now());
    const done = { revision: pointer.revision, runId: 'run', at };
    await this.changeInventory(target.application, () => ({
      entries,
      applied: { ...done, snapshot: pointer.snapshot, sha },
      lastRun: { ...done, key: 'run', outcome: 'applied', message: '', attempt: 0, retry: false },
    }));
  }

  /** A definition's kind is served a moment after it was accepted. */
  async #applied(address: ObjectAddress, object: KubeObject): Promise<LiveObject> {
    const deadline = Date.now() + 15_000;
    for (;;) {
      const options = { dryRun: false, force: true } as const;
      const outcome = await this.cluster.apply(address, object, options);
      if (outcome.kind === 'applied') return outcome.object;
      if (outcome.kind !== 'absent' || Date.now() > deadline)
        throw new Error(JSON.stringify([address, outcome]));
      await delay(100);
    }
  }

  async deploy(
    application: string,
    objects: readonly KubeObject[],
    settings: Partial<Settings> = {},
  ): Promise<DesiredPointer> {
    const pointer = await this.push(application, objects, settings);
    await this.run(pointer);
    return pointer;
  }

  async resolve({ target, snapshot }: DesiredPointer): Promise<readonly ResolvedObject[]> {
    const desired = await loadDesired({ store: this.store, sealer }, target.application, snapshot);
    return resolveDesired(desired, await this.cluster.resources()).objects;
  }

  async changeInventory(
    application: string,
    change: (inventory: Inventory) => Partial<Inventory>,
  ): Promise<void> {
    const target = { cluster: 'east', application };
    const current = (await readDocument(this.store, keys.inventory(target), inventorySchema))?.value;
    const empty: Inventory = { version: 1, seq: 0, target, entries: {}, hooks: {}, accepted: [] };
    const inventory = { ...(current ?? empty), seq: (current?.seq ?? 0) + 1 };
    await this.#write(keys.inventory(target), { ...inventory, ...change(inventory) });
  }

  async changePointer(application: string, change: Partial<DesiredPointer>): Promise<void> {
    const key = keys.desired({ cluster: 'east', application });
    const current = (await readDocument(this.store, key, desiredPointerSchema))?.value;
    await this.#write(key, { ...current, ...change });
  }

  async #write(key: string, value: object): Promise<void> {
    await this.store.put(key, JSON.stringify(value), 'any');
  }

  /** Sweeps `east` and gives the check of one application. */
  async sweep(application = 'web'): Promise<TargetCheck | undefined> {
    return (await this.sweepAll()).targets[application];
  }

  async sweepAll() {
    return clusterCheckSchema.parse(await sweepCluster({ cluster: 'east', requestedBy: 'test' }, this.deps));
  }

  async records() {
    const names = await Array.fromAsync(this.store.list('drift/'));
    return Promise.all(
      names.map(async (name) => (await readDocument(this.store, name, driftRecordSchema))?.value),
    );
  }

  /** `DriftedObjects 1` of the cluster, in the order sent; those of the fleet begin with `fleet`. */
  sentMetrics(): string[] {
    return this.metrics.data
      .splice(0)
      .map(({ name, value, cluster }) => `${cluster === undefined ? 'fleet ' : ''}${name} ${value}`);
  }
}

export const webAddress = { apiVersion: 'apps/v1', plural: 'deployments', namespace: 'web', name: 'front' };

function rankOf({ kind }: ObjectRef): number {
  if (kind === 'Namespace') return 0;
  return kind === 'CustomResourceDefinition' ? 1 : 2;
}

export function scriptedWorld(): SweepWorld {
  return new SweepWorld(new ScriptedCluster());
}
