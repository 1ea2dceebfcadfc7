import { parseStackConfig } from '../../core/contract/config.ts';
import { keys, prefixes } from '../../core/contract/keys.ts';
import type { ApiDeps } from '../../core/api/deps.ts';
import { FleetBook } from '../../core/view/fleet-book.ts';
import { clusterCheckSchema } from '../../core/model/check.ts';
import { desiredPointerSchema } from '../../core/model/desired.ts';
import { membersOf } from '../../core/model/json-parts.ts';
import type { LiveObject } from '../../core/model/object.ts';
import { inventorySchema } from '../../core/model/inventory.ts';
import type { RunRequest } from '../../core/model/run.ts';
import { readDocument } from '../../core/documents.ts';
import type { Store } from '../../core/ports.ts';
import { simulate } from '../simulator/simulate.ts';
import type { SimulatedWorld } from '../simulator/world.ts';

export interface SimulatedFleet {
  readonly deps: ApiDeps;
  /** Runs that were asked for. */
  readonly asked: readonly RunRequest[];
}

const hours = 3_600_000;

/** Records as real functions wrote them on simulated clusters, in the middle of a working day: some of it is always amiss. */
export async function simulatedFleet(): Promise<SimulatedFleet> {
  let world: SimulatedWorld | undefined;
  await simulate({
    seed: 11,
    clusters: 3,
    targets: 12,
    days: 1,
    faults: 0,
    pushMinutes: 90,
    editMinutes: 30,
    sweepMinutes: 10,
    tamper: (made) => {
      world = made;
      made.timeline.after(10.4 * hours, () => {
        made.failure = new Error('looked at here');
      });
    },
  });
  if (world === undefined) throw new Error('nothing was simulated');
  const { store, config, timeline } = world;
  const asked: RunRequest[] = [];
  let ids = 0;
  const deps: ApiDeps = {
    store,
    config: parseStackConfig(config),
    clock: { now: () => Math.floor(timeline.now), sleep: async () => undefined },
    ids: { next: () => `id-${(ids += 1)}` },
    bus: { publish: async () => undefined },
    queues: {
      run: async (request) => {
        asked.push(request);
      },
    },
    book: new FleetBook(store),
    version: '0.0.0-test',
    installed: true,
    live: liveOf(world),
  };
  return { deps, asked };
}

/** The simulated clusters as a kubeconfig would lead to them. They run no Pods: each workload is given one, and one event. */
function liveOf(world: SimulatedWorld): NonNullable<ApiDeps['live']> {
  const pod: LiveObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'pod-1', namespace: 'apps', uid: 'pod-1', resourceVersion: '1' },
    spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'main:1' }] },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'main', ready: true, restartCount: 2, state: { running: {} } }],
    },
  };
  const event = {
    type: 'Warning',
    reason: 'BackOff',
    message: '<b>Back-off</b> restarting failed container',
    involvedObject: { kind: 'Pod', name: 'pod-1' },
    lastTimestamp: new Date(world.timeline.now).toISOString(),
    count: 3,
  };
  return {
    reaches: () => true,
    connect: async (name) => {
      const cluster = world.clusterOf(name);
      return {
        resources: async () => cluster.resources(),
        get: async (address) => selecting(await cluster.get(address)),
        list: async (resource, selector, options) =>
          resource.kind === 'Pod'
            ? { resourceVersion: '1', items: [pod] }
            : cluster.list(resource, selector, options),
        events: async ({ kind }) => (kind === 'Pod' ? [event] : []),
        logs: async ({ container, previous }) =>
          `${container} says hello${previous ? ' for the last time' : ''}\n`,
      };
    },
  };
}

/** Simulated Deployments select nothing. */
function selecting(object: LiveObject | undefined): LiveObject | undefined {
  if (object?.kind !== 'Deployment') return object;
  return { ...object, spec: { ...membersOf(object['spec']), selector: { matchLabels: { app: 'any' } } } };
}

/** The records of one target, under so many other names of the same cluster. */
export async function multiplied(store: Store, count: number): Promise<void> {
  const [first = ''] = await Array.fromAsync(store.list(prefixes.desired, { limit: 1 }));
  const [cluster = '', file = ''] = first.slice(prefixes.desired.length).split('/');
  const model = { cluster, application: file.replace('.json', '') };
  const [pointer, inventory, check] = await Promise.all([
    readDocument(store, keys.desired(model), desiredPointerSchema),
    readDocument(store, keys.inventory(model), inventorySchema),
    readDocument(store, keys.check(cluster), clusterCheckSchema),
  ]);
  if (pointer === undefined || inventory === undefined || check === undefined)
    throw new Error('no such target');
  const names = Array.from({ length: count }, (_, index) => `many-${String(index).padStart(5, '0')}`);
  for (const application of names) {
    const target = { cluster, application };
    await store.put(keys.desired(target), JSON.stringify({ ...pointer.value, target }), 'any');
    await store.put(keys.inventory(target), JSON.stringify({ ...inventory.value, target }), 'any');
  }
  const like = check.value.targets[model.application];
  const targets = { ...check.value.targets, ...Object.fromEntries(names.map((name) => [name, like])) };
  await store.put(keys.check(cluster), JSON.stringify({ ...check.value, targets }), 'any');
}
