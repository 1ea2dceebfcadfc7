/** What happened together and may have the same cause. */
export interface Group<T> {
  readonly cause: string;
  readonly items: readonly T[];
}

/** So many messages at once are read; a cause for all that is beyond. */
const mostGroups = 10;
export const everything = 'everything';

/**
 * Puts together what one cause explains: of all causes that items name, that of the most of them comes first, then that of
 * the most that are left. A commit that fails on twenty clusters is one group, and so is a cluster on which the
 * applications of twenty commits fail. Of equals the one that an item names earlier, as the likelier. At most ten groups.
 */
export function groupByCause<T extends { readonly causes: readonly string[] }>(
  items: readonly T[],
): readonly Group<T>[] {
  const groups: Group<T>[] = [];
  let left = items;
  while (left.length > 0) {
    const cause = likeliest(left);
    const found = left.filter(({ causes }) => causes.includes(cause) || causes.length === 0);
    groups.push({ cause, items: found });
    left = left.filter((item) => !found.includes(item));
  }
  if (groups.length <= mostGroups) return groups;
  const rest = groups.slice(mostGroups - 1).flatMap((group) => group.items);
  return [...groups.slice(0, mostGroups - 1), { cause: everything, items: rest }];
}

function likeliest(items: readonly { readonly causes: readonly string[] }[]): string {
  const counts = new Map<string, { count: number; rank: number }>();
  for (const { causes } of items) {
    for (const [index, cause] of causes.entries()) {
      const { count = 0, rank = index } = counts.get(cause) ?? {};
      counts.set(cause, { count: count + 1, rank: Math.min(rank, index) });
    }
  }
  const [first] = [...counts].sort(
    ([oneName, one], [otherName, other]) =>
      other.count - one.count || one.rank - other.rank || (oneName < otherName ? -1 : 1),
  );
  return first?.[0] ?? everything;
}
