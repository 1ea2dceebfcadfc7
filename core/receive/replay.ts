import type { StackConfig } from '../contract/config.ts';
import { hookName, hooksOf } from '../contract/hooks.ts';
import { keys } from '../contract/keys.ts';
import { readDocument, updateDocument } from '../documents.ts';
import { Stop } from '../errors.ts';
import { deliverySchema, type Delivery } from '../model/delivery.ts';
import { isoTime } from '../model/time.ts';
import { eventsOf, recordOf, type DeliverDeps } from './deliver.ts';
import { keptBodySchema } from './kept-body.ts';
import { loadProvider } from './providers.ts';
import { understand } from './understand.ts';

export interface ReplayDeps extends DeliverDeps {
  readonly config: StackConfig;
}

/**
 * Reads a delivery again as it came, with the configuration of today, and publishes what it asks for: on purpose,
 * so that no rule about duplicates holds it back. It was verified when it came. Throws Stop where it cannot be read.
 */
export async function replay(
  { provider: name, id }: Pick<Delivery, 'provider' | 'id'>,
  by: string,
  deps: ReplayDeps,
): Promise<Delivery> {
  const subject = `delivery ${name}/${id}`;
  const key = keys.delivery(name, id);
  const recorded = await readDocument(deps.store, key, deliverySchema);
  if (recorded === undefined) throw new Stop({ subject, message: 'is not in the ledger' });
  const kept = await readDocument(deps.store, keys.body(name, recorded.value.bodyDigest), keptBodySchema);
  if (kept === undefined) {
    const message = 'was not kept, or longer ago than 3 days; have the sender deliver it again';
    throw new Stop({ subject, message });
  }
  const hook = hooksOf(deps.config).find((known) => hookName(known) === name);
  if (hook === undefined) throw new Stop({ subject, message: `there is no hook ${name} any more` });
  const { headers, text } = kept.value;
  const provider = await loadProvider(hook.provider);
  const request = { method: 'POST', path: '', headers, body: new Uint8Array(), text, sourceIp: '' };
  const understood = understand(provider.read(request, hook), deps.config.repositories);

  const now = deps.clock.now();
  const note = `replayed at ${isoTime(now)} by ${by}`;
  const change =
    understood.kind === 'wanted'
      ? ({ ...recordOf(understood), state: 'published', publishedAt: isoTime(now), outcome: note } as const)
      : { outcome: `${note}: ${understood.reason}` };
  const written = await updateDocument(
    deps.store,
    key,
    deliverySchema,
    (current) => current && { ...current, ...change },
  );
  // After the record, so that what comes of the event is not overwritten.
  if (understood.kind === 'wanted') await deps.bus.publish(eventsOf({ provider: name, id }, understood, now));
  return written ?? recorded.value;
}
