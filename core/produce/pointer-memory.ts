import * as z from 'zod';
import type { RepositoryConfig } from '../contract/config.ts';
import { keys } from '../contract/keys.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { readDocument, writeDocument, type Document } from '../documents.ts';
import { Stop } from '../errors.ts';
import { desiredPointerSchema, type DesiredPointer } from '../model/desired.ts';
import { targetKey, type Target } from '../model/target.ts';
import type { Store } from '../ports.ts';

const pointersSchema = z.object({
  version: z.literal(1),
  /** By target, each with the etag under which it stood. */
  pointers: z.record(z.string(), z.object({ etag: z.string(), pointer: desiredPointerSchema })),
});
type Remembered = z.infer<typeof pointersSchema>['pointers'];

/**
 * The pointers of a repository as its last look left them: those whose etag is still the same need not be read. A listing
 * for each cluster tells the etags, a thousand at a time, where reading them would be a request for each.
 */
export class PointerMemory {
  readonly #store: Store;
  readonly #key: string;
  #before: Remembered = {};

  constructor(store: Store, repository: RepositoryConfig) {
    this.#store = store;
    this.#key = keys.pointers(repository.name, trackedRef(repository));
  }

  /** What stands now, of those targets of which that can be told; undefined for one that has no pointer. */
  async recall(
    targets: readonly Target[],
  ): Promise<ReadonlyMap<string, Document<DesiredPointer> | undefined>> {
    const clusters = [...new Set(targets.map(({ cluster }) => cluster))];
    const [before, ...listings] = await Promise.all([
      this.#read(),
      ...clusters.map(async (cluster) => this.#store.entries(keys.desiredOfCluster(cluster))),
    ]);
    this.#before = before;
    const etags = new Map(listings.flatMap((listing) => [...listing]));
    const recalled = new Map<string, Document<DesiredPointer> | undefined>();
    for (const target of targets) {
      const key = targetKey(target);
      const etag = etags.get(keys.desired(target));
      const known = Object.hasOwn(before, key) ? before[key] : undefined;
      if (etag === undefined) recalled.set(key, undefined);
      else if (known?.etag === etag) recalled.set(key, { value: known.pointer, etag });
    }
    return recalled;
  }

  /** Keeps these for the next look, when any of them is another than before. */
  async keep(pointers: ReadonlyMap<string, Document<DesiredPointer>>): Promise<void> {
    const isSame =
      Object.keys(this.#before).length === pointers.size &&
      [...pointers].every(
        ([key, { etag }]) => Object.hasOwn(this.#before, key) && this.#before[key]?.etag === etag,
      );
    if (isSame) return;
    const now = [...pointers].map(([key, { value: pointer, etag }]) => [key, { etag, pointer }] as const);
    // Whichever writer was last may win: an entry counts only while its etag does.
    await writeDocument(this.#store, this.#key, { version: 1, pointers: Object.fromEntries(now) }, 'any');
  }

  async #read(): Promise<Remembered> {
    try {
      return (await readDocument(this.#store, this.#key, pointersSchema))?.value.pointers ?? {};
    } catch (error) {
      if (error instanceof Stop) return {};
      throw error;
    }
  }
}
