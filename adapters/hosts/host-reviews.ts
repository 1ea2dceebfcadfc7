/** One review of a list, oldest first; a comment takes nothing back. */
export interface Review {
  /** Undefined: the account is gone. */
  readonly by: string | undefined;
  readonly verdict: 'approval' | 'none' | 'comment';
}

/** The last word of each person, where it is an approval. */
export function standingReviews<T extends Review>(
  reviews: readonly T[],
): readonly (T & { readonly by: string })[] {
  const last = new Map<string, T & { readonly by: string }>();
  for (const review of reviews) {
    const { by, verdict } = review;
    if (by !== undefined && verdict !== 'comment') last.set(by, { ...review, by });
  }
  return [...last.values()].filter(({ verdict }) => verdict === 'approval');
}
