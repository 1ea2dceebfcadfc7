import type { ReconcileDeps } from '../../../core/reconcile.ts';

/** Thrown at the moment of death, and by everything that is asked of the world after it. */
export class Killed extends Error {}

/** Methods that change the world outside of the process. */
const effects = new Set(['put', 'delete', 'apply', 'patch', 'publish', 'run', 'runLater', 'sweep']);

/** When to die: at the n-th effect, before it happens or after, when its answer gets lost. */
export interface Death {
  readonly at: number;
  readonly when: 'before' | 'after';
}

/**
 * The same world for a process that is killed. After that nothing it does has any effect, not even in a `catch` or
 * `finally`: that is how SIGKILL differs from an error. `effects` counts how many there were.
 */
export function mortal(deps: ReconcileDeps, death: Death): { deps: ReconcileDeps; effects: () => number } {
  let count = 0;
  let isDead = false;
  const gate = (name: string, call: () => unknown): unknown => {
    if (isDead) throw new Killed(name);
    if (!effects.has(name)) return call();
    count += 1;
    if (count !== death.at) return call();
    isDead = true;
    if (death.when === 'before') throw new Killed(name);
    return Promise.resolve(call()).then(() => {
      throw new Killed(name);
    });
  };
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: readonly unknown[]) => gate(String(name), () => Reflect.apply(member, target, args));
      },
    });
  const { store, bus, queues, metrics, clusters } = deps;
  const wrapped: ReconcileDeps = {
    ...deps,
    store: wrap(store),
    bus: wrap(bus),
    queues: wrap(queues),
    metrics: wrap(metrics),
    clusters: { connect: async (...asked) => wrap(await clusters.connect(...asked)) },
  };
  return { deps: wrapped, effects: () => count };
}
