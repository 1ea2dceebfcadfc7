import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { clusterCheckSchema } from '../model/check.ts';
import { desiredPointerSchema } from '../model/desired.ts';
import { inventorySchema } from '../model/inventory.ts';
import { targetKey, type Target } from '../model/target.ts';
import type { TargetView } from '../view/target-view.ts';
import type { ApiDeps } from './deps.ts';
import { maySee, projectOf, type Person } from './person.ts';
import { ApiProblem } from './problem.ts';

/** A target that whoever asks may see, as its records are now. */
export interface SeenTarget {
  readonly view: TargetView;
  readonly person: Person;
  /** Of its repository, for links to commits. */
  readonly cloneUrl: string | undefined;
}

/** Throws ApiProblem where there is none, or none for who asks: the two are told alike. */
export async function seeTarget(
  { target, person }: { readonly target: Target; readonly person: Person },
  { store, config }: Pick<ApiDeps, 'store' | 'config'>,
): Promise<SeenTarget> {
  const [pointer, inventory, check] = await Promise.all([
    readDocument(store, keys.desired(target), desiredPointerSchema),
    readDocument(store, keys.inventory(target), inventorySchema),
    readDocument(store, keys.check(target.cluster), clusterCheckSchema),
  ]);
  if (pointer === undefined || !maySee(person, projectOf(pointer.value, config.repositories))) {
    throw new ApiProblem(
      404,
      `There is no target ${targetKey(target)}.`,
      'Look for it in the fleet: it may have left Git, or be of a project that you do not see.',
    );
  }
  const cloneUrl = config.repositories.find(({ name }) => name === pointer.value.repository)?.url;
  const view = { target, pointer: pointer.value, inventory: inventory?.value, check: check?.value };
  return { view, person, cloneUrl };
}
