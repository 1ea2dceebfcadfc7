import type { Rendering, Renderings } from '../compare/comparison.ts';
import { keys } from '../contract/keys.ts';
import { inBatches } from '../in-batches.ts';
import { LostSnapshot } from '../lost-snapshot.ts';
import type { DesiredPointer } from '../model/desired.ts';
import { jsonEqual } from '../model/json.ts';
import { heldOf } from '../model/pin.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Store } from '../ports.ts';
import { decodeSnapshot, maskedObjects } from '../snapshot.ts';
import type { Pointers } from './touched-targets.ts';

const readsAtOnce = 16;

/** What targets of these clusters render to, secret values masked. */
export async function renderingsOf(
  pointers: Pointers,
  store: Store,
  {
    clusters,
    broken,
    isPublic,
  }: {
    readonly clusters: ReadonlySet<string>;
    /** What could not be rendered before either is no news: it counts as it last was. */
    readonly broken: Pointers;
    /** Nothing that was made of private sources is shown. */
    readonly isPublic: boolean;
  },
): Promise<Renderings> {
  const wanted = [...pointers].filter(([, { target }]) => clusters.has(target.cluster));
  const read = new Map<string, Promise<Snapshot | undefined>>();
  const renderings = await inBatches(wanted, readsAtOnce, async ([key, pointer]) => {
    const { state, snapshot: digest, settings } = heldOf(pointer);
    if (state === 'gone') return [];
    const faults = pointer.failed?.faults;
    const isNews = faults !== undefined && !jsonEqual(faults, broken.get(key)?.failed?.faults);
    const failed = (all: DesiredPointer['failed']): readonly [string, Rendering] => [
      key,
      { kind: 'failed', faults: all?.faults ?? [] },
    ];
    if (isNews) return [failed(pointer.failed)];
    const name = keys.snapshot(pointer.target.application, digest);
    const reading = read.get(name) ?? readSnapshot(store, name, digest);
    read.set(name, reading);
    const snapshot = await reading;
    if (snapshot === undefined || (isPublic && isOfOthers(snapshot))) return [failed(undefined)];
    const { prune, onDelete } = settings;
    return [[key, { kind: 'rendered' as const, objects: maskedObjects(snapshot), prune, onDelete }] as const];
  });
  return new Map(renderings.flat());
}

/** One that is lost is compared with nothing, as one that never was. */
async function readSnapshot(store: Store, key: string, digest: string): Promise<Snapshot | undefined> {
  const stored = await store.get(key);
  if (stored === undefined) return undefined;
  try {
    return decodeSnapshot(digest, stored.text);
  } catch (error) {
    if (error instanceof LostSnapshot) return undefined;
    throw error;
  }
}

function isOfOthers({ provenance: { charts = [], sources = [], lookups = [] } }: Snapshot): boolean {
  return charts.length + sources.length + lookups.length > 0;
}
