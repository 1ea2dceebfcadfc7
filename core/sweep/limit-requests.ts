import type { Cluster } from '../ports.ts';

/** The same cluster with so many requests at a time: what waits here is not yet on the clock of its own timeout. */
export function limitRequests(cluster: Cluster, atOnce: number): Cluster {
  let running = 0;
  const waiting: (() => void)[] = [];
  const take = async (): Promise<void> => {
    if (running < atOnce) running += 1;
    else await new Promise<void>((resume) => waiting.push(resume));
  };
  // Whoever waits longest gets the place itself, so that nobody comes in between.
  const give = (): void => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };
  const limited = async <T>(call: () => Promise<T>): Promise<T> => {
    await take();
    try {
      return await call();
    } finally {
      give();
    }
  };
  return {
    resources: async (options) => cluster.resources(options),
    version: async () => limited(async () => cluster.version()),
    get: async (address) => limited(async () => cluster.get(address)),
    list: async (resource, selector, options) =>
      limited(async () => cluster.list(resource, selector, options)),
    apply: async (address, object, options) => limited(async () => cluster.apply(address, object, options)),
    patch: async (address, precondition, operations) =>
      limited(async () => cluster.patch(address, precondition, operations)),
    delete: async (address, precondition, options) =>
      limited(async () => cluster.delete(address, precondition, options)),
  };
}
