import { keys, prefixes } from '../../core/contract/keys.ts';
import { trackedRef } from '../../core/contract/tracked-ref.ts';
import { clusterCheckSchema } from '../../core/model/check.ts';
import { desiredPointerSchema, repositoryStateSchema } from '../../core/model/desired.ts';
import { isJsonObject, jsonEqual, type Json, type JsonObject } from '../../core/model/json.ts';
import type { KubeObject, LiveObject } from '../../core/model/object.ts';
import { labels } from '../../core/contract/kubernetes.ts';
import { BrokenInvariant } from './trace.ts';
import type { SimulatedWorld } from './world.ts';

/** What must be true once nobody has pushed or changed anything for some hours, and nothing goes wrong any more. */
export async function assertAtRest(world: SimulatedWorld): Promise<void> {
  for (const repository of world.config.repositories) {
    const text = await textOf(world, keys.repository(repository.name, trackedRef(repository)));
    const state = repositoryStateSchema.parse(JSON.parse(text));
    const head = world.host.headOf(repository.name);
    if (state.head.sha !== head)
      throw new BrokenInvariant(
        'no push is lost',
        `${repository.name} is followed at ${state.head.sha}, its head is ${head}`,
      );
  }
  for (const cluster of world.clusters.keys()) await assertCluster(world, cluster);
  await assertRecords(world);
}

async function assertCluster(world: SimulatedWorld, cluster: string): Promise<void> {
  const wanted = world.wantedOn(cluster);
  const live = world.ourObjects(cluster);
  for (const [key, { object, application }] of wanted) {
    const found = live.get(key);
    if (found === undefined)
      throw new BrokenInvariant('live equals desired', `${key} of ${application} is not on ${cluster}`);
    const owner = found.metadata.labels?.[labels.application];
    if (owner !== application)
      throw new BrokenInvariant(
        'live equals desired',
        `${key} on ${cluster} is of ${owner}, not of ${application}`,
      );
    const field = differingField(object, found);
    if (field !== undefined)
      throw new BrokenInvariant('live equals desired', `${key} on ${cluster} differs in ${field}`);
  }
  for (const key of live.keys()) {
    if (!wanted.has(key) && !world.isLeftBehind(cluster, key))
      throw new BrokenInvariant(
        'live equals desired',
        `${key} on ${cluster} is desired by nobody, and still there`,
      );
  }
  await assertPointers(world, cluster);
  await assertChecks(world, cluster, new Set([...wanted.values()].map(({ application }) => application)));
}

/** Every application of the head has a pointer that follows, and every other one a tombstone. */
async function assertPointers(world: SimulatedWorld, cluster: string): Promise<void> {
  const applications = new Set([...world.wantedOn(cluster).values()].map(({ application }) => application));
  for await (const key of world.store.list(keys.desiredOfCluster(cluster))) {
    const { target, state, pin } = desiredPointerSchema.parse(JSON.parse(await textOf(world, key)));
    if (pin !== undefined) throw new BrokenInvariant('every rollback ends', `${key} is pinned by ${pin.by}`);
    const isWanted = applications.delete(target.application);
    if (isWanted !== (state === 'present'))
      throw new BrokenInvariant('every pointer is its head', `${key} is ${state}`);
  }
  const [missing] = applications;
  if (missing !== undefined)
    throw new BrokenInvariant('every pointer is its head', `${missing} has no pointer for ${cluster}`);
}

async function assertChecks(
  world: SimulatedWorld,
  cluster: string,
  present: ReadonlySet<string>,
): Promise<void> {
  const { targets } = clusterCheckSchema.parse(JSON.parse(await textOf(world, keys.check(cluster))));
  for (const [application, { sync, reason }] of Object.entries(targets)) {
    if (present.has(application) && sync !== 'Synced')
      throw new BrokenInvariant(
        'every target is Synced',
        `${application} on ${cluster} is ${sync}: ${reason}`,
      );
  }
  const [missing] = [...present].filter((application) => targets[application] === undefined);
  if (missing !== undefined)
    throw new BrokenInvariant('every target is checked', `${missing} on ${cluster} was never checked`);
}

async function assertRecords(world: SimulatedWorld): Promise<void> {
  const [open] = world.watch.openRecords;
  if (open !== undefined) throw new BrokenInvariant('every drift is closed', `${open} is still open`);
  for await (const key of world.store.list(prefixes.openDrift))
    throw new BrokenInvariant('every drift is closed', `${key} is still there`);
  for await (const key of world.store.list(prefixes.leases)) {
    const until = Number(/"expiresAt":(\d+)/.exec(await textOf(world, key))?.[1]);
    if (until > world.timeline.now) throw new BrokenInvariant('no lease is for ever', `${key} is still held`);
  }
  for (const queue of Object.values(world.queues)) {
    if (queue.length > 0)
      throw new BrokenInvariant('queues run empty', `${queue.settings.name} has ${queue.length} messages`);
  }
}

async function textOf(world: SimulatedWorld, key: string): Promise<string> {
  const stored = await world.store.get(key);
  if (stored === undefined) throw new BrokenInvariant('every record is there', `${key} is missing`);
  return stored.text;
}

/** A field of ours that is not as desired; what others added does not count. */
function differingField(wanted: KubeObject, live: LiveObject): string | undefined {
  for (const [name, value] of Object.entries(wanted)) {
    if (name === 'metadata') continue;
    if (!covers(live[name], value)) return name;
  }
  return undefined;
}

function covers(live: Json | undefined, wanted: Json): boolean {
  if (!isJsonObject(wanted)) return jsonEqual(live, wanted);
  const members: JsonObject = isJsonObject(live) ? live : {};
  return Object.entries(wanted).every(([name, value]) => covers(members[name], value));
}
