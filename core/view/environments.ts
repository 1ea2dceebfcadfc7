import type { EnvironmentRow } from '../api/contract-installation.ts';
import type { StackConfig } from '../contract/config.ts';
import { inBatches } from '../in-batches.ts';
import { isEnvironment, readState } from '../promote-environments.ts';
import { readPromoted } from '../promoted-book.ts';
import type { Store } from '../ports.ts';

const readsAtOnce = 8;

/** Every environment that commits are promoted to, and those that they come from; empty where no repository has a `promotion`. */
export async function environmentRows(
  store: Store,
  repositories: StackConfig['repositories'],
): Promise<EnvironmentRow[]> {
  const named = new Set(
    repositories.flatMap(({ name, promotion }) => (promotion === undefined ? [] : [promotion.from, name])),
  );
  const known = repositories.filter(({ name }) => named.has(name));
  return inBatches(known, readsAtOnce, async (repository): Promise<EnvironmentRow> => {
    const { name } = repository;
    const head = (await readState(store, repository))?.head;
    const follows = head && { commit: head.sha, at: head.at };
    if (!isEnvironment(repository)) return { environment: name, ...follows };
    const { commit: promoted, waiting } = await readPromoted(store, name);
    return {
      environment: name,
      from: repository.promotion.from,
      ...follows,
      ...(promoted && { promoted }),
      ...(waiting && { waiting }),
    };
  });
}
