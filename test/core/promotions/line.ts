import { approvePromotion } from '../../../core/approve-promotion.ts';
import { parseStackConfig, type StackConfigInput } from '../../../core/contract/config.ts';
import type { PollRequest } from '../../../core/contract/events.ts';
import { keys } from '../../../core/contract/keys.ts';
import { trackedRef } from '../../../core/contract/tracked-ref.ts';
import { readDocument, writeDocument } from '../../../core/documents.ts';
import { defaultSettings, type DesiredPointer, type RepositoryState } from '../../../core/model/desired.ts';
import { desiredPointerSchema, repositoryStateSchema } from '../../../core/model/desired.ts';
import type { Inventory } from '../../../core/model/inventory.ts';
import { isoTime } from '../../../core/model/time.ts';
import type { AlarmReading } from '../../../core/ports.ts';
import { promoteEnvironments } from '../../../core/promote-environments.ts';
import { readPromoted } from '../../../core/promoted-book.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryStore } from '../../fakes/memory-store.ts';
import { commitOf } from '../../fakes/memory-worktree.ts';
import { RecordingBus } from '../../fakes/recorders.ts';

/** A commit by one letter. */
export const sha = (letter: string): string => letter.repeat(40);

const url = 'https://git.example.com/acme/config';
type Promotion = NonNullable<StackConfigInput['repositories'][number]['promotion']>;
type Terms = Omit<Extract<Promotion, { by: 'pointer' }>, 'by' | 'from'>;

/** The configuration of a line: dev follows the branch, then staging, then prod. */
export function lineConfig(staging: Terms = {}, prod: Terms = {}): StackConfigInput {
  return {
    repositories: [
      { name: 'dev', url },
      { name: 'staging', url, promotion: { by: 'pointer', from: 'dev', ...staging } },
      { name: 'prod', url, promotion: { by: 'pointer', from: 'staging', ...prod } },
    ],
    clusters: [{ name: 'any', access: { type: 'eks', name: 'any' } }],
  };
}

/** Environments of which each has one application on one cluster of its own name. */
export class Line {
  readonly clock = new ManualClock();
  readonly store = new MemoryStore();
  readonly bus = new RecordingBus();
  readonly polls: PollRequest[] = [];
  readonly alarms = new Map<string, AlarmReading>();
  /** By which this installation is told from others. */
  bucket = 'records';
  readonly config;

  constructor(staging: Terms = {}, prod: Terms = {}) {
    this.config = parseStackConfig(lineConfig(staging, prod));
  }

  get deps() {
    const { store, clock, bus, config, alarms, polls } = this;
    const queue = { poll: async (request: PollRequest) => void polls.push(request) };
    const { bucket } = this;
    return { store, clock, bus, bucket, config, queue, alarms: { read: async () => alarms } };
  }

  /** What each environment came to, in words. */
  async look(follow?: string): Promise<Record<string, string>> {
    const message = follow === undefined ? {} : { follow };
    const outcomes = await promoteEnvironments([message], this.deps);
    return Object.fromEntries(
      outcomes.map(({ environment, kind, why, sha: commit }) => [
        environment,
        kind === 'waits' ? `waits: ${why}` : `${kind} ${commit?.[0] ?? ''}`.trim(),
      ]),
    );
  }

  async approve(environment: string, commit?: string): Promise<string> {
    const done = await approvePromotion(this.deps, environment, { by: 'ada', reason: 'fine', commit });
    return `${done.kind} ${done.commit.sha[0]}`;
  }

  async promoted(environment: string): Promise<string | undefined> {
    return (await readPromoted(this.store, environment)).commit?.sha[0];
  }

  /** What the snapshot function leaves behind: a state and pointers; `same`: the commit changed nothing there. */
  async follow(
    environment: string,
    letter: string,
    more: Partial<RepositoryState> & { same?: boolean } = {},
  ) {
    const { same = false, ...state } = more;
    const repository = this.config.repositories.find(({ name }) => name === environment);
    const ref = repository === undefined ? '' : trackedRef(repository);
    const head = { sha: sha(letter), at: isoTime(this.clock.now()) };
    const key = keys.repository(environment, ref);
    const seq = ((await readDocument(this.store, key, repositoryStateSchema))?.value.seq ?? 0) + 1;
    const applications = { web: { file: 'web.yaml', clusters: [environment] } };
    const document = { version: 1, seq, repository: environment, ref, head, failing: false, applications };
    await writeDocument(this.store, key, { ...document, ...state }, 'any');
    if (!same) await this.point(environment, letter);
  }

  async point(environment: string, letter: string, more: Partial<DesiredPointer> = {}): Promise<void> {
    const target = { cluster: environment, application: 'web' };
    const key = keys.desired(target);
    const before = (await readDocument(this.store, key, desiredPointerSchema))?.value;
    const revision = (before?.revision ?? 0) + 1;
    const pointer: DesiredPointer = {
      version: 1,
      seq: revision,
      target,
      repository: environment,
      ref: 'any',
      state: 'present',
      revision,
      snapshot: `sha256:${letter}`,
      objects: 1,
      settings: defaultSettings,
      commit: commitOf(sha(letter), environment),
      examined: { sha: sha(letter), at: isoTime(this.clock.now()) },
      ...more,
    };
    await writeDocument(this.store, key, pointer, 'any');
  }

  /** What a run of the newest revision leaves behind. */
  async run(environment: string, health: NonNullable<Inventory['health']>['status'] = 'Healthy') {
    const target = { cluster: environment, application: 'web' };
    const at = isoTime(this.clock.now());
    const pointer = (await readDocument(this.store, keys.desired(target), desiredPointerSchema))?.value;
    const revision = pointer?.revision ?? 0;
    const inventory = {
      version: 1,
      seq: 1,
      target,
      entries: {},
      applied: { revision, snapshot: 'sha256:x', sha: 'x', runId: 'r', at, since: at },
      lastRun: { runId: 'r', key: 'r', revision, outcome: 'applied', at, message: 'applied', attempt: 0 },
      health: { status: health, message: `is ${health}`, at, since: at },
    };
    await writeDocument(this.store, keys.inventory(target), inventory, 'any');
  }

  /** The environment follows a commit and is healthy with it. */
  async settle(environment: string, letter: string): Promise<void> {
    await this.follow(environment, letter);
    await this.run(environment);
  }
}
