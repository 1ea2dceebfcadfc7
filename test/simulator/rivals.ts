import { keys } from '../../core/contract/keys.ts';
import { readDocument } from '../../core/documents.ts';
import { inventorySchema } from '../../core/model/inventory.ts';
import type { ObjectAddress } from '../../core/ports.ts';
import { withValue, type Wanted } from './applications.ts';
import type { Part } from './chaos.ts';
import type { SimulatedWorld } from './world.ts';

const minuteMs = 60_000;

/** Others who write to clusters; `editMinutes`: mean time between two edits on one. */
export function startRivals(world: SimulatedWorld, editMinutes: number, isOver: () => boolean): void {
  const { random, timeline } = world;
  for (const cluster of world.clusters.keys()) {
    const again = (): void => {
      if (isOver()) return;
      void edit(world, cluster);
      timeline.after(random.exponential(editMinutes * minuteMs), again);
    };
    timeline.after(random.exponential(editMinutes * minuteMs), again);
  }
}

/** Somebody changes or deletes an object that was applied. */
async function edit(world: SimulatedWorld, cluster: string): Promise<void> {
  const { random } = world;
  const wanted = random.pick([...world.wantedOn(cluster)]);
  if (wanted === undefined) return;
  const [key, { object, application }] = wanted;
  const address = addressOf(wanted);
  const memory = world.clusterOf(cluster);
  // Of what is not applied yet, or not any more, no drift is recorded.
  const inventory = await readDocument(
    world.store,
    keys.inventory({ cluster, application }),
    inventorySchema,
  );
  if (inventory?.value.entries[key]?.state !== 'applied' || memory.live(address) === undefined) return;
  if (random.chance(0.3)) memory.remove(address);
  else {
    const { metadata: _metadata, ...content } = withValue(object, random.hex(6));
    memory.write(address, content, random.chance(0.5) ? 'kubectl-edit' : 'some-controller');
    world.rollOut(cluster, address);
  }
  world.watch.edited({ cluster, application, key, at: world.timeline.now });
}

function addressOf([, { object }]: readonly [string, Wanted]): ObjectAddress {
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, plural: `${kind.toLowerCase()}s`, namespace: metadata.namespace, name: metadata.name };
}

/** Parts of the world are away for a while, one at a time or several. */
export function startOutages(world: SimulatedWorld, faults: number, isOver: () => boolean): void {
  const { random, timeline, chaos } = world;
  const parts: readonly Part[] = [
    's3',
    'git',
    ...[...world.clusters.keys()].map((name): Part => `cluster ${name}`),
  ];
  const meanMs = (8 * 60 * minuteMs) / faults;
  const again = (): void => {
    if (isOver()) return;
    const part = random.pick(parts) ?? 'git';
    world.trace.note(`${part} is away`);
    chaos.lose(part);
    timeline.after(Math.min(120, random.exponential(20)) * minuteMs, () => {
      world.trace.note(`${part} is back`);
      chaos.recover(part);
    });
    timeline.after(random.exponential(meanMs), again);
  };
  timeline.after(random.exponential(meanMs), again);
}
