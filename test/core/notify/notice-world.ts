import { keys } from '../../../core/contract/keys.ts';
import { parseStackConfig, type StackConfigInput } from '../../../core/contract/config.ts';
import { noticeMessageSchema, type LookRequest } from '../../../core/contract/notice-messages.ts';
import type { TrueupEvent } from '../../../core/contract/events.ts';
import { writeDocument } from '../../../core/documents.ts';
import { defaultSettings, type DesiredPointer, type RepositoryState } from '../../../core/model/desired.ts';
import type { DriftRecord, OpenDrift } from '../../../core/model/drift.ts';
import type { HealthStatus } from '../../../core/model/health.ts';
import type { Inventory } from '../../../core/model/inventory.ts';
import type { Outgoing } from '../../../core/model/notice.ts';
import { emptyMemory, noticeMemorySchema, type NoticeMemory } from '../../../core/model/notice-memory.ts';
import { refKey } from '../../../core/model/object.ts';
import { targetKey, type Target } from '../../../core/model/target.ts';
import { isoTime } from '../../../core/model/time.ts';
import type { NoticeQueues } from '../../../core/notice-ports.ts';
import { followNotices } from '../../../core/notices.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryStore } from '../../fakes/memory-store.ts';
import { commitOf } from '../../fakes/memory-worktree.ts';

type Last = Pick<NonNullable<Inventory['lastRun']>, 'outcome' | 'message'>;
type Notifications = NonNullable<StackConfigInput['notifications']>;

/** One channel that hears of everything. */
export const everything: Notifications = {
  channels: [{ name: 'ops', type: 'slack', secret: 'acme/slack' }],
  routes: [{ channels: ['ops'], severity: 'info' }],
};

/** The repositories that commits are of. */
export const shaOf = (digit: string): string => digit.repeat(40);

/** Records that others write, the queue with its delays, and a clock: what people are told is in `sent`. */
export class NoticeWorld implements NoticeQueues {
  readonly store = new MemoryStore();
  readonly clock = new ManualClock();
  readonly sent: Outgoing[] = [];
  readonly #config;
  #looks: { readonly at: number; readonly request: LookRequest }[] = [];
  /** The function dies before a message is in the queue. */
  dies = false;
  /** How often anything was asked for a later look. */
  looksAsked = 0;

  constructor(notifications: Notifications = everything) {
    this.#config = parseStackConfig({
      fleet: 'acme',
      repositories: [
        { name: 'platform', url: 'https://github.com/acme/platform.git' },
        { name: 'shop', url: 'https://gitlab.com/acme/shop.git', provider: 'gitlab', project: 'sales' },
      ],
      clusters: [{ name: 'east', access: { type: 'eks', name: 'east' } }],
      projects: [{ name: 'sales', repositories: ['shop'], clusters: ['*'], namespaces: ['*'] }],
      notifications,
    });
  }

  get now(): string {
    return isoTime(this.clock.now());
  }

  async look(request: LookRequest, delaySeconds: number): Promise<void> {
    this.looksAsked += 1;
    this.#looks.push({ at: this.clock.now() + delaySeconds * 1000, request });
  }

  async send(outgoing: Outgoing): Promise<void> {
    if (this.dies) throw new Error('died');
    this.sent.push(outgoing);
  }

  /** Messages as the queue has them. */
  async #deliver(...bodies: readonly unknown[]): Promise<void> {
    const messages = bodies.map((body) => noticeMessageSchema.parse(JSON.parse(JSON.stringify(body))));
    const { store, clock } = this;
    const place = { fleet: 'acme', region: 'eu-west-1', bucket: 'records' };
    await followNotices(messages, { store, clock, queues: this, config: this.#config, place });
  }

  async hear(...events: readonly TrueupEvent[]): Promise<void> {
    await this.#deliver(
      ...events.map(({ type, detail }) => ({ id: 'e', source: 'trueup', 'detail-type': type, detail })),
    );
  }

  /** An alarm, as its topic tells. */
  async ring(
    alarm: string,
    state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA',
    description = 'It rings',
  ): Promise<void> {
    const Message = JSON.stringify({
      AlarmName: alarm,
      AlarmDescription: description,
      NewStateValue: state,
      NewStateReason: 'Threshold Crossed',
      StateChangeTime: this.now.replace('Z', '+0000'),
    });
    await this.#deliver({ Type: 'Notification', TopicArn: 'arn:aws:sns:eu-west-1:1:t', Message });
  }

  /** As the schedule asks; what was told at once. */
  async lookAtAll(): Promise<readonly string[]> {
    const before = this.sent.length;
    await this.#deliver({ version: 1, look: 'all' });
    return this.sent.slice(before).map(({ notice }) => `${notice.phase} ${notice.title}`);
  }

  /** Lets time pass; looks that become due on the way are made in order. */
  async pass(seconds: number): Promise<readonly Outgoing[]> {
    const before = this.sent.length;
    const end = this.clock.now() + seconds * 1000;
    for (;;) {
      const [next] = this.#looks.toSorted((one, other) => one.at - other.at);
      if (next === undefined || next.at > end) break;
      this.#looks = this.#looks.filter((one) => one !== next);
      this.clock.advance(Math.max(0, next.at - this.clock.now()));
      await this.#deliver(next.request);
    }
    this.clock.advance(end - this.clock.now());
    return this.sent.slice(before);
  }

  /** Messages of the queue are lost. */
  forgetLooks(): void {
    this.#looks = [];
  }

  /** What was sent in this time, a line each: `ops opened error web on east: the run failed`. */
  async told(seconds = 60): Promise<readonly string[]> {
    return (await this.pass(seconds)).map(
      ({ channel, notice }) => `${channel} ${notice.phase} ${notice.severity} ${notice.title}`,
    );
  }

  async memory(): Promise<NoticeMemory> {
    const stored = await this.store.get(keys.notices);
    return stored === undefined ? emptyMemory : noticeMemorySchema.parse(JSON.parse(stored.text));
  }

  async #write(key: string, value: object): Promise<void> {
    await writeDocument(this.store, key, value, 'any');
  }

  async point(
    target: Target,
    {
      sha = shaOf('1'),
      repository = 'platform',
      revision = 1,
      ...more
    }: Partial<Omit<DesiredPointer, 'target'>> & { sha?: string } = {},
  ): Promise<void> {
    const commit = commitOf(sha, repository);
    const pointer: DesiredPointer = {
      version: 1,
      seq: revision,
      target,
      repository,
      ref: 'refs/heads/main',
      state: 'present',
      revision,
      snapshot: 'sha256:1',
      objects: 1,
      settings: defaultSettings,
      commit,
      examined: { sha, at: this.now },
      ...more,
    };
    await this.#write(keys.desired(target), pointer);
  }

  /** A run that ended, with its event. */
  async run(
    target: Target,
    { outcome, message = '' }: { outcome: Last['outcome']; message?: string },
    {
      health = 'Healthy',
      revision = 1,
      sha = shaOf('1'),
    }: { health?: HealthStatus; revision?: number; sha?: string } = {},
    events = 1,
  ): Promise<void> {
    const at = this.now;
    const applied = { revision, snapshot: 'sha256:1', sha, runId: 'r', at, since: at };
    const inventory: Inventory = {
      version: 1,
      seq: 1,
      target,
      entries: {},
      hooks: {},
      accepted: [],
      ...(outcome === 'applied' && { applied }),
      lastRun: {
        runId: 'r',
        key: `runs/${targetKey(target)}`,
        revision,
        outcome,
        at,
        message,
        attempt: 1,
        retry: false,
      },
      health: { status: health, message: `health of ${target.application}`, at },
    };
    await this.#write(keys.inventory(target), inventory);
    const counts = { created: 0, updated: 0, unchanged: 0, pruned: 0, failed: 0 };
    const ended = {
      runId: 'r',
      runKey: 'runs/r',
      reason: 'push' as const,
      revision,
      sha,
      outcome,
      counts,
      health,
      message,
    };
    const detail = { version: 1 as const, at, target, ...ended };
    for (let sent = 0; sent < events; sent += 1) await this.hear({ type: 'ReconcileFinished', detail });
  }

  /** What a sweep saw, with the event where health changed. */
  async sweep(
    target: Target,
    from: HealthStatus,
    to: HealthStatus,
    message = 'CrashLoopBackOff',
  ): Promise<void> {
    const at = this.now;
    const { cluster, application } = target;
    const key = keys.check(cluster);
    const stored = await this.store.get(key);
    const before = stored === undefined ? {} : JSON.parse(stored.text).targets;
    const check = {
      at,
      sync: 'Synced',
      reason: '',
      drifted: 0,
      revision: 1,
      health: to,
      healthMessage: message,
    };
    await this.#write(key, { version: 1, seq: 1, cluster, at, targets: { ...before, [application]: check } });
    await this.hear({ type: 'HealthChanged', detail: { version: 1, at, target, from, to, message } });
  }

  /** A drift episode of one Deployment, opened or closed, with its event. */
  async drift(target: Target, state: DriftRecord['state'], { loop = false } = {}): Promise<void> {
    const at = this.now;
    const ref = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: target.application };
    const record = keys.drift(target, at.slice(0, 10), 'd1');
    const field = {
      class: 'changed' as const,
      path: 'spec.replicas',
      desired: 2,
      live: 7,
      manager: 'kubectl-edit',
    };
    const drift = { ref, kind: 'fields' as const, fields: [field] };
    const document: DriftRecord = {
      version: 1,
      id: 'd1',
      target,
      drift,
      mode: 'heal',
      openedAt: at,
      lastSeenAt: at,
      state,
    };
    await this.#write(record, document);
    const episode = {
      record,
      openedAt: at,
      digest: 'x',
      kind: 'fields' as const,
      since: at,
      fields: 1,
      foreign: 0,
      healable: 1,
      held: 0,
      ...(loop && { loop }),
    };
    const open: OpenDrift = { version: 1, seq: 1, target, episodes: { [refKey(ref)]: episode } };
    if (state === 'open') await this.#write(keys.openDrift(target), open);
    else await this.store.delete(keys.openDrift(target), 'any');
    const detail = { version: 1 as const, at, target, record };
    await this.hear(
      state === 'open'
        ? { type: 'DriftDetected', detail: { ...detail, mode: 'heal', drift } }
        : { type: 'DriftHealed', detail: { ...detail, state } },
    );
  }

  /** A commit that was examined, with its events. */
  async examine(
    repository: string,
    sha: string,
    faults: RepositoryState['faults'] = [],
    applications: RepositoryState['applications'] = {},
  ): Promise<void> {
    const at = this.now;
    const ref = 'refs/heads/main';
    const failing = (faults ?? []).length > 0;
    const state: RepositoryState = {
      version: 1,
      seq: 1,
      repository,
      ref,
      head: { sha, at },
      failing,
      faults,
      applications,
    };
    await this.#write(keys.repository(repository, ref), state);
    const names = { version: 1 as const, at, repository, ref, sha };
    if (failing)
      await this.hear({
        type: 'SnapshotFailed',
        detail: { ...names, applications: [], faults: faults ?? [] },
      });
    await this.hear({ type: 'CommitExamined', detail: { ...names, failing } });
  }
}
