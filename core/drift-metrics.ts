import { canaryApplication } from './contract/canary.ts';
import { prefixes } from './contract/keys.ts';
import type { ClusterConfig } from './contract/config.ts';
import { metrics } from './contract/metrics.ts';
import { readDocument } from './documents.ts';
import { Stop } from './errors.ts';
import { openDriftSchema, type OpenDrift } from './model/drift.ts';
import { millisecondsOf } from './model/time.ts';
import type { Clock, MetricDatum, Metrics, Store } from './ports.ts';
import { totalsOf, type Episode } from './record.ts';

/** The clusters of the installation. */
export interface ConfiguredClusters {
  readonly clusters: readonly Pick<ClusterConfig, 'name'>[];
}

/**
 * Sends DriftedObjects, OldestDriftSeconds and ForeignFields of the cluster and of the fleet while there is drift,
 * and once as 0 when `closed` says that the last may just have ended. Reads the indexes of drifting targets only. Of a
 * cluster that is configured no more nobody closes an episode: it would hold the alarm of the fleet for ever. An index
 * that cannot be read counts for nothing, and its key is in the answer: the figures of all other targets still stand.
 */
export async function sendDriftMetrics(
  deps: {
    readonly store: Store;
    readonly metrics: Metrics;
    readonly clock: Clock;
    readonly config: ConfiguredClusters;
  },
  cluster: string,
  { closed }: { readonly closed: boolean },
): Promise<readonly string[]> {
  const own: Episode[] = [];
  const all: Episode[] = [];
  const unreadable: string[] = [];
  const configured = new Set(deps.config.clusters.map(({ name }) => name));
  for await (const key of deps.store.list(prefixes.openDrift)) {
    const index = await readIndex(deps.store, key);
    if (index === 'unreadable') unreadable.push(key);
    if (index === undefined || index === 'unreadable') continue;
    // Its drift is made on purpose, and has a metric of its own.
    if (index.target.application === canaryApplication) continue;
    const episodes = Object.values(index.episodes);
    if (configured.has(index.target.cluster)) all.push(...episodes);
    if (index.target.cluster === cluster) own.push(...episodes);
  }
  if (own.length === 0 && !closed) return unreadable;
  const now = deps.clock.now();
  await deps.metrics.put([
    ...driftData(own, now).map((datum) => ({ ...datum, cluster })),
    ...driftData(all, now),
    ...loopData(all),
  ]);
  return unreadable;
}

/** Of one target: a document that a person must restore says nothing of the others. */
async function readIndex(store: Store, key: string): Promise<OpenDrift | 'unreadable' | undefined> {
  try {
    return (await readDocument(store, key, openDriftSchema))?.value;
  } catch (error) {
    if (error instanceof Stop) return 'unreadable';
    throw error;
  }
}

/** Of the fleet alone, and only while there are any: rare enough to cost nothing, and its alarm takes silence for OK. */
function loopData(episodes: readonly Episode[]): MetricDatum[] {
  const { loops } = totalsOf(episodes);
  return loops === 0 ? [] : [{ name: metrics.healLoops, value: loops, unit: 'Count' }];
}

function driftData(episodes: readonly Episode[], now: number): MetricDatum[] {
  const { objects, foreignFields, oldest } = totalsOf(episodes);
  const age = oldest === undefined ? 0 : Math.max(0, (now - millisecondsOf(oldest)) / 1000);
  return [
    { name: metrics.driftedObjects, value: objects, unit: 'Count' },
    { name: metrics.oldestDrift, value: age, unit: 'Seconds' },
    { name: metrics.foreignFields, value: foreignFields, unit: 'Count' },
  ];
}
