import { git } from './git-command.ts';

export const absentSha = '0'.repeat(40);

/** One ref that a push created, moved or deleted; `absentSha` stands for not being there. */
export interface RefChange {
  ref: string;
  before: string;
  after: string;
}

export type Refs = ReadonlyMap<string, string>;

/** All refs of a repository with the object each names (for an annotated tag the tag itself). */
export async function readRefs(repository: string): Promise<Refs> {
  const lines = await git(repository, ['for-each-ref', '--format=%(objectname) %(refname)']);
  const pairs = lines.split('\n').filter((line) => line !== '');
  return new Map(pairs.map((line) => [line.slice(41), line.slice(0, 40)]));
}

/** What differs, branches and tags alike, in the order of the refs' names. */
export function refChanges(before: Refs, after: Refs): readonly RefChange[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .toSorted()
    .map((ref) => ({ ref, before: before.get(ref) ?? absentSha, after: after.get(ref) ?? absentSha }))
    .filter((change) => change.before !== change.after);
}
