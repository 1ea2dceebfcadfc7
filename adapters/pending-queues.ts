import type { RunRequest } from '../core/model/run.ts';
import type { Clock, Queues } from '../core/ports.ts';

/** A request, and when it is to be handled, in milliseconds since the epoch. */
export interface PendingRequest {
  readonly request: RunRequest;
  readonly dueAt: number;
}

/** Queues of one process: they remember what is asked for, and whoever runs the process takes it from there. */
export class PendingQueues implements Queues {
  readonly #clock: Pick<Clock, 'now'>;
  #pending: readonly PendingRequest[] = [];

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** What was asked for and not taken yet, the next one first. */
  get pending(): readonly PendingRequest[] {
    return this.#pending;
  }

  async run(request: RunRequest): Promise<void> {
    await this.runLater(request, 0);
  }

  async runLater(request: RunRequest, delaySeconds: number): Promise<void> {
    // It goes on for half an hour and more, and no process stays for that.
    if (request.reason === 'watch') return;
    const added = { request, dueAt: this.#clock.now() + delaySeconds * 1000 };
    this.#pending = [...this.#pending, added].sort((a, b) => a.dueAt - b.dueAt);
  }

  /** Nobody sweeps on request here: a check is made when it is asked for. */
  async sweep(): Promise<void> {}

  take(): PendingRequest | undefined {
    const [next, ...rest] = this.#pending;
    this.#pending = rest;
    return next;
  }

  clear(): void {
    this.#pending = [];
  }
}
