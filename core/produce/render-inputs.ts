import type { Project } from '../contract/projects.ts';
import { valueOfFact } from '../facts-book.ts';
import type { Application } from '../model/application.ts';
import { digestOf } from '../model/digest.ts';
import type { RenderInputs } from '../model/render-record.ts';
import type { AskedFacts } from '../render/context.ts';
import type { CommitTree } from './commit-tree.ts';

/** What the same inputs are worth: at this commit, for this cluster, by the tools that render now. */
export interface InputValues {
  readonly tree: CommitTree;
  readonly facts: AskedFacts;
  /** Digest of all that renders, and of what it may fetch: what is allowed no more must fail, not stay. */
  readonly program: string;
  /** What the project of the application allows: rendered objects are held against it. Absent where nothing bounds it. */
  readonly project?: Project;
}

/**
 * A digest over everything that a render depends on, but for other repositories. Equal ones are renders with equal results: what an Application says
 * beside its source and namespace does not count, and neither does a file that the render did not read.
 */
export async function inputsDigest(
  { metadata, spec }: Application,
  inputs: RenderInputs,
  { tree, facts, program, project }: InputValues,
): Promise<string> {
  const answers: (string | null)[] = [];
  for (const question of inputs.facts) answers.push(await valueOfFact(question, facts));
  return digestOf({
    name: metadata.name,
    namespace: spec.namespace,
    source: spec.source,
    sources: spec.sources ?? [],
    own: tree.valuesOf(inputs.own),
    facts: answers,
    program,
    ...(project && { project }),
  });
}
