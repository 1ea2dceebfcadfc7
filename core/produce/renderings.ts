import { faultsOf, Stop, type Retry } from '../errors.ts';
import { digestOf } from '../model/digest.ts';
import type {
  OtherInputs,
  RecordedRender,
  RenderInputs,
  RenderRecord,
  TreeInputs,
} from '../model/render-record.ts';
import type { FollowedChart } from '../model/helm.ts';
import type { StackConfig } from '../contract/config.ts';
import type { ChartIndex, Charts, Renderers, Sealer, Store, Worktree } from '../ports.ts';
import type { AskedFacts, Bases } from '../render/context.ts';
import { render, type Rendered } from '../render/render.ts';
import { FactsBook } from '../facts-book.ts';
import type { Project } from '../contract/projects.ts';
import { membershipOf, objectsOutside } from '../project.ts';
import type { SourcedApplication } from '../source.ts';
import { AskedQuestions, readerOf } from './asked-questions.ts';
import { CommitTree } from './commit-tree.ts';
import type { Examined, Produced } from './plan-pointers.ts';
import { RecordedWorktree } from './recorded-worktree.ts';
import { FloatingCharts, followedIn } from './floating-charts.ts';
import type { OtherSources } from './other-sources.ts';
import { ChartsAway, RecordedCharts } from './recorded-charts.ts';
import { RecordedFacts } from './recorded-facts.ts';
import { inputsDigest, type InputValues } from './render-inputs.ts';
import { storeSnapshot } from './store-snapshot.ts';

/** What rendering and storing a snapshot asks of the world. */
export interface RenderDeps {
  readonly store: Store;
  readonly renderers: Renderers;
  readonly charts: Charts & ChartIndex;
  readonly bases: Bases;
  readonly sealer: Sealer;
  readonly config: StackConfig;
  /** Digest of this program. */
  readonly build: string;
  /** Of a preview environment: what its objects go through before they are held against its project and stored. */
  readonly confine?: (rendered: Rendered) => Rendered;
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
  readonly #floating: FloatingCharts;
  readonly #recorded = new Map<string, RecordedRender[]>();
  /** What was asked of which cluster, for renders that failed too. */
  readonly asked: AskedQuestions;

  constructor(
    worktree: Worktree,
    { before, others }: { readonly before: RenderRecord['renders']; readonly others: OtherSources },
    deps: RenderDeps,
  ) {
    this.#worktree = worktree;
    this.#others = others;
    this.#before = before;
    this.#floating = new FloatingCharts(deps.charts, before);
    this.#deps = deps;
    this.#tree = new CommitTree(worktree.ids);
    this.#facts = new FactsBook(deps, worktree.commit.repository);
    this.asked = new AskedQuestions(this.#facts);
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

  /** Charts that are followed by a range, with the versions that were looked at; as they were before while some are away. */
  get charts(): readonly FollowedChart[] {
    return this.later === undefined ? this.#floating.lookedAt(this.recorded) : followedIn(this.recorded);
  }

  /** Fetches, in one request, what is likely to be read for the applications that cannot be taken over. */
  async prepare(applications: readonly SourcedApplication[]): Promise<void> {
    const wanted = new Map<string, Set<string>>();
    const want = (repository: string, paths: readonly string[]): void => {
      wanted.set(repository, new Set([...(wanted.get(repository) ?? []), ...paths]));
    };
    // A folder of which only the names counted was listed, and its contents may be another application's.
    const wantInputs = (repository: string, { contents, files }: TreeInputs): void =>
      want(repository, [...contents, ...files]);
    for (const sourced of applications) {
      const [cluster] = sourced.clusters;
      if (await this.#isReusable(sourced, cluster)) continue;
      want(this.#folderOf(sourced), [sourced.application.spec.source.path]);
      for (const { inputs, others = {} } of this.#beforeOf(sourced)) {
        wantInputs(this.#name, inputs.own);
        for (const [name, other] of Object.entries(others)) wantInputs(name, other.inputs);
      }
    }
    for (const [repository, paths] of wanted) await this.#prepareIn(repository, [...paths]);
  }

  async #prepareIn(repository: string, paths: readonly string[]): Promise<void> {
    if (repository === this.#name) return this.#worktree.prepare(paths);
    try {
      await (await this.#others.open(repository)).worktree.prepare(paths);
    } catch (error) {
      // Told with each application that reads there.
      if (faultsOf(error) === undefined) throw error;
    }
  }

  /** The repository that these Applications stand in. */
  get #name(): string {
    return this.#worktree.commit.repository;
  }

  /** The repository that the folder of an application is in. */
  #folderOf({ application }: SourcedApplication): string {
    return application.spec.source.repository ?? this.#name;
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
    // Wished for on all clusters at once, whatever the first one gives.
    if (typeof sourced.application.spec.source.helm?.lookup === 'object') {
      for (const cluster of sourced.clusters) {
        await this.asked.note(sourced.application, cluster, { facts: ['lookups'] });
      }
    }
    try {
      const clusters = sourced.clusters.length === 0 ? [undefined] : sourced.clusters;
      for (const cluster of clusters) {
        const one = await this.#examineOn(sourced, cluster);
        this.#keep(sourced, one);
        if (cluster !== undefined) produced.set(cluster, one);
      }
      return { ...sourced, kind: 'rendered', produced };
    } catch (error) {
      const faults = faultsOf(error);
      if (faults === undefined) throw error;
      if (error instanceof ChartsAway) this.later ??= error.later;
      // Not remembered: what failed is tried again with every commit, since time may have mended it. What was good stays.
      const before = this.#beforeOf(sourced);
      this.#recorded.set(nameOf(sourced), [...before]);
      await this.#floating.noteTried(before.flatMap(({ charts = [] }) => charts));
      return { ...sourced, kind: 'failed', faults };
    }
  }

  async #examineOn(
    sourced: SourcedApplication,
    cluster: string | undefined,
  ): Promise<Produced & Partial<RecordedRender>> {
    const { application } = sourced;
    const reusable = await this.#reusable(sourced, cluster);
    if (reusable !== undefined) {
      const { facts } = reusable.inputs;
      await this.asked.note(application, cluster, {
        facts,
        made: await this.#made(sourced, cluster, reusable),
      });
      return reusable;
    }
    const facts = new RecordedFacts(this.#facts.of(cluster, readerOf(application)));
    try {
      const rendered = await this.#render(sourced, cluster, facts);
      const made = await this.#made(sourced, cluster, rendered);
      await this.asked.note(application, cluster, { facts: facts.asked, made });
      if (facts.asked.includes('lookups')) await assertSettled(facts, made);
      return rendered;
    } catch (error) {
      await this.asked.note(application, cluster, { facts: facts.asked });
      throw error;
    }
  }

  /** Of all that a render is made from, but for what the cluster says; of a version range, all of the commit. */
  async #made(
    sourced: SourcedApplication,
    cluster: string | undefined,
    { inputs, others = {} }: Partial<RecordedRender>,
  ): Promise<string> {
    if (inputs === undefined) return this.#worktree.commit.sha;
    const values = this.#values(sourced, cluster);
    const own = await inputsDigest(sourced.application, { ...inputs, facts: [] }, values);
    const elsewhere = Object.entries(others).map(([name, { digest }]) => [name, digest]);
    return elsewhere.length === 0 ? own : digestOf([own, elsewhere]);
  }

  /** A render with these very inputs, of an earlier commit or of another cluster. */
  async #reusable(
    sourced: SourcedApplication,
    cluster: string | undefined,
  ): Promise<RecordedRender | undefined> {
    const candidates = [...(this.#recorded.get(nameOf(sourced)) ?? []), ...this.#beforeOf(sourced)];
    const values = this.#values(sourced, cluster);
    for (const candidate of candidates) {
      // Asked before anything is fetched: what is fetched is never older than what is noted as tried.
      if (!(await this.#floating.hold(candidate.charts ?? []))) continue;
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
    facts: RecordedFacts,
  ): Promise<Produced & Partial<RecordedRender>> {
    const { metadata, spec } = sourced.application;
    const own = new RecordedWorktree(this.#worktree);
    const charts = new RecordedCharts(this.#deps.charts);
    const folder = this.#folderOf(sourced);
    const others = await this.#openOthers([
      folder,
      ...(spec.sources ?? []).map(({ repository }) => repository),
    ]);
    const references = new Map<string, RecordedWorktree>();
    for (const { ref, repository } of spec.sources ?? []) references.set(ref, others.get(repository) ?? own);
    const sources = [...others].map(([repository, { commit }]) => ({ repository, sha: commit.sha }));
    const { confine = (all: Rendered) => all } = this.#deps;
    const made = await render(spec.source, {
      worktree: others.get(folder) ?? own,
      bases: this.#deps.bases,
      renderers: this.#deps.renderers,
      charts,
      facts,
      applicationName: metadata.name,
      namespace: spec.namespace,
      references,
    });
    const rendered = confine(made);
    const { commit } = own;
    const rules = this.#rulesOf(sourced);
    const outside =
      rules === undefined
        ? []
        : objectsOutside(rules, rendered.objects, { namespace: spec.namespace, ...rendered });
    const [first] = outside;
    if (first !== undefined) throw new Stop(first, outside);
    const origin = { name: metadata.name, namespace: spec.namespace, commit, sources };
    const snapshot = await storeSnapshot(origin, rendered, this.#deps);
    this.made += 1;
    const produced = { snapshot, objects: rendered.objects.length };
    const read = await own.inputs(this.#tree);
    const othersRead = await this.#othersRead(others);
    if (read === undefined || othersRead === undefined) return produced;
    const inputs: RenderInputs = { own: read, facts: [...facts.asked] };
    const digest = await inputsDigest(sourced.application, inputs, this.#values(sourced, cluster));
    const { followed } = charts;
    const more = {
      ...(sources.length > 0 && { others: othersRead }),
      ...(followed.length > 0 && { charts: followed }),
    };
    return { inputs, digest, ...more, ...produced };
  }

  /** Each repository but our own, at the head of what it tracks. */
  async #openOthers(names: readonly string[]): Promise<ReadonlyMap<string, RecordedWorktree>> {
    const opened = new Map<string, RecordedWorktree>();
    for (const name of new Set(names)) {
      if (name === this.#name) continue;
      opened.set(name, new RecordedWorktree((await this.#others.open(name)).worktree));
    }
    return opened;
  }

  /** What was read of other repositories; undefined when that cannot be told. */
  async #othersRead(
    others: ReadonlyMap<string, RecordedWorktree>,
  ): Promise<Record<string, OtherInputs> | undefined> {
    const read: [string, OtherInputs][] = [];
    for (const [repository, recorded] of others) {
      const { tree, worktree } = await this.#others.open(repository);
      const inputs = await recorded.inputs(tree);
      if (inputs === undefined) return undefined;
      const { sha } = worktree.commit;
      read.push([repository, { inputs, digest: digestOf(tree.valuesOf(inputs)), sha }]);
    }
    return Object.fromEntries(read);
  }

  #values(sourced: SourcedApplication, cluster: string | undefined): InputValues {
    const facts = this.#facts.of(cluster, readerOf(sourced.application));
    const project = this.#rulesOf(sourced);
    return { tree: this.#tree, facts, program: this.#program, ...(project && { project }) };
  }

  /** Undefined where no project bounds it. Whether it may be in its project at all was asked when it was read. */
  #rulesOf({ application }: SourcedApplication): Project | undefined {
    const membership = membershipOf(application.spec.project, this.#name, this.#deps.config);
    return membership.kind === 'member' ? membership.rules : undefined;
  }

  #beforeOf(sourced: SourcedApplication): readonly RecordedRender[] {
    const name = nameOf(sourced);
    return Object.hasOwn(this.#before, name) ? (this.#before[name] ?? []) : [];
  }

  #keep(sourced: SourcedApplication, one: Produced & Partial<RecordedRender>): void {
    const { inputs, digest, others, charts, snapshot, objects } = one;
    if (inputs === undefined || digest === undefined) return;
    const name = nameOf(sourced);
    const kept = this.#recorded.get(name) ?? [];
    if (kept.some((each) => each.digest === digest)) return;
    const recorded = {
      inputs,
      digest,
      ...(others && { others }),
      ...(charts && { charts }),
      snapshot,
      objects,
    };
    this.#recorded.set(name, [...kept, recorded]);
  }
}

/** Throws Stop for a chart that finds its own objects changed after each of its renders. */
async function assertSettled(facts: AskedFacts, made: string): Promise<void> {
  if ((await facts.lookups())?.isHeld(made) !== true) return;
  const message =
    'finds objects of its own by lookup, and with each render they changed, which changed the next: it was stopped; ' +
    'mend the chart, or declare less under helm.lookup';
  throw new Stop({ subject: 'chart', message });
}

function nameOf({ application }: SourcedApplication): string {
  return application.metadata.name;
}
