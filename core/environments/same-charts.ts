import type { RepositoryConfig } from '../contract/repository.ts';
import { keys } from '../contract/keys.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { readDocument } from '../documents.ts';
import { Stop } from '../errors.ts';
import { LostSnapshot } from '../lost-snapshot.ts';
import type { Application } from '../model/application.ts';
import { desiredPointerSchema, repositoryStateSchema } from '../model/desired.ts';
import type { ChartReference } from '../model/helm.ts';
import { heldOf } from '../model/pin.ts';
import type { ChartFiles, ChartIndex, Charts, FetchedChart, NewestChart, Store } from '../ports.ts';
import { decodeSnapshot } from '../snapshot.ts';

/** What an environment is made of. */
export interface Tracked {
  /** As the tracked branch has it. */
  readonly application: Application;
  readonly repository: RepositoryConfig;
}

/**
 * The charts of what nobody has reviewed: those that the application has on its tracked branch, in whatever version.
 * Others may be private, declared for other applications. Throws Stop for one of these.
 */
export class SameCharts implements Charts, ChartIndex {
  readonly #charts: Charts & ChartIndex;
  readonly #tracked: Tracked;
  readonly #store: Store;
  #known: Promise<ReadonlySet<string>> | undefined;

  constructor(charts: Charts & ChartIndex, tracked: Tracked, store: Store) {
    this.#charts = charts;
    this.#tracked = tracked;
    this.#store = store;
  }

  async fetch(reference: ChartReference): Promise<FetchedChart> {
    this.#known ??= chartsOf(this.#tracked, this.#store);
    const [place, name] = placeOf(reference);
    if ((await this.#known).has(spelt(place, name))) return this.#charts.fetch(reference);
    const message = `is a chart that ${this.#tracked.application.metadata.name} does not have on its tracked branch; it counts once the pull request is merged`;
    throw new Stop({ subject: name === '' ? place : `${place} ${name}`, message });
  }

  unpack(archive: Uint8Array, subject: string): Promise<ChartFiles> {
    return this.#charts.unpack(archive, subject);
  }

  newest(references: readonly ChartReference[]): Promise<readonly NewestChart[]> {
    return this.#charts.newest(references);
  }
}

/** The address of an OCI chart ends with its name. */
function placeOf(reference: ChartReference): readonly [place: string, name: string] {
  return 'oci' in reference ? [reference.oci, ''] : [reference.repository, reference.name];
}

function spelt(place: string, name: string): string {
  return place.startsWith('oci://') ? place : `${place} ${name}`;
}

/** What its Application names, and what its renders for the tracked branch fetched: dependencies, charts of kustomizations. */
async function chartsOf({ application, repository }: Tracked, store: Store): Promise<ReadonlySet<string>> {
  const { metadata, spec } = application;
  const { chart } = spec.source;
  const known = new Set(chart === undefined ? [] : [spelt(...placeOf(chart))]);
  const key = keys.repository(repository.name, trackedRef(repository));
  const state = (await readDocument(store, key, repositoryStateSchema))?.value;
  const digests = new Set<string>();
  for (const cluster of state?.applications[metadata.name]?.clusters ?? []) {
    const desired = keys.desired({ cluster, application: metadata.name });
    const pointer = (await readDocument(store, desired, desiredPointerSchema))?.value;
    if (pointer !== undefined) digests.add(heldOf(pointer).snapshot);
  }
  for (const digest of digests)
    for (const { from, name } of await chartsIn(metadata.name, digest, store)) known.add(spelt(from, name));
  return known;
}

async function chartsIn(application: string, digest: string, store: Store) {
  const stored = await store.get(keys.snapshot(application, digest));
  if (stored === undefined) return [];
  try {
    return decodeSnapshot(digest, stored.text).provenance.charts ?? [];
  } catch (error) {
    if (error instanceof LostSnapshot) return [];
    throw error;
  }
}
