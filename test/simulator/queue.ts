import type { StackConfig } from '../../core/contract/config.ts';
import type { Chaos } from './chaos.ts';
import type { Timeline } from './timeline.ts';

export interface QueueSettings {
  readonly name: QueueName;
  readonly fifo: boolean;
  /** Milliseconds. */
  readonly visibility: number;
  /** Deliveries before a message is given up. */
  readonly attempts: number;
  readonly retention: number;
  /** Most messages that the function works on at once. */
  readonly concurrency: number;
}

export type QueueName = 'pushes' | 'intake' | 'runs' | 'later' | 'sweeps';

const minute = 60_000;
const day = 24 * 60 * minute;

/** As `infra/queues.ts` has them; `queue-settings.test.ts` holds them against the template. */
export function queueSettings({
  concurrency,
}: Pick<StackConfig, 'concurrency'>): Readonly<Record<QueueName, QueueSettings>> {
  const settings = (
    name: QueueName,
    attempts: number,
    atOnce: number,
    more: Partial<QueueSettings> = {},
  ): QueueSettings => ({
    name,
    fifo: false,
    visibility: 6 * minute,
    retention: 4 * day,
    attempts,
    concurrency: atOnce,
    ...more,
  });
  return {
    pushes: settings('pushes', 5, concurrency.pushes),
    intake: settings('intake', 5, 5, { visibility: 3 * minute }),
    runs: settings('runs', 3, concurrency.runs, { fifo: true }),
    later: settings('later', 5, concurrency.later),
    sweeps: settings('sweeps', 2, concurrency.sweeps, { retention: 60 * minute }),
  };
}

export interface Message {
  readonly id: string;
  readonly body: string;
  /** Of a FIFO queue. */
  readonly group: string | undefined;
  readonly sentAt: number;
  /** From when on it could be received at all. */
  readonly dueAt: number;
  receives: number;
}

/** What is known of a queue at the end. */
export interface QueueFigures {
  readonly sent: number;
  readonly longest: number;
  /** Most milliseconds that a message waited for its first receive. */
  readonly oldest: number;
  readonly deadLetters: number;
}

/** Works on a message; false when it failed, or when whoever worked on it died. */
export type Deliver = (message: Message) => Promise<boolean>;

/** Standard queues may change the order of what is this close together. */
const reorderedAmong = 10;

/** A queue of SQS with the event source mapping that feeds its function, a message at a time. */
export class SimulatedQueue {
  readonly settings: QueueSettings;
  readonly #timeline: Timeline;
  readonly #chaos: Chaos;
  readonly #deliver: Deliver;
  /** Of a standard queue: what can be received. */
  readonly #ready: Message[] = [];
  /** Of a FIFO queue: messages of each group in their order, and groups whose first message can be received. */
  readonly #groups = new Map<string, Message[]>();
  readonly #readyGroups: string[] = [];
  readonly #lockedGroups = new Set<string>();
  #count = 0;
  #busy = 0;
  #waiting = 0;
  #longest = 0;
  #oldest = 0;
  readonly deadLetters: Message[] = [];

  constructor(
    settings: QueueSettings,
    world: { readonly timeline: Timeline; readonly chaos: Chaos },
    deliver: Deliver,
  ) {
    this.settings = settings;
    this.#timeline = world.timeline;
    this.#chaos = world.chaos;
    this.#deliver = deliver;
  }

  /** Messages in the queue or in flight. */
  get length(): number {
    return this.#waiting;
  }

  get figures(): QueueFigures {
    const { length: deadLetters } = this.deadLetters;
    return { sent: this.#count, longest: this.#longest, oldest: this.#oldest, deadLetters };
  }

  send(body: string, options: { readonly delayMs?: number; readonly group?: string } = {}): void {
    this.#count += 1;
    if (this.#chaos.strikes('lost')) return;
    const sentAt = this.#timeline.now;
    const { random } = this.#chaos;
    const dueAt = sentAt + (options.delayMs ?? 0) + random.between(5, 60);
    const message: Message = {
      id: `${this.settings.name}-${this.#count}`,
      body,
      group: this.settings.fifo ? (options.group ?? '') : undefined,
      sentAt,
      dueAt,
      receives: 0,
    };
    this.#waiting += 1;
    this.#longest = Math.max(this.#longest, this.#waiting);
    this.#timeline.at(dueAt, () => this.#arrive(message));
  }

  #arrive(message: Message): void {
    if (message.group === undefined) this.#ready.push(message);
    else {
      const group = this.#groups.get(message.group) ?? [];
      this.#groups.set(message.group, group);
      group.push(message);
      if (group.length === 1) this.#readyGroups.push(message.group);
    }
    this.#pump();
  }

  #pump(): void {
    while (this.#busy < this.settings.concurrency) {
      const message = this.settings.fifo ? this.#takeOfGroup() : this.#take();
      if (message === undefined) return;
      if (this.#timeline.now - message.sentAt > this.settings.retention) {
        this.#forget(message);
        continue;
      }
      message.receives += 1;
      if (message.receives > this.settings.attempts) {
        this.deadLetters.push(message);
        this.#forget(message);
        continue;
      }
      if (message.receives === 1) this.#oldest = Math.max(this.#oldest, this.#timeline.now - message.dueAt);
      void this.#workOn(message);
    }
  }

  #take(): Message | undefined {
    const place = this.#chaos.random.index(Math.min(reorderedAmong, this.#ready.length));
    return this.#ready.splice(place, 1)[0];
  }

  #takeOfGroup(): Message | undefined {
    const name = this.#readyGroups.shift();
    if (name === undefined) return undefined;
    this.#lockedGroups.add(name);
    return this.#groups.get(name)?.[0];
  }

  async #workOn(message: Message): Promise<void> {
    this.#busy += 1;
    const receivedAt = this.#timeline.now;
    // At least once: the second copy is worked on beside the first.
    if (message.group === undefined && this.#chaos.strikes('duplicate')) {
      this.#waiting += 1;
      const copy = { ...message };
      this.#timeline.after(this.#chaos.random.between(0, 20_000), () => this.#arrive(copy));
    }
    const isDone = await this.#deliver(message);
    this.#busy -= 1;
    if (isDone) this.#forget(message);
    else this.#timeline.at(receivedAt + this.settings.visibility, () => this.#comeBack(message));
    this.#pump();
  }

  /** What failed can be received again when its visibility timeout is over; its group waits all the while. */
  #comeBack(message: Message): void {
    if (message.group === undefined) this.#ready.push(message);
    else {
      this.#lockedGroups.delete(message.group);
      this.#readyGroups.push(message.group);
    }
    this.#pump();
  }

  #forget(message: Message): void {
    this.#waiting -= 1;
    if (message.group === undefined) return;
    this.#lockedGroups.delete(message.group);
    const group = this.#groups.get(message.group);
    group?.shift();
    if (group === undefined || group.length === 0) this.#groups.delete(message.group);
    else this.#readyGroups.push(message.group);
  }
}
