import type { RepositoryConfig, StackConfig } from '../contract/config.ts';
import type { TrueupEvent } from '../contract/events.ts';
import { keys } from '../contract/keys.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { readDocument } from '../documents.ts';
import { readersSchema } from '../model/readers.ts';
import type { Bus, Store } from '../ports.ts';

/** Repositories of the installation whose applications read from this one, or once did. */
export async function readersOf(
  { name }: RepositoryConfig,
  { store, config }: { readonly store: Store; readonly config: Pick<StackConfig, 'repositories'> },
): Promise<readonly RepositoryConfig[]> {
  const readers = (await readDocument(store, keys.readers(name), readersSchema))?.value.readers ?? [];
  return config.repositories.filter((one) => one.name !== name && readers.includes(one.name));
}

/** Has the readers of a repository looked at again, as a push to them would. A hint like any other (rule 2 of the design). */
export async function wakeReaders(
  readers: readonly RepositoryConfig[],
  { repository, sha, at }: { readonly repository: string; readonly sha: string; readonly at: string },
  bus: Bus,
): Promise<void> {
  const hints = readers.map((reader): TrueupEvent => {
    const origin = { deliveryId: `source-${repository}-${sha}`, provider: 'snapshot' };
    // Neither side is a commit of the reader: whatever its head is, is worth a look.
    const known = { before: sha, after: sha, deleted: false };
    const detail = { repository: reader.name, ref: trackedRef(reader), ...known };
    return { type: 'PushReceived', detail: { version: 1, at, ...origin, ...detail } };
  });
  if (hints.length > 0) await bus.publish(hints);
}
