import type { EnvironmentRow } from '../api/contract-installation.ts';
import type { StackConfig } from '../contract/config.ts';
import { isPromotedByPointer } from '../contract/tracked-ref.ts';
import { inBatches } from '../in-batches.ts';
import type { Promoted } from '../model/promoted.ts';
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
    const { commit: promoted, waiting = unfollowed(repository, promoted, head?.sha) } = await readPromoted(
      store,
      name,
    );
    return {
      environment: name,
      from: repository.promotion.from,
      ...follows,
      ...(promoted && { promoted }),
      ...(waiting && { waiting }),
    };
  });
}

/** By pull request people merge, and the commit that comes of it is another one. */
function unfollowed(
  repository: StackConfig['repositories'][number],
  promoted: Promoted['commit'],
  head: string | undefined,
): Promoted['waiting'] {
  if (promoted === undefined || promoted.sha === head || !isPromotedByPointer(repository)) return undefined;
  return { sha: promoted.sha, why: 'is about to be followed', at: promoted.at };
}
