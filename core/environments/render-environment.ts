import type { RepositoryConfig } from '../contract/repository.ts';
import { faultsOf, Stop, type Fault, type Retry } from '../errors.ts';
import type { Application } from '../model/application.ts';
import type { Commit } from '../model/commit.ts';
import type { Worktree } from '../ports.ts';
import { KustomizeBases } from '../produce/kustomize-bases.ts';
import { OtherSources } from '../produce/other-sources.ts';
import type { Produced } from '../produce/plan-pointers.ts';
import type { ExamineDeps } from '../produce/examine.ts';
import { Renderings } from '../produce/renderings.ts';
import { readSource, type Source } from '../source.ts';
import { projectBounds } from '../source/project-bounds.ts';
import { confine } from './confine.ts';
import type { Wanted } from './decide.ts';
import { instantiate } from './instantiate.ts';
import { SameBases } from './same-bases.ts';
import { SameCharts } from './same-charts.ts';

/** One pull request, checked out, and what its Applications say. */
export interface PulledCommit {
  readonly worktree: Worktree;
  readonly source: Source;
  readonly repository: RepositoryConfig;
}

/** Snapshots of one environment by cluster, or why there are none. */
export type RenderedEnvironment =
  | {
      readonly kind: 'rendered';
      readonly application: Application;
      readonly commit: Commit;
      readonly produced: ReadonlyMap<string, Produced>;
    }
  | { readonly kind: 'failed'; readonly faults: readonly Fault[]; readonly later?: Retry | undefined };

/** What Git checks of the name of a ref: it goes into its command line. */
const refuses = /\.\.|@\{|\/\/|[\s~^:?*[\\\p{Cc}]|^[-/]|[/.]$/u;

/** Checks out the head of a pull request; undefined where the host has that commit no more. Throws as Git does. */
export async function checkOutPull(
  repository: RepositoryConfig,
  { pull }: Pick<Wanted, 'pull'>,
  deps: Pick<ExamineDeps, 'git' | 'config'>,
): Promise<PulledCommit | undefined> {
  const { branch, sha } = pull.head;
  if (refuses.test(branch)) {
    const message = 'comes from a branch whose name is none that Git takes';
    throw new Stop({ subject: `pull request ${pull.id}`, message });
  }
  const worktree = await deps.git.checkout({ ...repository, branch }, sha);
  if (worktree === undefined) return undefined;
  const source = await readSource(worktree, repository.applications, deps.config);
  return { worktree, source, repository };
}

/** Renders an environment at its pull request, confined to its namespace, and stores the snapshots. */
export async function renderEnvironment(
  { name, definition, pull }: Wanted,
  { worktree, source, repository }: PulledCommit,
  deps: ExamineDeps,
): Promise<RenderedEnvironment> {
  const { application: tracked, wish, clusters: chosen } = definition;
  try {
    const proposed = proposedIn(source, tracked.metadata.name);
    const occasion = { application: tracked.metadata.name, pull };
    const application = instantiate(
      { application: tracked, wish },
      { name, occasion, proposed: proposed.spec },
    );
    const bounds = projectBounds(application, repository.name, deps.config);
    if (bounds.faults.length > 0) return failed(name, bounds.faults);
    const confines = { from: tracked.spec.namespace, namespace: name, clusterKinds: wish.clusterKinds };
    await using bases = new KustomizeBases(deps.config.sources.bases, deps.git);
    await using others = new OtherSources(repository.name, deps);
    const from = { application: tracked, repository };
    const charts = new SameCharts(deps.charts, from, deps.store);
    const sameBases = new SameBases(bases, from, deps.git);
    const renderings = new Renderings(
      worktree,
      { before: {}, others },
      { ...deps, bases: sameBases, charts, confine: (rendered) => confine(rendered, confines) },
    );
    const clusters = chosen.filter(bounds.hasCluster);
    const place = `application ${name}`;
    const sourced = { application, clusters, file: place, place, dependsOnPlace: place };
    await renderings.prepare([sourced]);
    const examined = await renderings.examine(sourced);
    if (examined.kind === 'failed') return { ...examined, later: renderings.later };
    const commit = { ...worktree.commit, ref: `refs/heads/${pull.head.branch}` };
    return { kind: 'rendered', application, commit, produced: examined.produced };
  } catch (error) {
    const faults = faultsOf(error);
    if (faults === undefined) throw error;
    return { kind: 'failed', faults };
  }
}

function failed(
  name: string,
  faults: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): RenderedEnvironment {
  const subject = `application ${name}`;
  const told = faults.map(({ path, message }) => ({ subject, message: `${path.join('.')}: ${message}` }));
  return { kind: 'failed', faults: told };
}

/** The Application as the pull request has it. Throws Stop with why it has none. */
function proposedIn({ applications, faults }: Source, name: string): Application {
  const found = applications.find(({ application }) => application.metadata.name === name);
  if (found !== undefined) return found.application;
  const about = faults.filter(({ application }) => application === undefined || application === name);
  const none = { subject: `application ${name}`, message: 'is not in the pull request' };
  const [first = none] = about;
  throw new Stop(first, about.length === 0 ? [none] : about);
}
