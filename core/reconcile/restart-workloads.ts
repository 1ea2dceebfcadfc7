import { writeDocument } from '../documents.ts';
import { keys } from '../contract/keys.ts';
import { Blocked, Retry, messageOf } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import { acquireLease, type Lease } from '../lease.ts';
import { membersOf } from '../model/json-parts.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import type { LiveObject } from '../model/object.ts';
import type { ObjectOutcome, RunRecord, RunRequest } from '../model/run.ts';
import { describeSuspension, suspensionOf } from '../model/suspension.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import { isRestartable } from '../model/workload.ts';
import { addressOf } from '../plan.ts';
import type { ApiResource, Cluster, JsonPatchOperation } from '../ports.ts';
import { readSuspensions } from '../suspend.ts';
import { busySeconds, lookDelaySeconds } from './delays.ts';
import { Halted } from './halted.ts';
import { InventoryWriter } from './inventory-writer.ts';
import { healthSince, isUnsettled, seeHealth } from './read-health.ts';
import type { ReconcileDeps } from './run-context.ts';
import { readPointer } from './standing.ts';
import { cancellationOf } from './stopped.ts';

type Result =
  | { readonly kind: 'rested' | 'deferred'; readonly why: string }
  | { readonly kind: 'ran'; readonly record: RunRecord };
type Pointer = NonNullable<Awaited<ReturnType<typeof readPointer>>>;

/** Where `kubectl rollout restart` writes too; drift never counts it. */
const annotation = 'kubectl.kubernetes.io/restartedAt';
const atOnce = 4;
const reserveMs = 10_000;
/** Controllers write the status of a workload all the time, which moves its version. */
const tries = 5;

/**
 * Has the controllers of a target's workloads replace their pods, few at a time, as their own strategies say. Only a mark on
 * the pod template is written, which is no drift; revision and inventory stay as they are, and a record says who asked.
 */
export async function restartWorkloads(request: RunRequest, deps: ReconcileDeps): Promise<Result> {
  const { target } = request;
  const [pointer, suspensions] = await Promise.all([
    readPointer(deps.store, target),
    readSuspensions(deps.store),
  ]);
  const suspension = suspensionOf(suspensions, target, deps.clock.now());
  if (suspension !== undefined) return { kind: 'rested', why: describeSuspension(suspension) };
  if (pointer === undefined) return { kind: 'rested', why: 'no application of Git has this target' };
  const lease = await acquireLease(deps, target);
  if (lease === undefined) {
    await deps.queues.runLater(request, busySeconds);
    return { kind: 'deferred', why: 'another run is at work on this target' };
  }
  try {
    const inventory = await InventoryWriter.claim(deps.store, target, lease.token);
    const applied = inventory.value.applied;
    if (applied === undefined) return { kind: 'rested', why: 'nothing is applied yet' };
    return { kind: 'ran', record: await restart(request, { pointer, inventory, lease, applied }, deps) };
  } finally {
    await lease.release();
  }
}

interface Standing {
  readonly pointer: Pointer;
  readonly inventory: InventoryWriter;
  readonly lease: Lease;
  readonly applied: NonNullable<Inventory['applied']>;
}

async function restart(request: RunRequest, standing: Standing, deps: ReconcileDeps): Promise<RunRecord> {
  const { pointer, inventory, lease } = standing;
  const record = recordOf(request, standing, deps);
  const { target, startedAt, id } = record;
  const key = keys.run(target, startedAt, id);
  await writeDocument(deps.store, key, record, 'any');
  const at = request.restartedAt ?? startedAt;
  const deadline = (): number => Math.min(lease.deadline(), deps.deadline - reserveMs);
  const { impersonate, health: checks } = pointer.settings;
  let objects: readonly ObjectOutcome[];
  try {
    const cluster = await deps.clusters.connect(target.cluster, deadline, { impersonate });
    const served = await cluster.resources();
    const assertWanted = async () => assertStillWanted(request, standing, deps);
    objects = await inBatches(workloadsOf(inventory.value, request), atOnce, async (entry) => {
      return mark(entry, { cluster, served, lease, at, assertWanted });
    });
    const seen = await seeHealth(cluster, inventory.value, deps.clock, { checks });
    const now = isoTime(deps.clock.now());
    const restarted = { runId: id, at: now };
    await inventory.save((current) => ({
      ...current,
      restarted,
      health: healthSince(current.health, seen, now),
    }));
    if (isUnsettled(seen)) {
      const look = { version: 1, target, reason: 'health', requestedBy: 'health' } as const;
      await deps.queues.runLater(look, lookDelaySeconds(0) ?? 0);
    }
  } catch (error) {
    // A person asked once, and asks again: nothing of it is tried behind their back.
    if (!(error instanceof Retry || error instanceof Blocked)) throw error;
    const message = messageOf(error);
    objects = record.plan.actions.map(({ ref }) => ({ ref, outcome: 'failed', message }));
  }
  const ended = { ...record, outcome: outcomeOf(objects, isoTime(deps.clock.now())) };
  await writeDocument(deps.store, key, ended, 'any');
  return ended;
}

function recordOf(
  request: RunRequest,
  { pointer, inventory, applied }: Standing,
  deps: ReconcileDeps,
): RunRecord {
  const { target, requestedBy, trace, only } = request;
  const why = `restart asked for by ${requestedBy}`;
  const actions = workloadsOf(inventory.value, request).map(({ ref }) => ({
    action: 'update' as const,
    ref,
    why,
  }));
  return {
    version: 1,
    id: deps.ids.next(),
    target,
    reason: 'restart',
    requestedBy,
    ...(trace && { trace }),
    revision: applied.revision,
    snapshot: applied.snapshot,
    commit: applied.commit ?? { ...pointer.commit, sha: applied.sha },
    startedAt: isoTime(deps.clock.now()),
    ...(only && { only }),
    plan: { actions },
  };
}

function workloadsOf({ entries }: Inventory, { only }: RunRequest): readonly InventoryEntry[] {
  return Object.entries(entries).flatMap(([key, entry]) => {
    const isMeant = only === undefined || only.includes(key);
    return isMeant && entry.state === 'applied' && isRestartable(entry.ref) ? [entry] : [];
  });
}

/** Throws Halted where somebody cancelled or suspended it meanwhile. Call before each mark. */
async function assertStillWanted(
  request: RunRequest,
  { pointer: { revision }, inventory, lease }: Standing,
  { store, clock }: ReconcileDeps,
): Promise<void> {
  const suspensions = await readSuspensions(store);
  const suspension = suspensionOf(suspensions, request.target, clock.now());
  if (suspension !== undefined) throw new Halted('suspended', describeSuspension(suspension));
  const place = { request, revision, inventory: inventory.value, token: lease.token };
  const cancelled = cancellationOf(suspensions, place);
  if (cancelled !== undefined) throw new Halted('cancelled', `cancelled by ${cancelled.by}`, cancelled.by);
}

interface Marking {
  readonly cluster: Cluster;
  readonly served: readonly ApiResource[];
  readonly lease: Lease;
  /** ISO 8601. */
  readonly at: string;
  readonly assertWanted: () => Promise<void>;
}

/** A person asked once, and asks again: what failed is told, and not tried behind their back. */
async function mark(entry: InventoryEntry, marking: Marking): Promise<ObjectOutcome> {
  try {
    return { ref: entry.ref, ...(await tryToMark(entry, marking)) };
  } catch (error) {
    if (error instanceof Halted && error.reason !== 'lease-lost')
      return { ref: entry.ref, outcome: 'skipped', message: error.message };
    if (!(error instanceof Retry || error instanceof Blocked)) throw error;
    return { ref: entry.ref, outcome: 'failed', message: messageOf(error) };
  }
}

async function tryToMark(
  entry: InventoryEntry,
  { cluster, served, lease, at, assertWanted }: Marking,
): Promise<Omit<ObjectOutcome, 'ref'>> {
  const address = addressOf(entry, served);
  let refusal = '';
  for (let attempt = 0; attempt < tries; attempt += 1) {
    await assertWanted();
    await lease.hold();
    const live = await cluster.get(address);
    if (live === undefined || live.metadata.uid !== entry.uid)
      return { outcome: 'failed', message: 'is not there any more; `trueup sync` makes it anew' };
    const before = markOf(live);
    // A message may come late or twice: an older mark would restart the pods of the newer one.
    if (before !== undefined && millisecondsOf(before) >= millisecondsOf(at))
      return { outcome: 'unchanged', message: `was restarted at ${before} already` };
    const { uid, resourceVersion } = live.metadata;
    const outcome = await cluster.patch(address, { uid, resourceVersion }, operationsOf(live, at));
    if (outcome.kind === 'applied') return { outcome: 'updated' };
    refusal = outcome.message;
    if (outcome.kind !== 'conflict') break;
  }
  return { outcome: 'failed', message: refusal };
}

function markOf({ spec }: LiveObject): string | undefined {
  const metadata = membersOf(membersOf(spec)['template'])['metadata'];
  const restartedAt = membersOf(membersOf(metadata)['annotations'])[annotation];
  return typeof restartedAt === 'string' ? restartedAt : undefined;
}

/** A JSON patch makes no parents: each that is missing comes first. */
function operationsOf({ spec }: LiveObject, at: string): readonly JsonPatchOperation[] {
  const metadata = membersOf(membersOf(spec)['template'])['metadata'];
  const place = '/spec/template/metadata';
  const name = annotation.replace('/', '~1');
  const missing: JsonPatchOperation[] = [];
  if (metadata === undefined || metadata === null) missing.push({ op: 'add', path: place, value: {} });
  if (membersOf(metadata)['annotations'] === undefined) {
    missing.push({ op: 'add', path: `${place}/annotations`, value: {} });
  }
  return [...missing, { op: 'add', path: `${place}/annotations/${name}`, value: at }];
}

function outcomeOf(objects: readonly ObjectOutcome[], at: string): NonNullable<RunRecord['outcome']> {
  const of = (wanted: string) => objects.filter(({ outcome }) => outcome === wanted);
  const failed = of('failed');
  const skipped = of('skipped');
  const updated = of('updated').length;
  const unchanged = of('unchanged').length;
  const faults = failed.map(({ ref, message = '' }) => ({ subject: `${ref.kind} ${ref.name}`, message }));
  const first = faults.slice(0, 3).map(({ subject, message }) => `${subject}: ${message}`);
  const done = `${updated} ${updated === 1 ? 'workload' : 'workloads'} restarted`;
  const none = objects.length === 0 ? 'there are no workloads to restart' : done;
  const again = unchanged === 0 ? [] : [`${unchanged} had been restarted since it was asked for`];
  const stopped = skipped.slice(0, 1).map(({ message = '' }) => `${skipped.length} left alone: ${message}`);
  return {
    kind: skipped.length > 0 ? 'cancelled' : failed.length > 0 ? 'failed' : 'applied',
    at,
    message: [none, ...again, ...stopped, ...first].join('; '),
    counts: { created: 0, updated, unchanged, pruned: 0, failed: failed.length },
    objects: [...objects],
    faults,
  };
}
