import { parseStackConfig, type StackConfig } from '../../core/contract/config.ts';
import type { TrueupEvent } from '../../core/contract/events.ts';
import { labels as ourLabels } from '../../core/contract/kubernetes.ts';
import { messageOf } from '../../core/errors.ts';
import type { Freeze } from '../../core/model/freeze.ts';
import { refKey, refOf } from '../../core/model/object.ts';
import type { ObjectAddress } from '../../core/ports.ts';
import { MemoryCluster } from '../fakes/memory-cluster.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { delivery as signed } from '../fakes/github-delivery.ts';
import {
  desiredOn,
  filesOf,
  firstCluster,
  namespace,
  type ModelCluster,
  type ModelCommit,
  type Wanted,
} from './applications.ts';
import { Chaos } from './chaos.ts';
import { Containers, hookSecret, type Container } from './containers.ts';
import { Deliveries, type Delivery } from './deliveries.ts';
import {
  handleIntake,
  handlePush,
  handleRun,
  handleSweep,
  takeDelivery,
  timeouts,
  type Handler,
} from './functions.ts';
import { deploymentStatus } from './deployment-status.ts';
import { GitHost } from './git-host.ts';
import type { InnerWorld } from './inner-world.ts';
import { Invocation } from './invocation.ts';
import { QuietTime } from './quiet.ts';
import { PullRequests } from './pull-requests.ts';
import { queueSettings, SimulatedQueue, type QueueName } from './queue.ts';
import { SeededRandom } from './random.ts';
import { Requests, type FunctionName } from './requests.ts';
import { Timeline } from './timeline.ts';
import { BrokenInvariant, Trace } from './trace.ts';
import { Watch } from './watch.ts';

export interface WorldSize {
  readonly seed: number;
  readonly repositories: number;
  readonly clusters: number;
  readonly sweepMinutes: number;
  /** A sweep of a cluster where nothing changed is executed at least this often, and counted otherwise. */
  readonly sampleMinutes: number;
  /** People hold things, and repository-1 runs its pull requests. */
  readonly isOperated?: boolean;
  /** Of the installation. */
  readonly freeze?: StackConfig['freeze'];
  readonly print?: ((line: string) => void) | undefined;
}

export const start = Date.parse('2026-11-02T00:00:00.000Z');
const minuteMs = 60_000;
/** A replica of the Git host shows an old head for so long. */
const longestLagMs = 8_000;
/** What the rules of the bus bring to the queue of pushes. */
const movesPointers: ReadonlySet<string> = new Set(['PushReceived', 'RevisionFailed', 'PullRequestChanged']);

function urlOf(repository: string): string {
  return `https://git.example/acme/${repository}.git`;
}

/** Everything of one installation, in memory: its records, queues, functions and clusters, on one timeline. */
export class SimulatedWorld implements InnerWorld {
  readonly timeline = new Timeline(start);
  readonly random: SeededRandom;
  readonly chaos: Chaos;
  readonly requests = new Requests();
  readonly trace: Trace;
  readonly config: StackConfig;
  readonly store: MemoryStore;
  readonly host: GitHost;
  readonly deliveries: Deliveries;
  readonly pulls = new PullRequests('repository-1');
  readonly watch: Watch;
  readonly quiet: QuietTime;
  readonly queues: Readonly<Record<QueueName, SimulatedQueue>>;
  readonly clusters: ReadonlyMap<string, ModelCluster>;
  readonly looked = new Map<string, number>();
  /** What each repository's head holds. */
  readonly heads = new Map<string, ModelCommit>();
  readonly #live: ReadonlyMap<string, MemoryCluster>;
  readonly #containers: Containers;
  readonly #versions = new Map<string, number>();
  /** Objects that an application may have left behind. */
  readonly #orphans = new Set<string>();
  readonly #freeze: StackConfig['freeze'];
  #ids = 0;
  #isScheduled = true;
  /** Why the simulation must stop. */
  failure: unknown;

  constructor(size: WorldSize) {
    this.random = new SeededRandom(size.seed);
    this.chaos = new Chaos(this.random, () => this.timeline.now);
    this.trace = new Trace(() => this.timeline.now, size.print);
    this.store = new MemoryStore();
    this.host = new GitHost(() => this.timeline.now);
    this.deliveries = new Deliveries((delivery) => this.deliver(delivery));
    const models = Array.from({ length: size.clusters }, (_, place): ModelCluster => {
      const labels = { fleet: 'yes', tier: place % 2 === 0 ? 'dev' : 'prod' };
      return { name: `cluster-${place + 1}`, labels };
    });
    this.clusters = new Map(models.map((model) => [model.name, model]));
    const clock = { now: () => Math.floor(this.timeline.now) };
    this.#live = new Map(models.map(({ name }) => [name, new MemoryCluster(clock, [namespace])]));
    this.config = parseStackConfig({
      repositories: Array.from({ length: size.repositories }, (_, place) => ({
        name: `repository-${place + 1}`,
        url: urlOf(`repository-${place + 1}`),
        ...(size.isOperated === true && place === 0 && { environments: { clusters: [firstCluster] } }),
      })),
      freeze: [...(size.freeze ?? [])],
      clusters: models.map(({ name, labels }) => ({ name, labels, access: { type: 'eks', name } })),
      hooks: [{ provider: 'github', redeliver: { of: 'orgs/acme', id: 1, tokenSecret: 'acme/hooks' } }],
      sweepMinutes: size.sweepMinutes,
      pollMinutes: Math.max(15, 2 * size.sweepMinutes),
      // Nobody is there to confirm.
      pruneCap: { percent: 100, objects: 0 },
    });
    this.#freeze = this.config.freeze;
    this.watch = new Watch(this);
    this.quiet = new QuietTime(this, size.sampleMinutes * minuteMs);
    this.#containers = new Containers(this.requests);
    this.queues = {
      pushes: this.#queue('pushes', 'snapshot', handlePush),
      intake: this.#queue('intake', 'intake', handleIntake),
      runs: this.#queue('runs', 'reconcile', handleRun),
      later: this.#queue('later', 'reconcile', handleRun),
      sweeps: this.#queue('sweeps', 'sweep', handleSweep),
    };
  }

  #queue(name: QueueName, reader: FunctionName, handler: Handler): SimulatedQueue {
    const settings = queueSettings(this.config)[name];
    return new SimulatedQueue(settings, this, async (message) => {
      const isDone = await this.#invoke(reader, async (invocation, container) =>
        handler(this, invocation, container, message),
      );
      if (isDone !== true) this.trace.note(`${message.id} not done: ${isDone === false ? 'failed' : 'died'}`);
      this.requests.add(settings.fifo ? 'sqs fifo' : 'sqs standard');
      return isDone === true;
    });
  }

  /** The answer; undefined when the invocation died. A fault of ours ends the simulation. */
  async #invoke<T>(
    name: FunctionName,
    work: (invocation: Invocation, container: Container) => Promise<T>,
  ): Promise<T | undefined> {
    const invocation = new Invocation(this, timeouts[name]);
    const container = this.#containers.take(name, this.timeline.now);
    try {
      const ended = await invocation.begin(async () => work(invocation, container));
      if (ended !== undefined) this.#containers.giveBack(name, container, this.timeline.now);
      return ended?.value;
    } catch (error) {
      this.failure ??= error;
      return undefined;
    } finally {
      this.requests.addInvocation(name, this.timeline.now - invocation.startedAt);
    }
  }

  fail(error: unknown): void {
    this.failure ??= error;
  }

  nextId(): string {
    this.#ids += 1;
    return `${Math.floor(this.timeline.now).toString(36)}-${String(this.#ids).padStart(6, '0')}`;
  }

  readonly clusterOf = (name: string): MemoryCluster => {
    const cluster = this.#live.get(name);
    if (cluster === undefined) throw new Error(`there is no cluster ${name}`);
    return cluster;
  };

  versionOf(cluster: string): string {
    return `${this.#versions.get(cluster) ?? 0} ${this.clusterOf(cluster).newest}`;
  }

  touched(cluster: string): void {
    this.#versions.set(cluster, (this.#versions.get(cluster) ?? 0) + 1);
  }

  announce(event: TrueupEvent): void {
    this.watch.announced(event);
    if (!movesPointers.has(event.type)) return;
    const envelope = {
      id: this.nextId(),
      source: 'trueup',
      'detail-type': event.type,
      detail: event.detail,
    };
    this.requests.add('sqs standard');
    // Rules deliver within half a second as a rule, and in no particular order.
    const delayMs = this.random.between(50, 2_000);
    this.queues.pushes.send(JSON.stringify(envelope), { delayMs });
  }

  /** A commit becomes the head of a repository, and the Git host tells of it. */
  push(repository: string, commit: ModelCommit, files: Readonly<Record<string, string>>): void {
    const before = this.host.headOf(repository);
    const after = this.random.hex(40);
    const lagMs = this.random.chance(0.2) ? this.random.between(0, longestLagMs) : 0;
    this.host.push(repository, after, files, lagMs);
    this.heads.set(repository, commit);
    for (const { onDelete, objects } of commit.values()) {
      if (onDelete === 'orphan') for (const object of objects) this.#orphans.add(refKey(refOf(object)));
    }
    this.watch.pushed(repository, after);
    this.#tell(repository, 'push', { ref: 'refs/heads/main', before, after });
  }

  /** A commit that only a pull request has. */
  propose(commit: ModelCommit): string {
    const sha = this.random.hex(40);
    this.host.propose(this.pulls.repository, sha, filesOf(commit));
    return sha;
  }

  /** The Git host tells what became of a pull request. */
  tellOfPull(action: string, { id, branch, sha }: PullRequests['all'][number]): void {
    this.trace.note(`pull request ${id} ${action}`);
    const pull = { number: Number(id), head: { ref: branch, sha }, base: { ref: 'main' } };
    this.#tell(this.pulls.repository, 'pull_request', { action, pull_request: pull });
  }

  #tell(repository: string, event: Delivery['event'], said: object): void {
    const guid = `${this.random.hex(8)}-0000-4000-8000-${this.random.hex(12)}`;
    const from = { full_name: `acme/${repository}`, clone_url: urlOf(repository) };
    this.deliver({ guid, event, body: JSON.stringify({ ...said, repository: from }) });
  }

  /** The Git host calls our webhook, once; it remembers when that failed. */
  deliver(delivery: Delivery): void {
    this.timeline.after(this.random.between(200, 3_000), () => {
      const { now } = this.timeline;
      if (this.chaos.strikes('lost')) {
        this.deliveries.note(delivery, now, false);
        return;
      }
      void this.#takeDelivery(delivery).then((isTaken) => this.deliveries.note(delivery, now, isTaken));
    });
  }

  async #takeDelivery({ guid, event, body }: Delivery): Promise<boolean> {
    const request = signed({ id: guid, event, body, secret: hookSecret });
    const isTaken = await this.#invoke('webhook', async (invocation, container) =>
      takeDelivery(this, invocation, container, request),
    );
    return isTaken === true;
  }

  /** Asks for sweeps and polls as EventBridge Scheduler does. */
  startSchedules(): void {
    const every = (minutes: number, ask: () => void): void => {
      const again = (): void => {
        if (!this.#isScheduled) return;
        ask();
        this.timeline.after(minutes * minuteMs, again);
      };
      this.timeline.after(minutes * minuteMs, again);
    };
    every(this.config.sweepMinutes, () => {
      this.requests.add('sqs standard');
      this.queues.sweeps.send(JSON.stringify({ version: 1, scope: 'fleet', requestedBy: 'schedule' }));
    });
    every(this.config.pollMinutes, () => {
      this.requests.add('sqs standard');
      this.queues.intake.send(JSON.stringify({ version: 1, poll: 'fleet' }));
    });
  }

  stopSchedules(): void {
    this.#isScheduled = false;
  }

  readonly freezesOf = (cluster: string): readonly Freeze[] =>
    this.#freeze.filter(({ clusters }) => clusters?.names?.includes(cluster) === true);

  isPreviewWanted(repository: string, application: string, pull: string, since: number): boolean {
    const { now } = this.timeline;
    const isLiving = repository === this.pulls.repository && this.pulls.isLiving(pull, since, now);
    // Nor has anybody pushed anything since.
    const isSame = this.host.pushedAt(repository) < since - longestLagMs;
    return isLiving && isSame && this.heads.get(repository)?.get(application)?.previews === true;
  }

  /** Whether the object is of an application that left it where it was. */
  isLeftBehind(cluster: string, key: string): boolean {
    const owner = this.ourObjects(cluster).get(key)?.metadata.labels?.[ourLabels.application];
    const owners = [...this.wantedOn(cluster).values()].map(({ application }) => application);
    return this.#orphans.has(key) && owner !== undefined && !owners.includes(owner);
  }

  /** What a cluster should have by the heads of all repositories. */
  wantedOn(name: string): ReadonlyMap<string, Wanted> {
    const cluster = this.clusters.get(name);
    if (cluster === undefined) return new Map();
    return new Map([...this.heads.values()].flatMap((commit) => [...desiredOn(cluster, commit)]));
  }

  /** It takes its time. */
  rollOut(cluster: string, address: ObjectAddress): void {
    if (address.plural !== 'deployments') return;
    this.timeline.after(this.random.between(2_000, 40_000), () => {
      const live = this.clusterOf(cluster).live(address);
      if (live === undefined) return;
      const status = deploymentStatus(live);
      if (JSON.stringify(live['status']) === JSON.stringify(status)) return;
      this.clusterOf(cluster).write(address, { kind: live.kind, status }, 'kube-controller-manager');
    });
  }

  async runUntil(time: number): Promise<void> {
    await this.timeline.run(time, () => this.failure !== undefined);
    if (this.failure instanceof Error) throw this.failure;
    if (this.failure !== undefined) throw new BrokenInvariant('nothing unforeseen', messageOf(this.failure));
  }

  async runFor(minutes: number): Promise<void> {
    await this.runUntil(this.timeline.now + minutes * minuteMs);
  }

  /** Objects of ours on a cluster, by key. */
  ourObjects(cluster: string) {
    return new Map(
      this.clusterOf(cluster)
        .labelled()
        .map((live) => [refKey(refOf(live)), live]),
    );
  }
}
