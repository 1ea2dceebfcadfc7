import { hookName, hooksOf } from '../contract/hooks.ts';
import { describeDelivery, newestDeliveries } from '../delivery-history.ts';
import { millisecondsOf } from '../model/time.ts';
import { replay } from '../receive/replay.ts';
import type { DeliveryRow } from './contract-installation.ts';
import type { ApiDeps } from './deps.ts';
import { mayActEverywhere, seesAll, type Person } from './person.ts';
import { ApiProblem } from './problem.ts';

const shown = 100;
const daysShown = 7;
/** How long a body is kept (`infra/storage.ts`). */
const keptMs = 3 * 86_400_000;

/** What Git hosts and registries told of late, newest first: it is of no project, and for those who see them all. */
export async function deliveryRows(person: Person, deps: ApiDeps): Promise<DeliveryRow[]> {
  if (!seesAll(person)) return [];
  const now = deps.clock.now();
  const hooks = new Set(hooksOf(deps.config).map(hookName));
  const mayReplay = mayActEverywhere(person);
  const newest = await newestDeliveries(deps.store, { now, days: daysShown, most: shown });
  return newest.map((delivery) => {
    const { id, provider, event, receivedAt, state, outcome = '' } = delivery;
    const isKept = now - millisecondsOf(receivedAt) < keptMs;
    const what = describeDelivery(delivery);
    return {
      id,
      provider,
      event,
      receivedAt,
      state,
      what,
      told: outcome,
      replay: mayReplay && isKept && hooks.has(provider),
    };
  });
}

/** Reads a delivery again, as `trueup deliveries --replay` does and by the same code, under the name of who asks. */
export async function replayDelivery(
  delivery: Pick<DeliveryRow, 'provider' | 'id'>,
  person: Person,
  deps: ApiDeps,
): Promise<{ readonly done: string }> {
  if (!mayActEverywhere(person)) {
    const title = `${person.name} may not have deliveries read again: they are of no project.`;
    throw new ApiProblem(403, title, 'Ask for the role of an operator in all projects (`*`).');
  }
  const { provider, id, outcome = '' } = await replay(delivery, person.name, deps);
  return { done: `${provider}/${id}: ${outcome}` };
}
