import type { prefixes } from '../contract/keys.ts';
import { inBatches } from '../in-batches.ts';
import { targetKey, type Target } from '../model/target.ts';
import { isoTime } from '../model/time.ts';
import type { Store } from '../ports.ts';

const dayMs = 86_400_000;
/** The newest of each kind; a longer time is for Athena. */
const mostRecords = 300;
const listsAtOnce = 20;
/** Where a question is about no more targets than that, each is listed by itself. */
const fewTargets = 4;

export interface Span {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly targets: readonly Target[];
}

export interface SpanRecords {
  /** Those that are read, newest first. */
  readonly keys: readonly string[];
  /** With those that are not. */
  readonly all: readonly string[];
}

/**
 * Keys of the newest records of these days and targets: `…date=DAY/CLUSTER/APPLICATION/ID.json`, whose ids sort by time.
 * Lists no more of a day than it has to: of one cluster, or of few targets, theirs alone.
 */
export async function recordsOf(
  store: Pick<Store, 'list'>,
  prefix: (typeof prefixes)['runs'] | (typeof prefixes)['drift'],
  { from, to, targets }: Span,
): Promise<SpanRecords> {
  const names = new Set(targets.map(targetKey));
  const days = Math.floor(to / dayMs) - Math.floor(from / dayMs) + 1;
  const dates = Array.from({ length: days }, (_, day) => isoTime(to - day * dayMs).slice(0, 10));
  const places = dates.flatMap((date) =>
    foldersOf(targets).map((folder) => `${prefix}date=${date}/${folder}`),
  );
  const listed = await inBatches(places, listsAtOnce, async (place) => Array.fromAsync(store.list(place)));
  const wanted = listed
    .flat()
    .filter((key) => names.has(key.slice(prefix.length).split('/').slice(1, 3).join('/')))
    .sort((a, b) => (idOf(a) < idOf(b) ? 1 : -1));
  return { keys: wanted.slice(0, mostRecords), all: wanted };
}

function foldersOf(targets: readonly Target[]): readonly string[] {
  if (targets.length <= fewTargets) return targets.map((target) => `${targetKey(target)}/`);
  const clusters = [...new Set(targets.map(({ cluster }) => cluster))];
  return clusters.length === 1 ? clusters.map((cluster) => `${cluster}/`) : [''];
}

function idOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
