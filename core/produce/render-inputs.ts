import type { Application } from '../model/application.ts';
import { digestOf } from '../model/digest.ts';
import type { RenderInputs } from '../model/render-record.ts';
import type { AskedFacts } from '../render/context.ts';
import { valueOfFact } from './cluster-facts.ts';
import type { CommitTree } from './commit-tree.ts';

/** What the same inputs are worth: at this commit, for this cluster, by the tools that render now. */
export interface InputValues {
  readonly tree: CommitTree;
  /** Of other repositories, by name; undefined when there is no commit to look at. */
  readonly other: (repository: string) => Promise<CommitTree | undefined>;
  readonly facts: AskedFacts;
  /** Of everything that renders, trueup included. */
  readonly versions: { readonly [name: string]: string };
}

/**
 * A digest over everything that a render depends on. Equal ones are renders with equal results: what an Application says
 * beside its source and namespace does not count, and neither does a file that the render did not read.
 */
export async function inputsDigest(
  { metadata, spec }: Application,
  inputs: RenderInputs,
  { tree, other, facts, versions }: InputValues,
): Promise<string> {
  const others: string[] = [];
  for (const [name, read] of Object.entries(inputs.others ?? {})) {
    others.push(name, ...((await other(name))?.valuesOf(read) ?? ['absent']));
  }
  const answers: (string | null)[] = [];
  for (const question of inputs.facts) answers.push(await valueOfFact(question, facts));
  return digestOf({
    name: metadata.name,
    namespace: spec.namespace,
    source: spec.source,
    own: tree.valuesOf(inputs.own),
    others,
    facts: answers,
    versions,
  });
}
