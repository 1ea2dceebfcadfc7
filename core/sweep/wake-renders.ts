import type { StackConfig } from '../contract/config.ts';
import type { TrueupEvent } from '../contract/events.ts';
import { keys } from '../contract/keys.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { Stop } from '../errors.ts';
import { toldOf } from '../facts-book.ts';
import { inBatches } from '../in-batches.ts';
import { askedDocumentSchema, type AskedDocument } from '../model/asked.ts';
import { isoTime } from '../model/time.ts';
import type { Bus, Clock, Store } from '../ports.ts';
import type { AskedFacts } from '../render/context.ts';
import type { KnownDocuments } from './known-documents.ts';

const readsAtATime = 16;
/** No commit is meant: whatever the head is, is worth a look. */
export const noSha = '0'.repeat(40);

interface AskedOfAll {
  readonly asked: readonly AskedDocument[];
  /** No render ever asked anything of this cluster. */
  readonly isNone: boolean;
  /** Nothing was left out for not being readable. */
  readonly isComplete: boolean;
}

/**
 * What the applications of each tracked ref asked of a cluster. One that cannot be read is written anew with the next
 * commit; one of a repository or ref that is followed no more is nobody's.
 */
export async function readAsked(
  cluster: string,
  { store, documents, config }: ReadDeps,
): Promise<AskedOfAll> {
  const followed = new Set(config.repositories.map((one) => keys.asked(cluster, one.name, trackedRef(one))));
  const found = await store.entries(keys.askedOfCluster(cluster));
  const wanted = [...found.keys()].filter((key) => followed.has(key));
  const read = await inBatches(wanted, readsAtATime, async (key) => {
    try {
      return (await documents.read(store, key, askedDocumentSchema))?.value;
    } catch (error) {
      if (error instanceof Stop) return undefined;
      throw error;
    }
  });
  const asked = read.filter((one) => one !== undefined);
  return { asked, isNone: found.size === 0, isComplete: asked.length === wanted.length };
}

interface ReadDeps {
  readonly store: Store;
  readonly documents: KnownDocuments;
  readonly config: Pick<StackConfig, 'repositories'>;
}

/**
 * Has those repositories looked at again of which an application was told something else of this cluster than what holds
 * now. A hint like any other (rule 2 of the design), and one that a later sweep gives again for as long as it is true.
 */
export async function wakeRenders(
  cluster: string,
  asked: readonly AskedDocument[],
  { bus, clock, factsOf }: WakeDeps,
): Promise<void> {
  const hints: TrueupEvent[] = [];
  const at = isoTime(clock.now());
  for (const document of asked) {
    if (!(await isOutdated(document, factsOf))) continue;
    const { repository, ref } = document;
    const origin = { deliveryId: `facts-${cluster}-${repository}-${at}`, provider: 'sweep' };
    const known = { before: noSha, after: noSha, deleted: false };
    hints.push({ type: 'PushReceived', detail: { version: 1, at, ...origin, repository, ref, ...known } });
  }
  if (hints.length > 0) await bus.publish(hints);
}

interface WakeDeps {
  readonly bus: Bus;
  readonly clock: Pick<Clock, 'now'>;
  /** What holds now for an application of a repository. */
  readonly factsOf: (application: string, repository: string) => AskedFacts;
}

async function isOutdated(
  { repository, applications }: AskedDocument,
  factsOf: WakeDeps['factsOf'],
): Promise<boolean> {
  for (const [name, { facts }] of Object.entries(applications)) {
    for (const [question, told] of Object.entries(facts)) {
      if ((await toldOf(question, factsOf(name, repository))) !== told) return true;
    }
  }
  return false;
}
