import type { RepositoryConfig } from '../contract/repository.ts';
import { keys, prefixes } from '../contract/keys.ts';
import type { RecordedRender, RenderRecord } from '../model/render-record.ts';
import type { Store, Stored, WriteCondition, WriteOutcome } from '../ports.ts';
import { readRenders, writeRenders } from '../produce/render-memory.ts';
import type { PullKey } from './records.ts';

/** Which of its two commits; each has a memory of renders of its own, and both share the snapshots. */
export type Side = 'base' | 'head';

/**
 * A store on which a preview is worked out, whose snapshots and renders outlast the function: they are kept in a folder
 * of the pull request, and never where desired state is. Whoever is out of time, or dies, is gone on from.
 */
export class KeptStore implements Store {
  readonly #over: Store;
  readonly #kept: Store;
  readonly #folder: string;
  readonly #side: Side;

  /** `over` takes all writes; `kept` is the store itself. */
  constructor(over: Store, kept: Store, { repository, id, side }: PullKey & { readonly side: Side }) {
    this.#over = over;
    this.#kept = kept;
    this.#folder = keys.previewKept(repository, id);
    this.#side = side;
  }

  /** Takes over what was rendered for the pull request before, for whichever head, beside what the records know. */
  async begin(repository: RepositoryConfig): Promise<void> {
    const get = async (key: string) => this.#kept.get(this.#placeOf(key) ?? key);
    const before = await readRenders(repository, { get });
    if (Object.keys(before.renders).length === 0) return;
    const there = await this.#kept.entries(`${this.#folder}${prefixes.snapshots}`);
    const isThere = (name: string, { snapshot }: RecordedRender): boolean =>
      there.has(this.#folder + keys.snapshot(name, snapshot));
    const known = await readRenders(repository, this.#over);
    await writeRenders(repository, joined(known, before, isThere), this.#over);
  }

  async get(key: string): Promise<Stored | undefined> {
    const stored = await this.#over.get(key);
    const isKept = stored === undefined && key.startsWith(prefixes.snapshots);
    return isKept ? this.#kept.get(this.#folder + key) : stored;
  }

  async put(key: string, text: string, condition: WriteCondition): Promise<WriteOutcome> {
    const place = this.#placeOf(key);
    if (place === undefined) return this.#over.put(key, text, condition);
    // Named by its content, or a memory of which the last writer may win: there is nothing to compare.
    await this.#kept.put(place, text, 'any');
    return this.#over.put(key, text, 'any');
  }

  delete(key: string, condition: 'any' | { readonly etag: string }): Promise<'deleted' | 'conflict'> {
    return this.#over.delete(key, condition);
  }

  entries(prefix: string): Promise<ReadonlyMap<string, string>> {
    return this.#over.entries(prefix);
  }

  list(...given: Parameters<Store['list']>): AsyncIterable<string> {
    return this.#over.list(...given);
  }

  #placeOf(key: string): string | undefined {
    if (key.startsWith(prefixes.snapshots)) return this.#folder + key;
    return key.startsWith(prefixes.renders) ? `${this.#folder}${this.#side}/${key}` : undefined;
  }
}

/** Of what was kept, that of which the snapshot is there: a preview is thrown away by age. */
function joined(
  known: RenderRecord,
  kept: RenderRecord,
  isThere: (name: string, render: RecordedRender) => boolean,
): RenderRecord {
  const renders = { ...known.renders };
  for (const [name, all] of Object.entries(kept.renders)) {
    const own = Object.hasOwn(known.renders, name) ? (known.renders[name] ?? []) : [];
    const digests = new Set(own.map(({ digest }) => digest));
    const more = all.filter((one) => !digests.has(one.digest) && isThere(name, one));
    if (more.length > 0) renders[name] = [...own, ...more];
  }
  return { ...known, files: { ...kept.files, ...known.files }, renders };
}
