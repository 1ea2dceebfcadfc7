import { keys } from '../../../core/contract/keys.ts';
import { readDocument, writeDocument } from '../../../core/documents.ts';
import {
  defaultSettings,
  desiredPointerSchema,
  type DesiredPointer,
  type Settings,
} from '../../../core/model/desired.ts';
import type { Project } from '../../../core/contract/projects.ts';
import type { FleetFreeze } from '../../../core/model/freeze.ts';
import { inventorySchema, type Inventory } from '../../../core/model/inventory.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import type { RunReason, RunRecord, RunRequest } from '../../../core/model/run.ts';
import type { Target } from '../../../core/model/target.ts';
import { isoTime } from '../../../core/model/time.ts';
import type { Clock, Cluster, Clusters, Sealer, Store } from '../../../core/ports.ts';
import { reconcile, type ReconcileDeps, type ReconcileResult } from '../../../core/reconcile.ts';
import { seenNow } from '../../../core/suspend.ts';
import { canonicalObjects, contentDigest, encodeSnapshot, sealSnapshot } from '../../../core/snapshot.ts';
import { CountingIds } from '../../fakes/manual-clock.ts';
import { MemorySealer } from '../../fakes/memory-sealer.ts';
import { MemoryStore } from '../../fakes/memory-store.ts';
import { RecordingBus, RecordingMetrics, RecordingQueues } from '../../fakes/recorders.ts';

const person = { name: 'Ada', email: 'ada@example.com', at: '2026-11-23T11:00:00.000Z' };

/** A ConfigMap that names no namespace. */
export function configMap(name: string, data: Readonly<Record<string, string>> = { a: '1' }): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

/** What differs from a commit that is present in Git, with the default switches. */
export interface PushOptions extends Partial<Settings> {
  readonly state?: DesiredPointer['state'];
}

/** Where a push goes. */
export interface PushPlace {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly target: Target;
  readonly namespace: string;
}

/** What the snapshot function does: a snapshot, and the pointer moved to it. */
export async function pushTo(
  { store, sealer, clock, target, namespace }: PushPlace,
  objects: readonly KubeObject[],
  { state = 'present', ...settings }: PushOptions = {},
): Promise<DesiredPointer> {
  const { application } = target;
  const before = (await readDocument(store, keys.desired(target), desiredPointerSchema))?.value;
  const revision = (before?.revision ?? 0) + 1;
  const sha = revision.toString(16).padStart(40, '0');
  const commit = {
    repository: 'config',
    ref: 'refs/heads/main',
    sha,
    author: person,
    committer: person,
    subject: `revision ${revision}`,
  };
  const content = { application, namespace, objects: canonicalObjects(objects) };
  const digest = await contentDigest(content, sealer);
  const provenance = { commit, renderer: 'plain' as const, versions: {}, inputDigest: 'none', origins: {} };
  const snapshot = await sealSnapshot(content, provenance, sealer);
  await store.put(keys.snapshot(application, digest), encodeSnapshot(snapshot), 'any');
  const pointer: DesiredPointer = {
    version: 1,
    seq: (before?.seq ?? 0) + 1,
    target,
    repository: commit.repository,
    ref: commit.ref,
    state,
    revision,
    snapshot: digest,
    objects: objects.length,
    settings: { ...defaultSettings, ...settings },
    commit,
    examined: { sha, at: isoTime(clock.now()) },
  };
  await writeDocument(store, keys.desired(target), pointer, 'any');
  return pointer;
}

/** The target `east/web` with its records in memory, on whatever cluster is given. */
export class ReconcileWorld<C extends Clock> {
  readonly target: { readonly cluster: string; readonly application: string };
  readonly store = new MemoryStore();
  readonly bus = new RecordingBus();
  readonly queues = new RecordingQueues();
  readonly metrics = new RecordingMetrics();
  readonly ids = new CountingIds();
  readonly sealer = new MemorySealer();
  readonly clock: C;
  readonly clusters: Clusters;
  readonly namespace: string;
  pruneCap = { percent: 30, objects: 5 };
  /** Of the installation, and of the cluster. */
  freeze: FleetFreeze[] = [];
  labels: Record<string, string> = {};
  projects: readonly Project[] = [];
  /** What a function has left when it gets a request. */
  budgetMs = 300_000;

  constructor(
    clock: C,
    cluster: Cluster | Clusters,
    { namespace = 'default', target = { cluster: 'east', application: 'web' } } = {},
  ) {
    this.clock = clock;
    this.clusters = 'connect' in cluster ? cluster : { connect: async () => cluster };
    this.namespace = namespace;
    this.target = target;
  }

  get deps(): ReconcileDeps {
    const { store, bus, queues, metrics, clock, ids, sealer, clusters, pruneCap } = this;
    const deadline = clock.now() + this.budgetMs;
    const access = { type: 'kubeconfig' as const, secret: 'none' };
    const { freeze, labels } = this;
    const fleet = { clusters: [{ name: this.target.cluster, labels, access }] };
    const config = { pruneCap, freeze, repositories: [], projects: [...this.projects], ...fleet };
    return { store, bus, queues, metrics, clock, ids, sealer, clusters, config, deadline };
  }

  async push(objects: readonly KubeObject[], options: PushOptions = {}): Promise<DesiredPointer> {
    return pushTo(this, objects, options);
  }

  request(reason: RunReason = 'push'): RunRequest {
    return { version: 1, target: this.target, reason, requestedBy: 'test' };
  }

  /** A sync is one that a person asks for now, knowing what was cancelled before. */
  async run(
    reason: RunReason = 'push',
    more: Partial<ReconcileDeps & RunRequest> = {},
  ): Promise<ReconcileResult> {
    const { confirmPrune, trace, ...deps } = more;
    const asked = { ...(confirmPrune !== undefined && { confirmPrune }), ...(trace && { trace }) };
    const seen = reason === 'sync' ? await seenNow(this.store) : {};
    const request = { ...this.request(reason), ...seen, ...asked };
    return reconcile(request, { ...this.deps, ...deps });
  }

  /** Runs, and gives the record; throws when nothing was run. */
  async record(
    reason: RunReason = 'push',
    more: Partial<ReconcileDeps & RunRequest> = {},
  ): Promise<RunRecord> {
    const result = await this.run(reason, more);
    if (result.kind !== 'ran') throw new Error(`did not run: ${result.why}`);
    return result.record;
  }

  async inventory(): Promise<Inventory> {
    const document = await readDocument(this.store, keys.inventory(this.target), inventorySchema);
    if (document === undefined) throw new Error('there is no inventory');
    return document.value;
  }
}

/** `created Kind name, …` of a record, sorted: what a run did, at a glance. */
export function didIn({ outcome }: RunRecord): readonly string[] {
  return (outcome?.objects ?? []).map(({ outcome: did, ref }) => `${did} ${ref.kind} ${ref.name}`).toSorted();
}
