import { orderOf, type Order } from '../order.ts';
import { refKey, refOf } from '../model/object.ts';
import type { PlannedAction } from '../model/plan.ts';
import type { DesiredState, Resolution, ResolvedObject } from '../plan.ts';

/** An object that is run and not kept. */
export interface Hook extends NonNullable<Order['hook']> {
  readonly desired: ResolvedObject;
  readonly wave: number;
}

/** What is desired, in its turns. */
export interface OrderedDesired {
  /** Without the hooks: the state. */
  readonly desired: Resolution;
  readonly hooks: readonly Hook[];
  /** Hooks of kinds that the cluster does not serve: a revision that has one is not begun. */
  readonly unservedHooks: readonly PlannedAction[];
  /** Object key to wave, blocked objects included. */
  readonly waves: ReadonlyMap<string, number>;
}

/** Takes the hooks out of what is desired, and finds the wave of each object. Throws Stop for an unreadable one. */
export function inTurns({ objects }: DesiredState, resolution: Resolution): OrderedDesired {
  const rendered = new Map(objects.map(({ object }) => [refKey(refOf(object)), orderOf(object)] as const));
  const hooks: Hook[] = [];
  const state: ResolvedObject[] = [];
  const waves = new Map<string, number>();
  for (const desired of resolution.objects) {
    const { wave, hook } = orderOf(desired.object);
    if (hook !== undefined) hooks.push({ ...hook, desired, wave });
    else {
      state.push(desired);
      waves.set(desired.key, wave);
    }
  }
  const isHook = ({ ref }: PlannedAction): boolean => rendered.get(refKey(ref))?.hook !== undefined;
  const blocked = resolution.blocked.filter((action) => !isHook(action));
  for (const { ref } of blocked) waves.set(refKey(ref), rendered.get(refKey(ref))?.wave ?? 0);
  return {
    desired: { ...resolution, objects: state, blocked },
    hooks,
    unservedHooks: resolution.blocked.filter(isHook),
    waves,
  };
}
