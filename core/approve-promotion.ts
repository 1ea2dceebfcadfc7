import type { StackConfig } from './contract/config.ts';
import { keys } from './contract/keys.ts';
import { isPromotedByPointer } from './contract/tracked-ref.ts';
import { updateDocument } from './documents.ts';
import { Stop } from './errors.ts';
import {
  nothingPromoted,
  promotedSchema,
  withApproval,
  withCommit,
  type Promoted,
  type PromotedCommit,
} from './model/promoted.ts';
import { isoTime } from './model/time.ts';
import type { Bus, Clock, Store } from './ports.ts';
import { isEnvironment, readBefore, type Environment } from './promote-environments.ts';
import { readPromoted } from './promoted-book.ts';

interface ApproveDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
  readonly bus: Bus;
  readonly config: Pick<StackConfig, 'repositories'>;
}

/** `commit`: a SHA or how one begins; default: the one that the environment before has. */
interface ApprovalWish extends Pick<PromotedCommit, 'by' | 'reason'> {
  readonly commit?: string | undefined;
}

/** `approved`: it goes when the other gates are open. `returned`: the environment follows it again from now on. */
interface Approved {
  readonly kind: 'approved' | 'returned';
  readonly commit: PromotedCommit;
}

/**
 * A person's word on an environment: consent to the commit that the environment before has, which lifts no other gate; or
 * back to one that was promoted there before, at once. No other commit is taken, so that nothing skips an environment.
 * Throws Stop where it is none of these.
 */
export async function approvePromotion(
  deps: ApproveDeps,
  name: string,
  { commit: wanted, ...wish }: ApprovalWish,
): Promise<Approved> {
  const subject = `environment ${name}`;
  const environment = environmentNamed(name, deps.config);
  const own = await readPromoted(deps.store, name);
  const { name: from, state, promoted, isPromotedTo } = await readBefore(environment, deps);
  // What the one before is about to follow is not what it has shown to be good.
  const next = isPromotedTo && promoted?.commit?.sha !== state?.head.sha ? undefined : state?.head.sha;
  const sha = wanted === undefined ? next : chosen(wanted, [...(next ? [next] : []), ...shas(own.before)]);
  if (sha === undefined) {
    const before = own.before.length === 0 ? '' : `, or one that was promoted to ${name} before`;
    const message = `can get the commit that ${from} has now (${next?.slice(0, 7) ?? 'none yet'})${before}`;
    throw new Stop({ subject, message });
  }
  if (own.commit?.sha === sha) throw new Stop({ subject, message: `has ${sha.slice(0, 7)} already` });
  const commit = { sha, at: isoTime(deps.clock.now()), ...wish };
  const isNext = sha === next;
  await updateDocument(deps.store, keys.promoted(name), promotedSchema, (current = nothingPromoted(name)) =>
    isNext ? withApproval(current, commit) : withCommit(current, asBefore(commit, current)),
  );
  const detail = { version: 1 as const, environment: name, ...commit };
  const event = isNext
    ? { type: 'PromotionApproved' as const, detail }
    : { type: 'Promoted' as const, detail: { ...detail, from, returned: true } };
  await deps.bus.publish([event]);
  return { kind: isNext ? 'approved' : 'returned', commit };
}

/** What it was promoted as once tells when it was made. */
function asBefore(commit: PromotedCommit, { before }: Promoted): PromotedCommit {
  const committed = before.find(({ sha }) => sha === commit.sha)?.committed;
  return { ...commit, ...(committed !== undefined && { committed }) };
}

function environmentNamed(name: string, { repositories }: ApproveDeps['config']): Environment {
  const environments = repositories.filter(isEnvironment).filter(isPromotedByPointer);
  const found = environments.find((one) => one.name === name);
  if (found !== undefined) return found;
  const known = environments.map((one) => one.name).join(', ') || 'none';
  const message = `is none that commits are promoted to by pointer; known: ${known}`;
  throw new Stop({ subject: `environment ${name}`, message });
}

function shas(commits: readonly PromotedCommit[]): readonly string[] {
  return commits.map(({ sha }) => sha);
}

function chosen(wanted: string, among: readonly string[]): string | undefined {
  const found = new Set(wanted.length < 7 ? [] : among.filter((sha) => sha.startsWith(wanted)));
  return found.size === 1 ? [...found][0] : undefined;
}
