import { Stop } from '../errors.ts';
import type { Application } from '../model/application.ts';
import type { Git, Worktree } from '../ports.ts';
import type { KustomizeBases } from '../produce/kustomize-bases.ts';
import type { Bases, FoundBase } from '../render/context.ts';
import { findBaseOf } from '../render/kustomize.ts';
import { kustomizationOf, kustomizeInputs } from '../render/kustomize-inputs.ts';
import { overlayDocument, overlayOf } from '../render/kustomize-overlay.ts';
import { sourceOn } from '../render/source-on.ts';
import type { Tracked } from './same-charts.ts';

/**
 * The bases of what nobody has reviewed: of the repositories that the kustomization of the tracked branch builds from, at
 * whatever commit. Others may be private, declared for other applications. Throws Stop for one of these.
 */
export class SameBases implements Bases {
  readonly #bases: KustomizeBases;
  readonly #tracked: Tracked;
  readonly #git: Pick<Git, 'head' | 'checkout'>;
  #known: Promise<ReadonlySet<string>> | undefined;

  constructor(bases: KustomizeBases, tracked: Tracked, git: Pick<Git, 'head' | 'checkout'>) {
    this.#bases = bases;
    this.#tracked = tracked;
    this.#git = git;
  }

  async find(address: string): Promise<FoundBase | undefined> {
    const url = this.#bases.repositoryOf(address);
    if (url === undefined) return undefined;
    this.#known ??= basesOf(this.#tracked, this.#git, this.#bases);
    if ((await this.#known).has(url)) return this.#bases.find(address);
    const message = `is a base that ${this.#tracked.application.metadata.name} does not have on its tracked branch; it counts once the pull request is merged`;
    throw new Stop({ subject: url, message });
  }
}

async function basesOf(
  { application, repository }: Tracked,
  git: Pick<Git, 'head' | 'checkout'>,
  bases: KustomizeBases,
): Promise<ReadonlySet<string>> {
  const head = await git.head(repository);
  await using worktree = head === undefined ? undefined : await git.checkout(repository, head);
  const known = new Set<string>();
  if (worktree === undefined) return known;
  const watched: Bases = {
    find: (address) => {
      const url = bases.repositoryOf(address);
      if (url !== undefined) known.add(url);
      return bases.find(address);
    },
  };
  for (const source of variantsOf(application)) {
    try {
      await walk(source, worktree, watched);
    } catch (error) {
      // What cannot be built there is told of there; what it named by then counts.
      if (!(error instanceof Stop)) throw error;
    }
  }
  return known;
}

async function walk(source: Source, worktree: Worktree, bases: Bases): Promise<void> {
  const folder = await worktree.realPath(source.path);
  if (kustomizationOf(folder, await worktree.files(folder)) === undefined) return;
  const overlay = overlayOf(source.kustomize ?? {});
  const start = { tree: { worktree, root: 'tree', prefix: '' }, folder };
  await kustomizeInputs(
    { ...start, overlay: overlay === undefined ? undefined : overlayDocument(overlay) },
    // A chart names no base.
    { helm: false, loadChart: unread, findBase: findBaseOf({ bases }) },
  );
}

async function unread(): Promise<never> {
  throw new Error('no chart is read where helm is off');
}

type Source = Application['spec']['source'];

/** The source as it is without overrides, and with each of them. */
function variantsOf({ spec: { source } }: Application): readonly Source[] {
  const { overrides = [], ...own } = source;
  const chosen = overrides.map((one) => sourceOn({ ...own, overrides: [one] }, { isChosenBy: () => true }));
  return [own, ...chosen];
}
