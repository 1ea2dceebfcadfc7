import { compareBuild, parse, satisfies, validRange } from 'semver';
import { kindOf } from './artifact.ts';

/** The part of a repository's configuration that says which revision is followed. */
export interface TrackedRevision {
  readonly branch?: string;
  readonly tag?: string;
  readonly semver?: string;
  readonly commit?: string;
  /** Of an artifact: `sha256:…`. */
  readonly digest?: string;
  readonly url?: string;
  readonly promotion?: { readonly by: string; readonly from: string };
}

/** A commit, and the name under which it was found: a full ref, or the commit's own SHA. */
export interface ResolvedRef {
  readonly sha: string;
  readonly ref: string;
}

const tagPrefix = 'refs/tags/';

/** What is tracked of an archive in S3: the object, in its newest version. */
export const objectRef = 'object';

/** Whether commits that another environment has proved are followed, in place of the branch. */
export function isPromotedByPointer({ promotion }: TrackedRevision): boolean {
  return promotion?.by === 'pointer';
}

/** The same repository as one that follows its branch. */
export function withoutPromotion<R extends TrackedRevision>(repository: R): Omit<R, 'promotion'> {
  const { promotion: _, ...followed } = repository;
  return followed;
}

/**
 * What is tracked, in one word for keys, events and messages: `refs/heads/main`, `refs/tags/v1`, `semver:^1.2`, a SHA or
 * digest, `object`, `promoted:staging`.
 */
export function trackedRef({
  branch = 'main',
  tag,
  semver,
  commit,
  digest,
  url = '',
  promotion,
}: TrackedRevision): string {
  if (promotion?.by === 'pointer') return `promoted:${promotion.from}`;
  const exact = commit ?? digest;
  if (exact !== undefined) return exact;
  if (kindOf(url) === 's3') return objectRef;
  if (semver !== undefined) return `semver:${semver}`;
  return tag === undefined ? `refs/heads/${branch}` : `${tagPrefix}${tag}`;
}

/** Whether a push to this ref may move what is tracked; the word of `trackedRef` itself counts as such a push. */
export function tracks(repository: TrackedRevision, ref: string): boolean {
  if (ref === trackedRef(repository)) return true;
  const { semver } = repository;
  return semver !== undefined && versionIn(semver, ref) !== undefined;
}

/**
 * The commit to follow, of the refs of the host by their full names; annotated tags stand there by the commit they
 * lead to. Undefined where there is no such ref.
 */
export function resolveTracked(
  repository: TrackedRevision,
  refs: ReadonlyMap<string, string>,
): ResolvedRef | undefined {
  const { semver, commit } = repository;
  if (commit !== undefined) return { sha: commit, ref: commit };
  const ref = semver === undefined ? trackedRef(repository) : newestIn(semver, refs.keys());
  const sha = ref === undefined ? undefined : refs.get(ref);
  return ref === undefined || sha === undefined ? undefined : { sha, ref };
}

/** Whether one tag is of a lower version than another; false where either is of none. */
export function isOlderTag(ref: string, than: string): boolean {
  const [one, two] = [ref, than].map((tag) => parse(tag.replace(tagPrefix, '')));
  return one !== null && two !== null && one !== undefined && two !== undefined && compareBuild(one, two) < 0;
}

export function isSemverRange(range: string): boolean {
  return validRange(range) !== null;
}

/** By precedence, then by build metadata; of two spellings of one version (`1.0.0`, `v1.0.0`) the one with the `v`. */
function newestIn(range: string, refs: Iterable<string>): string | undefined {
  const found = [...refs].flatMap((ref) => {
    const version = versionIn(range, ref);
    return version === undefined ? [] : [{ ref, version }];
  });
  found.sort((a, b) => compareBuild(a.version, b.version) || (a.ref < b.ref ? -1 : 1));
  return found.at(-1)?.ref;
}

/**
 * npm's rules, but for one: a range that names a prerelease takes all prereleases within it, as Flux does
 * (`>=1.0.0-0`), and not only those of the version it names.
 */
function versionIn(range: string, ref: string): string | undefined {
  if (!ref.startsWith(tagPrefix)) return undefined;
  const version = parse(ref.slice(tagPrefix.length))?.raw;
  const includePrerelease = /\d-[0-9a-z]/i.test(range.replaceAll(/\s-\s/g, ' '));
  return version !== undefined && satisfies(version, range, { includePrerelease }) ? version : undefined;
}
