import type { Image } from '../model/image.ts';

/** How a host names the repository that was pushed to. */
export interface RepositoryHint {
  readonly fullName: string;
  /** Any of its addresses, for cloning or for a browser. */
  readonly urls: readonly string[];
}

/** One ref that moved, was made or was deleted: a side where it is not is forty zeros. */
export interface PushHint {
  readonly repository: RepositoryHint;
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

/** A pull request that was opened, changed, reviewed or closed. */
export interface PullHint {
  /** The one that it would be merged into. */
  readonly repository: RepositoryHint;
  /** As the host counts them. */
  readonly id: string;
  readonly action: 'opened' | 'updated' | 'closed' | 'reviewed';
  /** The commit may be abbreviated: Bitbucket Cloud names no more. */
  readonly head: { readonly branch: string; readonly sha: string };
  readonly base: { readonly branch: string };
}

/** What every reading of an understood request says. */
interface Told {
  /** Absent where the provider gives none. */
  readonly deliveryId?: string | undefined;
  readonly event: string;
}

/** What a provider's reader makes of a verified request, whatever the provider: pushes, images, pull requests, or why nothing. */
export type Reading =
  | (Told & {
      readonly kind: 'pushes';
      readonly pushes: readonly PushHint[];
      /** The body names the moment or an id of its own, so that no other push can have the same bytes. */
      readonly stamped: boolean;
    })
  | (Told & { readonly kind: 'images'; readonly images: readonly Image[]; readonly stamped: boolean })
  | (Told & { readonly kind: 'pulls'; readonly pulls: readonly PullHint[]; readonly stamped: boolean })
  | (Told & { readonly kind: 'ignored'; readonly reason: string })
  | { readonly kind: 'invalid'; readonly reason: string };

export const absentSha = '0'.repeat(40);
