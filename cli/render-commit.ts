import type { Rendering } from '../core/compare/comparison.ts';
import type { StackConfig } from '../core/contract/config.ts';
import { Stop, faultsOf, type Fault } from '../core/errors.ts';
import { configuredFacts } from '../core/facts-book.ts';
import type { Application } from '../core/model/application.ts';
import type { Sealer, Worktree } from '../core/ports.ts';
import { noFacts } from '../core/render/context.ts';
import { render } from '../core/render/render.ts';
import { canonicalObjects, maskObjects } from '../core/snapshot.ts';
import { parseApplication, readSource, type SourcedApplication } from '../core/source.ts';
import { readYaml } from '../core/yaml/read-yaml.ts';
import { localCharts } from './local-charts.ts';
import { localRenderers } from './local-session.ts';

export interface CommitOptions {
  readonly sealer: Sealer;
  readonly config?: StackConfig;
  /** Which of the configuration's the commit is of. */
  readonly repository?: StackConfig['repositories'][number];
}

/** Where no configuration says which clusters a selector chooses, one stands for all of them. */
const anyCluster = 'any';

interface RenderedCommit {
  readonly applications: readonly SourcedApplication[];
  /** By `CLUSTER/APPLICATION`. */
  readonly renderings: ReadonlyMap<string, Rendering>;
  readonly faults: readonly Fault[];
}

/** Every application of a commit on each of its clusters; what is wrong with Applications themselves apart. */
export async function renderCommit(worktree: Worktree, options: CommitOptions): Promise<RenderedCommit> {
  const { applications, faults } = await applicationsIn(worktree, options);
  const renderings = new Map<string, Rendering>();
  for (const { application, clusters } of applications) {
    for (const cluster of clusters) {
      const rendering = await renderOn(worktree, application, cluster, options);
      renderings.set(`${cluster}/${application.metadata.name}`, rendering);
    }
  }
  return { applications, renderings, faults };
}

async function applicationsIn(
  worktree: Worktree,
  { config, repository }: CommitOptions,
): Promise<Pick<RenderedCommit, 'applications' | 'faults'>> {
  if (config !== undefined && repository !== undefined) {
    return readSource(worktree, repository.applications, config);
  }
  const applications: SourcedApplication[] = [];
  const faults: Fault[] = [];
  const files = (await worktree.files('applications')).filter((path) => /\.(?:ya?ml|json)$/.test(path));
  if (files.length === 0) {
    const message = 'there are no Application files; name another folder in a stack configuration (--config)';
    throw new Stop({ subject: 'folder applications', message });
  }
  for (const file of files) {
    for (const document of readYaml(file, await worktree.text(file))) {
      const parsed = parseApplication(file, document);
      if ('faults' in parsed) faults.push(...parsed.faults);
      else {
        const { application } = parsed;
        const clusters = application.spec.clusters.names ?? [anyCluster];
        const [place, dependsOnPlace] = [document.place(), document.place(['spec', 'dependsOn'])];
        applications.push({ application, file, place, dependsOnPlace, clusters });
      }
    }
  }
  return { applications, faults };
}

async function renderOn(
  worktree: Worktree,
  { metadata, spec }: Application,
  cluster: string,
  { sealer, config }: CommitOptions,
): Promise<Rendering> {
  const found = config?.clusters.find(({ name }) => name === cluster);
  const known = found === undefined ? {} : configuredFacts(found, config?.variables ?? {});
  try {
    const { objects } = await render(spec.source, {
      worktree,
      renderers: localRenderers(),
      charts: localCharts(spec.source.chart),
      facts: { ...noFacts, ...known },
      applicationName: metadata.name,
      namespace: spec.namespace,
      references: new Map(),
    });
    // As they will be on the cluster, where what names no namespace gets that of its application.
    return {
      kind: 'rendered',
      objects: await maskObjects(canonicalObjects(objects), sealer),
      prune: spec.prune,
      onDelete: spec.onDelete,
    };
  } catch (error) {
    const faults = faultsOf(error);
    if (faults === undefined) throw error;
    return { kind: 'failed', faults };
  }
}
