import type { SweepRequest, TrueupEvent } from '../../core/contract/events.ts';
import type { RunRequest } from '../../core/model/run.ts';
import type { Bus, MetricDatum, Metrics, Queues } from '../../core/ports.ts';

/** A bus that only remembers. */
export class RecordingBus implements Bus {
  readonly events: TrueupEvent[] = [];
  async publish(events: readonly TrueupEvent[]): Promise<void> {
    this.events.push(...events);
  }
}

/** Queues that only remember. */
export class RecordingQueues implements Queues {
  readonly runs: RunRequest[] = [];
  readonly later: { request: RunRequest; delaySeconds: number }[] = [];
  readonly sweeps: SweepRequest[] = [];
  async run(request: RunRequest): Promise<void> {
    this.runs.push(request);
  }
  async runLater(request: RunRequest, delaySeconds: number): Promise<void> {
    this.later.push({ request, delaySeconds });
  }
  async sweep(request: SweepRequest): Promise<void> {
    this.sweeps.push(request);
  }
}

/** Metrics that are only remembered. */
export class RecordingMetrics implements Metrics {
  readonly data: MetricDatum[] = [];
  async put(data: readonly MetricDatum[]): Promise<void> {
    this.data.push(...data);
  }
}
