/**
 * Calls `work` for each item, so many at a time, and gives the answers in the order of the items. After one that throws
 * no other is begun.
 */
export async function inBatches<T, R>(
  items: readonly T[],
  size: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const answers: R[] = [];
  const waiting = items.entries();
  let failed = false;
  const take = async (): Promise<void> => {
    // One iterator for all of them: an item goes to whoever is free first.
    for (const [index, item] of waiting) {
      if (failed) return;
      answers[index] = await work(item);
    }
  };
  const failing = (error: unknown): never => {
    failed = true;
    throw error;
  };
  await Promise.all(Array.from({ length: Math.min(size, items.length) }, async () => take().catch(failing)));
  return answers;
}
