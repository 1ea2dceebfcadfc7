import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { eventSource } from '../core/contract/events.ts';
import type { TrueupEvent } from '../core/contract/events.ts';
import { Retry, Stop } from '../core/errors.ts';
import type { Bus } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

const entriesPerCall = 10;
/** PutEvents takes 256 KiB a call, counted with type and source; some room is left for these. */
const bytesPerCall = 250_000;

/** Our own bus. Publishing again after a Retry may double an event: events are hints (rule 4). */
export class EventBridgeBus implements Bus {
  readonly #name: string;
  readonly #client: EventBridgeClient;

  constructor(name: string, client: EventBridgeClient = new EventBridgeClient(awsClient)) {
    this.#name = name;
    this.#client = client;
  }

  async publish(events: readonly TrueupEvent[]): Promise<void> {
    const entries = events.map(({ type, detail }) => ({
      EventBusName: this.#name,
      Source: eventSource,
      DetailType: type,
      Detail: JSON.stringify(detail),
    }));
    for (const batch of batches(entries)) await this.#put(batch);
  }

  async #put(batch: PutEventsRequestEntry[]): Promise<void> {
    const subject = `event bus ${this.#name}`;
    const answer = await this.#client
      .send(new PutEventsCommand({ Entries: batch }))
      .catch((error: unknown) => {
        throw awsFault({ subject, permission: 'events:PutEvents' }, error);
      });
    if ((answer.FailedEntryCount ?? 0) === 0) return;
    // Codes only: an entry's error message can quote its detail.
    const failed = (answer.Entries ?? []).flatMap(({ ErrorCode }, index) =>
      ErrorCode === undefined ? [] : [`${batch[index]?.DetailType ?? '?'}: ${ErrorCode}`],
    );
    const message = `took ${batch.length - failed.length} of ${batch.length} events (${failed.join(', ')}); try again`;
    throw new Retry({ subject, message });
  }
}

function* batches(entries: readonly PutEventsRequestEntry[]): Iterable<PutEventsRequestEntry[]> {
  let batch: PutEventsRequestEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = Buffer.byteLength(entry.Detail ?? '');
    if (size > bytesPerCall) {
      const message = `has ${size} bytes, more than EventBridge takes; leave out values that the record in S3 holds`;
      throw new Stop({ subject: `event ${entry.DetailType}`, message });
    }
    if (batch.length === entriesPerCall || bytes + size > bytesPerCall) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(entry);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
