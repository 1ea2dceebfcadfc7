import { faultsOf } from '../errors.ts';
import type { RecordedRender, RenderRecord, RenderInputs } from '../model/render-record.ts';
import type { StackConfig } from '../contract/config.ts';
import type { Charts, Renderers, Sealer, Store, Worktree } from '../ports.ts';
import { render } from '../render/render.ts';
import type { SourcedApplication } from '../source.ts';
import { FactsBook, RecordedFacts } from './cluster-facts.ts';
import { CommitTree } from './commit-tree.ts';
import type { Examined, Produced } from './plan-pointers.ts';
import { RecordedWorktree } from './recorded-worktree.ts';
import { RecordedCharts } from './recorded-charts.ts';
import { inputsDigest, type InputValues } from './render-inputs.ts';
import { storeSnapshot } from './store-snapshot.ts';

/** What rendering and storing a snapshot asks of the world. */
export interface RenderDeps {
  readonly store: Store;
  readonly renderers: Renderers;
  readonly charts: Charts;
  readonly sealer: Sealer;
  readonly config: StackConfig;
}

/** The renders of one commit: those that can be taken from an earlier one, and those that must be made. */
export class Renderings {
  readonly #worktree: Worktree;
  readonly #before: RenderRecord['renders'];
  readonly #deps: RenderDeps;
  readonly #tree: CommitTree;
  readonly #facts: FactsBook;
  readonly #recorded = new Map<string, RecordedRender[]>();

  constructor(worktree: Worktree, before: RenderRecord['renders'], deps: RenderDeps) {
    this.#worktree = worktree;
    this.#before = before;
    this.#deps = deps;
    this.#tree = new CommitTree(worktree.ids);
    this.#facts = new FactsBook(deps.store, deps.config);
  }

  /** Every render that this commit stands for and that a later one may take over. */
  get recorded(): RenderRecord['renders'] {
    return Object.fromEntries([...this.#recorded].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Fetches, in one request, what is likely to be read for the applications that cannot be taken over. */
  async prepare(applications: readonly SourcedApplication[]): Promise<void> {
    const paths = new Set<string>();
    for (const sourced of applications) {
      const [cluster] = sourced.clusters;
      if ((await this.#reusable(sourced, cluster)) !== undefined) continue;
      paths.add(sourced.application.spec.source.path);
      for (const { inputs } of this.#beforeOf(sourced)) {
        // A folder of which only the names counted was listed, and its contents may be another application's.
        for (const path of [...inputs.own.contents, ...inputs.own.files]) paths.add(path);
      }
    }
    await this.#worktree.prepare([...paths]);
  }

  /** One application on all its clusters; on one that matches none, to tell its faults. */
  async examine(sourced: SourcedApplication): Promise<Examined> {
    const produced = new Map<string, Produced>();
    try {
      const clusters = sourced.clusters.length === 0 ? [undefined] : sourced.clusters;
      for (const cluster of clusters) {
        const one = (await this.#reusable(sourced, cluster)) ?? (await this.#render(sourced, cluster));
        this.#keep(sourced, one);
        if (cluster !== undefined) produced.set(cluster, one);
      }
      return { ...sourced, kind: 'rendered', produced };
    } catch (error) {
      const faults = faultsOf(error);
      if (faults === undefined) throw error;
      // Not remembered: what failed is tried again with every commit, since time may have mended it.
      return { ...sourced, kind: 'failed', faults };
    }
  }

  /** A render with these very inputs, of an earlier commit or of another cluster. */
  async #reusable(
    sourced: SourcedApplication,
    cluster: string | undefined,
  ): Promise<RecordedRender | undefined> {
    const candidates = [...(this.#recorded.get(nameOf(sourced)) ?? []), ...this.#beforeOf(sourced)];
    const values = this.#values(cluster);
    for (const candidate of candidates) {
      const digest = await inputsDigest(sourced.application, candidate.inputs, values);
      if (digest === candidate.digest) return candidate;
    }
    return undefined;
  }

  async #render(
    sourced: SourcedApplication,
    cluster: string | undefined,
  ): Promise<Produced & Partial<RecordedRender>> {
    const { metadata, spec } = sourced.application;
    const worktree = new RecordedWorktree(this.#worktree);
    const facts = new RecordedFacts(this.#facts.of(cluster));
    const charts = new RecordedCharts(this.#deps.charts);
    const rendered = await render(spec.source, {
      worktree,
      renderers: this.#deps.renderers,
      charts,
      facts,
      applicationName: metadata.name,
      namespace: spec.namespace,
      references: new Map(),
    });
    const wanted = { name: metadata.name, namespace: spec.namespace, commit: worktree.commit };
    const snapshot = await storeSnapshot(wanted, rendered, this.#deps);
    const objects = rendered.objects.length;
    const own = worktree.inputs(this.#tree);
    // What a range of versions resolves to, no tree tells.
    if (own === undefined || charts.isFloating) return { snapshot, objects };
    const inputs: RenderInputs = { own, facts: [...facts.asked] };
    const digest = await inputsDigest(sourced.application, inputs, this.#values(cluster));
    return { inputs, digest, snapshot, objects };
  }

  #values(cluster: string | undefined): InputValues {
    return {
      tree: this.#tree,
      other: async () => undefined,
      facts: this.#facts.of(cluster),
      versions: this.#deps.renderers.versions,
    };
  }

  #beforeOf(sourced: SourcedApplication): readonly RecordedRender[] {
    const name = nameOf(sourced);
    return Object.hasOwn(this.#before, name) ? (this.#before[name] ?? []) : [];
  }

  #keep(
    sourced: SourcedApplication,
    { inputs, digest, snapshot, objects }: Produced & Partial<RecordedRender>,
  ): void {
    if (inputs === undefined || digest === undefined) return;
    const name = nameOf(sourced);
    const kept = this.#recorded.get(name) ?? [];
    if (kept.some((one) => one.digest === digest)) return;
    this.#recorded.set(name, [...kept, { inputs, digest, snapshot, objects }]);
  }
}

function nameOf({ application }: SourcedApplication): string {
  return application.metadata.name;
}
