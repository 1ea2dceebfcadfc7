import { rollBackFailed } from '../../../core/auto-rollback.ts';
import { keys } from '../../../core/contract/keys.ts';
import type { EventDetail } from '../../../core/contract/events.ts';
import { readDocument, writeDocument } from '../../../core/documents.ts';
import { desiredPointerSchema, type DesiredPointer, type Settings } from '../../../core/model/desired.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import type { RunRequest } from '../../../core/model/run.ts';
import { isoTime } from '../../../core/model/time.ts';
import type { AlarmReading } from '../../../core/ports.ts';
import { gonePointer, presentPointer } from '../../../core/produce/pointers.ts';
import { reconcile, type ReconcileDeps, type ReconcileResult } from '../../../core/reconcile.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { pushTo, ReconcileWorld } from '../reconcile/reconcile-world.ts';

const address = { apiVersion: 'apps/v1', plural: 'deployments', namespace: 'default', name: 'web' };

/** A Deployment whose pods do what their image says: `good:1` gets ready, `bad:1` never does, `slow:1` is never done. */
export function deployment(image: string): KubeObject {
  const template = { spec: { containers: [{ name: 'web', image }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { replicas: 1, template },
  };
}

/** Application `web` on one cluster, with everything that rolls it back: reconcile, watch, pointers, queues. */
export class TrialWorld {
  readonly clock: ManualClock;
  readonly cluster: MemoryCluster;
  readonly world: ReconcileWorld<ManualClock>;
  readonly alarms = new Map<string, AlarmReading>();
  onFailure: NonNullable<Settings['rollback']>['onFailure'] = { windowSeconds: 1800, alarms: [] };
  settings: Partial<Settings> = {};
  /** Nothing but `good:1` fits on it. */
  isFull = false;
  #told = 0;

  constructor(name = 'east', clock = new ManualClock()) {
    this.clock = clock;
    this.cluster = new MemoryCluster(clock);
    const target = { cluster: name, application: 'web' };
    this.world = new ReconcileWorld(clock, this.cluster, { target });
  }

  get deps(): ReconcileDeps {
    const read = async (names: readonly string[]) =>
      new Map([...this.alarms].filter(([name]) => names.includes(name)));
    return { ...this.world.deps, alarms: { read } };
  }

  async pointer(): Promise<DesiredPointer> {
    const found = await readDocument(this.world.store, keys.desired(this.world.target), desiredPointerSchema);
    if (found === undefined) throw new Error('there is no pointer');
    return found.value;
  }

  /** What the snapshot function does with a commit. */
  async push(image: string, more: readonly KubeObject[] = []): Promise<DesiredPointer> {
    return this.pushObjects([deployment(image), ...more], image);
  }

  async pushObjects(objects: readonly KubeObject[], subject: string): Promise<DesiredPointer> {
    const { store, target } = this.world;
    const key = keys.desired(target);
    const before = await readDocument(store, key, desiredPointerSchema);
    const rollback = { ...(this.onFailure && { onFailure: this.onFailure }) };
    const seq = (before?.value.seq ?? 0) + 1;
    const given = await pushTo(this.world, objects, { rollback, ...this.settings });
    const commit = { ...given.commit, sha: seq.toString(16).padStart(40, '0'), subject };
    const { ref, snapshot, settings } = given;
    const at = isoTime(this.clock.now());
    const wanted = { target, commit, ref, at, snapshot, objects: objects.length, settings };
    const next = presentPointer(before?.value, wanted) ?? before?.value ?? given;
    await writeDocument(store, key, next, 'any');
    if (next.revision !== before?.value.revision) await this.world.queues.run(this.request('push'));
    return next;
  }

  async giveUp(): Promise<DesiredPointer> {
    const { store, target } = this.world;
    const current = await this.pointer();
    const gone = gonePointer(current, { sha: 'f'.repeat(40), at: isoTime(this.clock.now()) }) ?? current;
    await writeDocument(store, keys.desired(target), gone, 'any');
    return gone;
  }

  request(reason: RunRequest['reason'], requestedBy = 'test'): RunRequest {
    return { version: 1, target: this.world.target, reason, requestedBy };
  }

  async handle(request: RunRequest, deps: ReconcileDeps = this.deps): Promise<ReconcileResult> {
    try {
      return await reconcile(request, deps);
    } finally {
      this.behave();
    }
  }

  /** What the controllers of the cluster make of what was applied. */
  behave(): void {
    const live = this.cluster.live(address);
    const image = /"image":"([^"]*)"/.exec(JSON.stringify(live?.['spec'] ?? {}))?.[1];
    if (live === undefined || image === undefined || image.startsWith('slow')) return;
    const observedGeneration = live.metadata.generation ?? 1;
    const ready = {
      observedGeneration,
      replicas: 1,
      updatedReplicas: 1,
      availableReplicas: 1,
      readyReplicas: 1,
    };
    const reason = 'ProgressDeadlineExceeded';
    const late = { type: 'Progressing', status: 'False', reason, message: 'timed out' };
    const status =
      image.startsWith('bad') || (this.isFull && image !== 'good:1')
        ? { observedGeneration, conditions: [late] }
        : ready;
    if (JSON.stringify(live['status']) !== JSON.stringify(status)) {
      this.cluster.write(address, { kind: 'Deployment', status }, 'kube-controller-manager');
    }
  }

  /** What was said on the bus since this was asked last, of those types. */
  failures(): readonly EventDetail<'RevisionFailed'>[] {
    const news = this.world.bus.events.slice(this.#told);
    this.#told = this.world.bus.events.length;
    return news.flatMap((event) => (event.type === 'RevisionFailed' ? [event.detail] : []));
  }

  async rollBackWhatFailed(): Promise<readonly string[]> {
    const done: string[] = [];
    for (const failed of this.failures()) done.push(await rollBackFailed(failed, this.deps));
    return done;
  }

  /** The queues and the bus deliver everything, each at its time, for as long as that is no later than `seconds` from now. */
  async pass(seconds: number): Promise<number> {
    const { queues } = this.world;
    const end = this.clock.now() + seconds * 1000;
    const due = new Map<RunRequest, number>();
    let handled = 0;
    for (; handled < 500; handled += 1) {
      await this.rollBackWhatFailed();
      const now = this.clock.now();
      for (const request of queues.runs.splice(0)) due.set(request, now);
      for (const { request, delaySeconds } of queues.later.splice(0)) {
        due.set({ ...request }, now + delaySeconds * 1000);
      }
      const [next] = [...due].toSorted(([, a], [, b]) => a - b);
      if (next === undefined || next[1] > end) break;
      due.delete(next[0]);
      this.clock.advance(Math.max(0, next[1] - now));
      await this.handle(next[0]);
    }
    this.clock.advance(Math.max(0, end - this.clock.now()));
    for (const [request, at] of due)
      queues.later.push({ request, delaySeconds: Math.ceil((at - end) / 1000) });
    return handled;
  }

  /** It falls over, whatever its image. */
  degrade(): void {
    this.behave = () => undefined;
    const observedGeneration = this.cluster.live(address)?.metadata.generation ?? 1;
    const conditions = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }];
    this.cluster.write(
      address,
      { kind: 'Deployment', status: { observedGeneration, conditions } },
      'kube-controller-manager',
    );
  }

  image(): string | undefined {
    return /"image":"([^"]*)"/.exec(JSON.stringify(this.cluster.live(address)?.['spec'] ?? {}))?.[1];
  }

  rolledBack(): string[] {
    return this.world.bus.events.flatMap((event) =>
      event.type === 'RolledBack'
        ? [`${event.detail.from.commit.subject} -> ${event.detail.to.commit.subject}: ${event.detail.reason}`]
        : [],
    );
  }
}

/** Commits with these images, one after the other; minutes pass. */
export async function after(images: readonly string[], minutes = 10): Promise<TrialWorld> {
  const world = new TrialWorld();
  for (const image of images) {
    await world.push(image);
    await world.pass(minutes * 60);
  }
  return world;
}
