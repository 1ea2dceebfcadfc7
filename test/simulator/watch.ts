import { keys, prefixes } from '../../core/contract/keys.ts';
import { labels } from '../../core/contract/kubernetes.ts';
import type { TrueupEvent } from '../../core/contract/events.ts';
import { desiredPointerSchema, type DesiredPointer } from '../../core/model/desired.ts';
import { driftRecordSchema } from '../../core/model/drift.ts';
import { groupOf, refKey, refOf, refOfKey, type LiveObject } from '../../core/model/object.ts';
import { snapshotSchema } from '../../core/model/snapshot.ts';
import { targetKey } from '../../core/model/target.ts';
import type { ObjectAddress } from '../../core/ports.ts';
import type { SweepResult } from '../../core/sweep.ts';
import { DesiredTimes } from './desired-times.ts';
import { HoldsWatch, type Effect } from './holds-watch.ts';
import type { Invocation } from './invocation.ts';
import { Latencies } from './latencies.ts';
import { BrokenInvariant } from './trace.ts';
import type { Surroundings } from './surroundings.ts';

/** Something that somebody changed on a cluster and nobody has put right yet. */
export interface Edit {
  readonly cluster: string;
  readonly application: string;
  /** Of the object. */
  readonly key: string;
  readonly at: number;
  recorded: boolean;
}

/** A lease is written for 90 s by a clock that may be a second off. */
const longestLeaseMs = 92_000;
const promotions = `${prefixes.holds}promotions/`;
const recordLease = /"expiresAt":(\d+)/;

/** Sees every effect as it happens, and says what must never be. */
export class Watch {
  readonly #world: Surroundings;
  readonly latencies = new Latencies();
  readonly desired = new DesiredTimes();
  readonly holds: HoldsWatch;
  readonly edits = new Map<string, Edit>();
  /** Records of drift by key, and how each ended. */
  readonly #drift = new Map<string, { readonly end: string | undefined }>();
  readonly #open = new Map<string, string>();
  readonly #pointers = new Map<string, { readonly seq: number; readonly revision: number }>();
  readonly counts = { drifts: 0, recorded: 0, closed: 0, applied: 0, deleted: 0, pushes: 0, checks: 0 };

  constructor(world: Surroundings) {
    this.#world = world;
    this.holds = new HoldsWatch(world);
  }

  stored(key: string, text: string | undefined, invocation: Invocation): void {
    const { trace } = this.#world;
    const [prefix = '', cluster = ''] = key.split('/');
    if (prefix !== 'checks' && prefix !== 'memory')
      trace.note(`${text === undefined ? 'delete' : 'put'} ${key}`);
    if (stateOfCluster.has(`${prefix}/`)) this.#world.touched(cluster);
    if (text === undefined) return;
    if (key.startsWith(prefixes.drift)) this.#recordWritten(key, text);
    if (key.startsWith(prefixes.leases)) this.#leaseWritten(key, text, invocation);
    if (key.startsWith(prefixes.desired)) this.#pointerWritten(key, text, invocation);
    if (key === keys.suspensions) this.holds.suspensionsWritten(text);
    if (key.startsWith(promotions)) this.holds.promoted(key.slice(promotions.length, -'.json'.length));
    if (key.startsWith(prefixes.snapshots)) this.#snapshotWritten(text, key);
  }

  #recordWritten(key: string, text: string): void {
    const record = driftRecordSchema.parse(JSON.parse(text));
    const isOpen = record.state === 'open';
    const object = `${record.target.cluster} ${refKey(record.drift.ref)}`;
    // While an object moves, two applications may both miss it.
    const place = `${record.target.application} ${object}`;
    const before = this.#drift.get(key);
    // One that dies after it closed a record closes it again, and changes nothing by that.
    const end = isOpen ? undefined : `${record.state} at ${record.closedAt}`;
    if (before?.end !== undefined && before.end !== end) {
      const message = `${key} was ${before.end} and became ${end ?? 'open'}`;
      throw new BrokenInvariant('a drift is closed once', message);
    }
    const other = this.#open.get(place);
    if (isOpen && other !== undefined && other !== key)
      throw new BrokenInvariant(
        'a drift is recorded once',
        `${place} has two open records: ${other} and ${key}`,
      );
    if (before === undefined) this.counts.recorded += 1;
    if (isOpen) this.#open.set(place, key);
    else {
      if (before?.end === undefined) this.counts.closed += 1;
      if (other === key) this.#open.delete(place);
    }
    this.#drift.set(key, { end });
    const edit = this.edits.get(object);
    if (edit === undefined || edit.recorded) return;
    edit.recorded = true;
    this.latencies.add('drift to record', this.#world.timeline.now - edit.at);
  }

  #leaseWritten(key: string, text: string, { clock }: Invocation): void {
    const until = Number(recordLease.exec(text)?.[1] ?? 0);
    const { now } = this.#world.timeline;
    if (until > now + longestLeaseMs)
      throw new BrokenInvariant(
        'no lease is for ever',
        `${key} holds until ${until}, ${until - clock.now()} ms from now`,
      );
  }

  #pointerWritten(key: string, text: string, invocation: Invocation): void {
    const pointer = desiredPointerSchema.parse(JSON.parse(text));
    const before = this.#pointers.get(key);
    const { seq, revision } = pointer;
    if (before !== undefined && (seq <= before.seq || revision < before.revision)) {
      const message = `${key} went from ${before.seq}/${before.revision} to ${seq}/${revision}`;
      throw new BrokenInvariant('a pointer only moves on', message);
    }
    this.#pointers.set(key, { seq, revision });
    this.holds.pointerWritten(pointer, invocation);
    const { cluster, application } = pointer.target;
    const objects = pointer.state === 'gone' ? [] : this.#objectsOf(pointer);
    this.desired.moved(cluster, application, objects, this.#world.timeline.now);
  }

  readonly #snapshots = new Map<string, readonly string[]>();

  #snapshotWritten(text: string, key: string): void {
    const { objects } = snapshotSchema.parse(JSON.parse(text));
    this.#snapshots.set(
      key,
      objects.map((object) => refKey(refOf(object))),
    );
  }

  #objectsOf({ target, snapshot }: DesiredPointer): readonly string[] {
    return this.#snapshots.get(keys.snapshot(target.application, snapshot)) ?? [];
  }

  applied(cluster: string, address: ObjectAddress, effect: Effect): void {
    const { trace } = this.#world;
    const { before } = effect;
    trace.note(`apply ${cluster} ${address.plural}/${address.name}`);
    this.counts.applied += 1;
    this.holds.changed(address, effect);
    if (before !== undefined) this.#assertOurs(cluster, before, 'wrote to');
    this.#world.rollOut(cluster, address);
    if (before !== undefined) this.#ended(cluster, before);
    else this.edits.delete(`${cluster} ${keyOfAddress(address)}`);
  }

  deleted(cluster: string, address: ObjectAddress, effect: Effect): void {
    const { trace } = this.#world;
    const { before, invocation } = effect;
    trace.note(`delete ${cluster} ${address.plural}/${address.name}`);
    this.counts.deleted += 1;
    this.holds.changed(address, effect);
    if (before === undefined) return;
    this.#assertOurs(cluster, before, 'deleted');
    const key = refKey(refOf(before));
    const since = this.desired.since(cluster, key);
    if (since !== undefined && since < invocation.startedAt) {
      const message = `${key} on ${cluster} was deleted, and desired all the while`;
      throw new BrokenInvariant('nothing that is desired is deleted', message);
    }
    this.#ended(cluster, before);
  }

  #assertOurs(cluster: string, live: LiveObject, did: string): void {
    if (live.metadata.labels?.[labels.application] !== undefined) return;
    throw new BrokenInvariant('nothing of others is touched', `${did} ${refKey(refOf(live))} on ${cluster}`);
  }

  /** Whatever was changed of the object, it is put right or gone. */
  #ended(cluster: string, live: LiveObject): void {
    const object = `${cluster} ${refKey(refOf(live))}`;
    const edit = this.edits.get(object);
    if (edit === undefined) return;
    this.#assertRecorded(edit);
    this.latencies.add('drift to heal', this.#world.timeline.now - edit.at);
    this.edits.delete(object);
  }

  edited(edit: Omit<Edit, 'recorded'>): void {
    const { trace } = this.#world;
    const object = `${edit.cluster} ${edit.key}`;
    trace.note(`edit ${object}`);
    const { kind, name } = refOfKey(edit.key);
    this.holds.disturbed(edit.cluster, { plural: `${kind.toLowerCase()}s`, name });
    this.counts.drifts += 1;
    if (!this.edits.has(object))
      this.edits.set(object, { ...edit, recorded: this.#open.has(`${edit.application} ${object}`) });
  }

  /** A drift that stood for longer than two sweeps take, with nothing going wrong meanwhile, has its record. */
  #assertRecorded({ cluster, application, key, at, recorded }: Edit): void {
    const { timeline, chaos, config } = this.#world;
    if (recorded) return;
    const boundMs = (2 * config.sweepMinutes + 3) * 60_000;
    const moved = this.desired.movedAt(cluster, application) ?? 0;
    const since = Math.max(at, chaos.lastFault, moved);
    if (!chaos.isCalm || timeline.now - since < boundMs) return;
    const minutes = Math.round((timeline.now - at) / 60_000);
    throw new BrokenInvariant(
      'every drift is recorded',
      `${key} on ${cluster} drifted ${minutes} minutes ago`,
    );
  }

  /** Asked now and then: what stands for too long. */
  assertBounds(): void {
    this.#assertChecked();
    for (const [object, edit] of this.edits) {
      // What was missing already when nobody desired it any more was not deleted by anybody.
      if (this.desired.since(edit.cluster, edit.key) === undefined) this.edits.delete(object);
      else this.#assertRecorded(edit);
    }
  }

  /** Every cluster is looked at at least every second sweep, unless something went wrong. */
  #assertChecked(): void {
    const { timeline, chaos, config, looked, clusters } = this.#world;
    const boundMs = (2 * config.sweepMinutes + 6) * 60_000;
    if (!chaos.isCalm || timeline.now - chaos.lastFault < boundMs) return;
    for (const name of clusters.keys()) {
      const at = looked.get(name) ?? Number.NEGATIVE_INFINITY;
      if (timeline.now - at <= boundMs) continue;
      const minutes = Math.round((timeline.now - at) / 60_000);
      throw new BrokenInvariant(
        'every target is checked',
        `nobody has looked at ${name} for ${minutes} minutes`,
      );
    }
  }

  swept(cluster: string, { targets, unreachable }: SweepResult): void {
    const states = Object.entries(targets).map(([name, { sync, health }]) => `${name} ${sync} ${health}`);
    this.counts.checks += states.length;
    this.#world.trace.note(`swept ${cluster}: ${unreachable ?? states.join(', ')}`);
  }

  announced(event: TrueupEvent): void {
    this.#world.trace.note(`event ${event.type}`);
    if (event.type !== 'ReconcileFinished' || event.detail.outcome !== 'applied') return;
    const { sha, target } = event.detail;
    this.latencies.pushApplied(sha, targetKey(target), this.#world.timeline.now);
  }

  pushed(repository: string, sha: string): void {
    this.counts.pushes += 1;
    this.#world.trace.note(`pushed ${repository} ${sha.slice(0, 7)}`);
    this.latencies.pushed(repository, sha, this.#world.timeline.now);
  }

  /** Keys of records that are still open. */
  get openRecords(): readonly string[] {
    return [...this.#open.values()];
  }
}

/** Where a write changes what a sweep of the cluster would find. */
const stateOfCluster: ReadonlySet<string> = new Set([
  prefixes.desired,
  prefixes.inventory,
  prefixes.leases,
  prefixes.openDrift,
  prefixes.asked,
]);

function keyOfAddress({ apiVersion, plural, namespace, name }: ObjectAddress): string {
  const kind = kindsByPlural[plural] ?? plural;
  return refKey({ group: groupOf(apiVersion), kind, name, ...(namespace !== undefined && { namespace }) });
}

const kindsByPlural: Readonly<Record<string, string>> = {
  configmaps: 'ConfigMap',
  secrets: 'Secret',
  services: 'Service',
  deployments: 'Deployment',
  namespaces: 'Namespace',
};
