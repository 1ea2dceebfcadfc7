import { keys } from './contract/keys.ts';
import { readDocument, updateDocument, writeDocument } from './documents.ts';
import { digestOf } from './model/digest.ts';
import {
  imageMemorySchema,
  imageTagsSchema,
  mostRejected,
  type ImageMemory,
  type ImageTags,
  type PolicyMemory,
} from './model/image-memory.ts';
import type { Store } from './ports.ts';

/** By the branch that each is proposed from. */
export type ImageProposals = NonNullable<ImageMemory['proposals']>;

/** The memory of one repository from a read on: each writing is refused where somebody else wrote since. */
export class ImageMemoryBook {
  readonly #store: Store;
  readonly #repository: string;
  #current: ImageMemory | undefined;
  #etag: string | undefined;

  private constructor(store: Store, repository: string) {
    this.#store = store;
    this.#repository = repository;
  }

  static async open(store: Store, repository: string): Promise<ImageMemoryBook> {
    const book = new ImageMemoryBook(store, repository);
    const found = await readDocument(store, keys.images(repository), imageMemorySchema);
    book.#current = found?.value;
    book.#etag = found?.etag;
    return book;
  }

  get policies(): ImageMemory['policies'] {
    return this.#current?.policies ?? {};
  }

  get proposals(): ImageProposals {
    return this.#current?.proposals ?? {};
  }

  /** False where somebody else wrote. What stands there already is left as it is. */
  async write(policies: ImageMemory['policies'], proposals: ImageProposals): Promise<boolean> {
    const isSame = digestOf([policies, proposals]) === digestOf([this.policies, this.proposals]);
    if (isSame) return true;
    const seq = (this.#current?.seq ?? 0) + 1;
    const next: ImageMemory = { version: 1, seq, repository: this.#repository, policies, proposals };
    const condition = this.#etag === undefined ? 'absent' : { etag: this.#etag };
    const outcome = await writeDocument(this.#store, keys.images(this.#repository), next, condition);
    if (outcome.kind === 'conflict') return false;
    this.#current = next;
    this.#etag = outcome.etag;
    return true;
  }
}

/**
 * Writes what became of policies that were read as `before`. Where somebody else wrote of one meanwhile, the later push stays
 * what was written last, and whatever either knows to be rejected is.
 */
export async function rememberPolicies(
  store: Store,
  repository: string,
  { news, before }: { readonly news: ImageMemory['policies']; readonly before: ImageMemory['policies'] },
): Promise<void> {
  if (Object.keys(news).length === 0) return;
  await updateDocument(store, keys.images(repository), imageMemorySchema, (current) => {
    const merged = Object.entries(news).map(([policy, next]) => {
      const there = current?.policies[policy];
      const isRead = digestOf(there ?? null) === digestOf(before[policy] ?? null);
      return [policy, isRead || there === undefined ? next : together(there, next)] as const;
    });
    const policies = { ...current?.policies, ...Object.fromEntries(merged) };
    if (current !== undefined && digestOf(policies) === digestOf(current.policies)) return undefined;
    return { ...current, version: 1 as const, seq: (current?.seq ?? 0) + 1, repository, policies };
  });
}

function together(there: PolicyMemory, next: PolicyMemory): PolicyMemory {
  const later = (next.at ?? '') < (there.at ?? '') ? there : next;
  const rejected = [...new Set([...there.rejected, ...next.rejected])].slice(-mostRejected);
  return { ...later, rejected };
}

/** What is new of the tags of registries. */
export interface TagNews {
  /** Followed ones that a look found, by policy: nobody needs to have told of those any more. */
  readonly seen?: Readonly<Record<string, readonly string[]>>;
  /** Those that events told of and that were written, or proposed, or need not be. */
  readonly told?: Readonly<Record<string, readonly string[]>>;
  /** Where a look stopped; null: it came to the end. */
  readonly after?: string | null;
}

/** Of one policy between two looks: more than that are asked about by the next one. */
const mostTold = 100;

export async function rememberTags(
  store: Store,
  repository: string,
  { seen = {}, told = {}, after }: TagNews,
): Promise<void> {
  if (Object.keys(seen).length + Object.keys(told).length === 0 && after === undefined) return;
  await updateDocument(store, keys.imageTags(repository), imageTagsSchema, (current) => {
    const { policies = {}, told: before = {}, after: stopped } = current ?? {};
    const names = [...new Set([...Object.keys(before), ...Object.keys(told)])];
    const since = names.flatMap((policy) => {
      const all = new Set([...(before[policy] ?? []), ...(told[policy] ?? [])]);
      const open = [...all].filter((tag) => seen[policy]?.includes(tag) !== true).slice(-mostTold);
      return open.length === 0 ? [] : [[policy, open] as const];
    });
    const end = after === undefined ? stopped : after;
    const next = {
      policies: { ...policies, ...seen },
      ...(since.length > 0 && { told: Object.fromEntries(since) }),
      ...(typeof end === 'string' && { after: end }),
    };
    const { seq = 0 } = current ?? {};
    const same: ImageTags = { version: 1, seq, ...next };
    if (digestOf(same) === digestOf(current ?? noTags)) return undefined;
    return { ...same, seq: seq + 1 };
  });
}

const noTags: ImageTags = { version: 1, seq: 0, policies: {} };
