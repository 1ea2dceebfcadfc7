import { describeFrozen, frozenBy } from '../freeze.ts';
import type { RepositoryState } from '../model/desired.ts';
import type { Freeze } from '../model/freeze.ts';
import { isForgetful, type Promoted, type PromotedCommit } from '../model/promoted.ts';
import { millisecondsOf } from '../model/time.ts';

/** The environment before, as its records have it. */
export interface EnvironmentBefore {
  readonly name: string;
  /** Undefined: it never followed a commit. */
  readonly state: RepositoryState | undefined;
  /** Of an environment that commits are promoted to: the one it is to follow. */
  readonly promoted: Promoted | undefined;
  readonly isPromotedTo: boolean;
}

/** What an environment asks for before it takes a commit, besides health and alarms. */
interface PromotionTerms {
  readonly approval?: boolean | undefined;
  readonly freeze: readonly Freeze[];
  readonly schedule?: readonly Freeze[];
}

export type Candidate =
  /** The environment has what the one before has. */
  | { readonly kind: 'same'; readonly sha: string }
  | { readonly kind: 'waits'; readonly why: string; readonly sha?: string }
  | { readonly kind: 'candidate'; readonly sha: string };

/**
 * Which commit an environment may get, by the state of the one before: the commit that is followed there now, as a whole.
 * No other is ever a candidate, so none skips an environment.
 */
export function candidateOf(
  { name, state, promoted, isPromotedTo }: EnvironmentBefore,
  own: Promoted,
): Candidate {
  const waits = (why: string, sha?: string): Candidate => ({
    kind: 'waits',
    why: `${name} ${why}`,
    ...(sha !== undefined && { sha }),
  });
  if (state === undefined || (isPromotedTo && promoted?.commit === undefined)) {
    return waits('has no commit yet');
  }
  const { sha } = state.head;
  if (isPromotedTo && promoted?.commit?.sha !== sha) {
    return waits(`is about to follow ${short(promoted?.commit?.sha ?? '')}`);
  }
  if (own.commit?.sha === sha || own.matches === sha) return { kind: 'same', sha };
  if (state.refused === true) return waits('is refused by its Git host', sha);
  if (state.moving !== undefined) return waits('is being moved to a commit', sha);
  if (state.failing) return waits(`cannot follow ${short(sha)} with all of its applications`, sha);
  if (Object.values(state.applications).every(({ clusters }) => clusters.length === 0)) {
    return waits('has nothing that could show that a commit is good', sha);
  }
  return { kind: 'candidate', sha };
}

export type Consent =
  | { readonly kind: 'given'; readonly by: string; readonly reason?: string }
  | { readonly kind: 'waits'; readonly why: string };

/** `committed`: when Git says that it was made, where that is known; ISO 8601. */
type CommitMade = Pick<PromotedCommit, 'sha' | 'committed'>;

/**
 * Whether a commit may go by itself, or because somebody said so of exactly this commit. What was replaced once (a person
 * went back from it, or a branch was moved back to it) needs that always, and so does what came before anything that was
 * promoted here, though it was skipped then.
 */
export function consentTo(
  candidate: CommitMade,
  own: Promoted,
  { approval, freeze, schedule }: PromotionTerms,
  now: number,
): Consent {
  const frozen = frozenBy({ freeze, schedule }, 'push', now);
  if (frozen !== undefined) return { kind: 'waits', why: describeFrozen(frozen) };
  const { sha } = candidate;
  const newer = newerThan(candidate, own);
  const given = approvalOf(sha, own, newer?.at);
  if (given !== undefined) {
    const { by, reason } = given;
    return { kind: 'given', by, ...(reason !== undefined && { reason }) };
  }
  const how = `\`trueup promote --environment ${own.environment}\``;
  const earlier = own.before.find((one) => one.sha === sha);
  if (earlier !== undefined) {
    return { kind: 'waits', why: `was there before, promoted ${earlier.at}: only ${how} brings it back` };
  }
  if (newer !== undefined) {
    return {
      kind: 'waits',
      why: `is older than ${short(newer.sha)}, which was promoted: only ${how} takes it back`,
    };
  }
  if (approval === true) return { kind: 'waits', why: `waits for ${how}` };
  return { kind: 'given', by: 'trueup' };
}

/**
 * The newest commit that was promoted here after this one was new, by when the environment before had each of them first. As
 * soon as some of that is forgotten, what comes as new may have been there long ago: it must be made later than all that was
 * promoted, too.
 */
function newerThan({ sha, committed }: CommitMade, own: Promoted): PromotedCommit | undefined {
  const { commit, before, seen } = own;
  const at = seen.findIndex((one) => one.sha === sha);
  const newer = new Set(seen.slice(0, Math.max(at, 0)).map((one) => one.sha));
  const isLater = (one: PromotedCommit): boolean =>
    isForgetful(own) && committed !== undefined && millisecondsOf(committed) <= madeAt(one, own);
  return [...(commit ? [commit] : []), ...before].find(
    (one) => one.sha !== sha && (newer.has(one.sha) || isLater(one)),
  );
}

/**
 * No later than it was promoted: clocks of people run fast. Of one that was promoted before that time was kept: when the
 * environment before had it, which is soon after.
 */
function madeAt({ sha, committed, at }: PromotedCommit, { seen }: Promoted): number {
  const made = committed ?? seen.find((one) => one.sha === sha)?.at ?? at;
  return Math.min(millisecondsOf(made), millisecondsOf(at));
}

/** Said after the commit was replaced or skipped, if it ever was: consent is used up by what was promoted since. */
function approvalOf(
  sha: string,
  { approvals, before }: Promoted,
  skippedAt = '',
): PromotedCommit | undefined {
  const promotedAt = before.find((one) => one.sha === sha)?.at ?? '';
  return approvals.find((one) => one.sha === sha && one.at > promotedAt && one.at > skippedAt);
}

function short(sha: string): string {
  return sha.slice(0, 7);
}
