import type { RepositoryConfig } from '../contract/config.ts';
import { faultsOf, Retry } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import { jsonEqual } from '../model/json.ts';
import type { RenderRecord } from '../model/render-record.ts';
import type { Git } from '../ports.ts';
import { readSource } from '../source.ts';
import { dependencyCycles } from './dependency-cycles.ts';
import { KustomizeBases } from './kustomize-bases.ts';
import { noteAsked } from './note-asked.ts';
import { OtherSources } from './other-sources.ts';
import type { Examination } from './plan-pointers.ts';
import { readRenders, writeRenders } from './render-memory.ts';
import { Renderings, type RenderDeps } from './renderings.ts';

/** What looking at a commit asks of the world. */
export interface ExamineDeps extends Omit<RenderDeps, 'bases'> {
  readonly git: Git;
  /** Whether the function is about to end: what is made by then is kept, and TimeOver is thrown. Default: never. */
  readonly isOver?: () => boolean;
}

/** There was no time for all renders of a commit; those that were made are kept, and the next try goes on from there. */
export class TimeOver extends Retry {}

/** kustomize is a process of its own: more at a time than cores only costs memory. */
const rendersAtATime = 2;

/** A first look at thousands of applications may outlast the function: the next attempt goes on from here. */
const savedAfter = 100;

/**
 * Looks at one commit: reads its Applications, renders those of which an input changed and stores their snapshots.
 * `anew`: applications that are rendered though nothing changed. Undefined when the host no longer has the commit. Faults of the input are part of the answer; only what may pass later
 * is thrown (Retry).
 */
export async function examine(
  repository: RepositoryConfig,
  sha: string,
  deps: ExamineDeps,
  anew: readonly string[] = [],
): Promise<Examination | undefined> {
  try {
    await using worktree = await deps.git.checkout(repository, sha);
    if (worktree === undefined) return undefined;
    const record = await readRenders(repository, deps.store);
    const source = await readSource(worktree, repository.applications, deps.config, record.files);
    const cycles = await dependencyCycles(source.applications, deps.store);
    await using bases = new KustomizeBases(deps.config.sources.bases, deps.git);
    await using others = new OtherSources(repository.name, deps);
    const before = { before: withoutThose(record.renders, anew), others };
    const renderings = new Renderings(worktree, before, { ...deps, bases });
    const sound = source.applications.filter(({ application }) => !cycles.has(application.metadata.name));
    await renderings.prepare(sound);
    let saved = 0;
    let left = 0;
    const save = async (): Promise<void> => {
      saved = renderings.made;
      const renders = { ...record.renders, ...renderings.recorded };
      await writeRenders(repository, { ...record, files: source.files, renders }, deps.store);
    };
    const applications = await inBatches(source.applications, rendersAtATime, async (one) => {
      // Others are still at work: what they make is kept, too.
      if (deps.isOver?.() === true) {
        left += 1;
        return { ...one, kind: 'failed' as const, faults: [] };
      }
      const faults = cycles.get(one.application.metadata.name);
      if (faults !== undefined) return { ...one, kind: 'failed' as const, faults };
      const examined = await renderings.examine(one);
      if (renderings.made - saved >= savedAfter) await save();
      return examined;
    });
    if (left > 0) {
      await save();
      throw timeOver(repository, left);
    }
    const asked = await noteAsked(repository, renderings.asked, { before: record.asked, ...deps });
    const next: RenderRecord = { version: 1, files: source.files, renders: renderings.recorded, asked };
    if (!jsonEqual(next, record)) await writeRenders(repository, next, deps.store);
    const { later, charts } = renderings;
    const examined = { sha, commit: worktree.commit, applications, faults: source.faults, charts };
    return later === undefined ? examined : { ...examined, later };
  } catch (error) {
    const faults = faultsOf(error);
    if (faults === undefined) throw error;
    return {
      sha,
      commit: undefined,
      applications: [],
      faults: faults.map((fault) => ({ ...fault, file: '' })),
    };
  }
}

function timeOver({ name }: RepositoryConfig, left: number): TimeOver {
  const message = `there was no time for ${left} of its applications; the next try goes on from there`;
  return new TimeOver({ subject: `repository ${name}`, message });
}

function withoutThose(renders: RenderRecord['renders'], anew: readonly string[]): RenderRecord['renders'] {
  return anew.length === 0
    ? renders
    : Object.fromEntries(Object.entries(renders).filter(([name]) => !anew.includes(name)));
}
