import { faultsOf, type Retry } from '../errors.ts';
import { digestOf } from '../model/digest.ts';
import type { OtherInputs, RecordedRender, RenderRecord, RenderInputs } from '../model/render-record.ts';
import type { StackConfig } from '../contract/config.ts';
import type { Charts, Renderers, Sealer, Store, Worktree } from '../ports.ts';
import type { Bases } from '../render/context.ts';
import { render } from '../render/render.ts';
import type { SourcedApplication } from '../source.ts';
import { FactsBook, RecordedFacts } from './cluster-facts.ts';
import { CommitTree } from './commit-tree.ts';
import type { Examined, Produced } from './plan-pointers.ts';
import { RecordedWorktree } from './recorded-worktree.ts';
import type { OtherSources } from './other-sources.ts';
import { ChartsAway, RecordedCharts } from './recorded-charts.ts';
import { inputsDigest, type InputValues } from './render-inputs.ts';
import { storeSnapshot } from './store-snapshot.ts';

/** What rendering and storing a snapshot asks of the world. */
export interface RenderDeps {
  readonly store: Store;
  readonly renderers: Renderers;
  readonly charts: Charts;
  readonly bases: Bases;
  readonly sealer: Sealer;
  readonly config: StackConfig;
  /** Digest of this program. */
  readonly build: string;
}

/** The renders of one commit: those that can be taken from an earlier one, and those that must be made. */
export class Renderings {
  /** Why the same commit may give more later: a chart repository that did not answer. */
  later: Retry | undefined;
  readonly #worktree: Worktree;
  readonly #before: RenderRecord['renders'];
  readonly #others: OtherSources;
  readonly #deps: RenderDeps;
  readonly #tree: CommitTree;
  readonly #facts: FactsBook;
  readonly #program: string;
  readonly #recorded = new Map<string, RecordedRender[]>();

  constructor(
    worktree: Worktree,
    { before, others }: { readonly before: RenderRecord['renders']; readonly others: OtherSources },
    deps: RenderDeps,
  ) {
    this.#worktree = worktree;
    this.#others = others;
    this.#before = before;
    this.#deps = deps;
    this.#tree = new CommitTree(worktree.ids);
    this.#facts = new FactsBook(deps.store, deps.config);
    const { renderers, build, config } = deps;
    // Of equal ids the contents differ by whether LFS and submodules are followed.
    const trees = config.repositories.map(({ name, lfs, submodules = false }) => [
      name,
      lfs !== undefined,
      submodules,
    ]);
    this.#program = digestOf({ ...renderers.versions, build, sources: config.sources, trees });
  }

  /** How many renders were made and not taken over. */
  made = 0;

  /** Every render that this commit stands for and that a later one may take over. */
  get recorded(): RenderRecord['renders'] {
    return Object.fromEntries([...this.#recorded].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Fetches, in one request, what is likely to be read for the applications that cannot be taken over. */
  async prepare(applications: readonly SourcedApplication[]): Promise<void> {
    const paths = new Set<string>();
    for (const sourced of applications) {
      const [cluster] = sourced.clusters;
      if (await this.#isReusable(sourced, cluster)) continue;
      paths.add(sourced.application.spec.source.path);
      for (const { inputs } of this.#beforeOf(sourced)) {
        // A folder of which only the names counted was listed, and its contents may be another application's.
        for (const path of [...inputs.own.contents, ...inputs.own.files]) paths.add(path);
      }
    }
    await this.#worktree.prepare([...paths]);
  }

  /** As far as that can be told now: what is wrong with another repository is told with its application. */
  async #isReusable(sourced: SourcedApplication, cluster: string | undefined): Promise<boolean> {
    try {
      return (await this.#reusable(sourced, cluster)) !== undefined;
    } catch (error) {
      if (faultsOf(error) === undefined) throw error;
      return false;
    }
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
      if (error instanceof ChartsAway) this.later ??= error.later;
      // Not remembered: what failed is tried again with every commit, since time may have mended it. What was good stays.
      this.#recorded.set(nameOf(sourced), [...this.#beforeOf(sourced)]);
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
      if (digest !== candidate.digest) continue;
      const others = await this.#unchanged(candidate.others ?? {});
      if (others !== undefined) return candidate.others === undefined ? candidate : { ...candidate, others };
    }
    return undefined;
  }

  /** The same as of the heads of other repositories now; undefined when anything that was read there has changed. */
  async #unchanged(
    before: Readonly<Record<string, OtherInputs>>,
  ): Promise<Record<string, OtherInputs> | undefined> {
    const now: [string, OtherInputs][] = [];
    for (const [name, one] of Object.entries(before)) {
      const sha = await this.#others.head(name);
      if (sha !== one.sha) {
        const { tree } = await this.#others.open(name);
        if (digestOf(tree.valuesOf(one.inputs)) !== one.digest) return undefined;
      }
      now.push([name, { ...one, sha }]);
    }
    return Object.fromEntries(now);
  }

  async #render(
    sourced: SourcedApplication,
    cluster: string | undefined,
  ): Promise<Produced & Partial<RecordedRender>> {
    const { metadata, spec } = sourced.application;
    const worktree = new RecordedWorktree(this.#worktree);
    const facts = new RecordedFacts(this.#facts.of(cluster));
    const charts = new RecordedCharts(this.#deps.charts);
    const references = new Map<string, RecordedWorktree>();
    const sources: { repository: string; sha: string }[] = [];
    for (const { ref, repository } of spec.sources ?? []) {
      const other = await this.#others.open(repository);
      references.set(ref, new RecordedWorktree(other.worktree));
      sources.push({ repository, sha: other.worktree.commit.sha });
    }
    const rendered = await render(spec.source, {
      worktree,
      renderers: this.#deps.renderers,
      charts,
      facts,
      applicationName: metadata.name,
      namespace: spec.namespace,
      references,
    });
    const { commit } = worktree;
    const origin = { name: metadata.name, namespace: spec.namespace, commit, sources };
    const snapshot = await storeSnapshot(origin, rendered, this.#deps);
    this.made += 1;
    const produced = { snapshot, objects: rendered.objects.length };
    const own = await worktree.inputs(this.#tree);
    const others = await this.#othersRead(sourced, references);
    // What a range of versions resolves to, no tree tells.
    if (own === undefined || others === undefined || charts.isFloating) return produced;
    const inputs: RenderInputs = { own, facts: [...facts.asked] };
    const digest = await inputsDigest(sourced.application, inputs, this.#values(cluster));
    return { inputs, digest, ...(sources.length > 0 && { others }), ...produced };
  }

  /** What was read of other repositories; undefined when that cannot be told. */
  async #othersRead(
    { application }: SourcedApplication,
    references: ReadonlyMap<string, RecordedWorktree>,
  ): Promise<Record<string, OtherInputs> | undefined> {
    const read: [string, OtherInputs][] = [];
    for (const { ref, repository } of application.spec.sources ?? []) {
      const { tree, worktree } = await this.#others.open(repository);
      const inputs = await references.get(ref)?.inputs(tree);
      if (inputs === undefined) return undefined;
      const { sha } = worktree.commit;
      read.push([repository, { inputs, digest: digestOf(tree.valuesOf(inputs)), sha }]);
    }
    return Object.fromEntries(read);
  }

  #values(cluster: string | undefined): InputValues {
    return { tree: this.#tree, facts: this.#facts.of(cluster), program: this.#program };
  }

  #beforeOf(sourced: SourcedApplication): readonly RecordedRender[] {
    const name = nameOf(sourced);
    return Object.hasOwn(this.#before, name) ? (this.#before[name] ?? []) : [];
  }

  #keep(sourced: SourcedApplication, one: Produced & Partial<RecordedRender>): void {
    const { inputs, digest, others, snapshot, objects } = one;
    if (inputs === undefined || digest === undefined) return;
    const name = nameOf(sourced);
    const kept = this.#recorded.get(name) ?? [];
    if (kept.some((each) => each.digest === digest)) return;
    const recorded = { inputs, digest, ...(others && { others }), snapshot, objects };
    this.#recorded.set(name, [...kept, recorded]);
  }
}

function nameOf({ application }: SourcedApplication): string {
  return application.metadata.name;
}
