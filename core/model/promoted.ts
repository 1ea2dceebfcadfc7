import * as z from 'zod';

const commitOfEnvironmentSchema = z.object({
  sha: z.string(),
  at: z.string().describe('ISO 8601'),
  committed: z.string().exactOptional().describe('when Git says that it was made; absent: not known'),
  by: z.string().describe('an IAM identity, or `trueup` where the gates were all that it took'),
  reason: z.string().exactOptional(),
});
export type PromotedCommit = z.infer<typeof commitOfEnvironmentSchema>;

/** What was promoted to an environment: the pointer that it follows, and how that came. */
export const promotedSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  environment: z.string(),
  commit: commitOfEnvironmentSchema.exactOptional().describe('absent: nothing was promoted yet'),
  /** Newest first. What was replaced once comes back by a person only. */
  before: z.array(commitOfEnvironmentSchema),
  /** Newest first: what the environment before has had, promoted or not, and when it was first known to. */
  seen: z.array(z.object({ sha: z.string(), at: z.string() })).default([]),
  /** Newest first: consent of people to one commit each. */
  approvals: z.array(commitOfEnvironmentSchema),
  /** By pull request: what its branch holds. */
  proposal: z
    .object({
      sha: z.string().describe('the commit that is proposed'),
      base: z.string().describe('on top of which one it was made'),
      content: z.string().describe('digest of what it changes'),
      head: z.string().describe('our commit on the branch'),
      id: z.string(),
      url: z.string(),
      told: z.string().exactOptional().describe('what its status says'),
    })
    .exactOptional(),
  matches: z
    .string()
    .exactOptional()
    .describe('by pull request: the newest commit that has nothing which is not here'),
  waiting: z
    .object({ sha: z.string().exactOptional(), why: z.string(), at: z.string() })
    .exactOptional()
    .describe('what is not promoted yet, and since when for this reason'),
});
export type Promoted = z.infer<typeof promotedSchema>;
export type PromotionProposal = NonNullable<Promoted['proposal']>;

const keptCommits = 100;
const keptApprovals = 20;
const keptSeen = 200;

/** Nothing of it was ever promoted, and nobody said anything. */
export function nothingPromoted(environment: string): Promoted {
  return { version: 1, seq: 0, environment, before: [], seen: [], approvals: [] };
}

/** The same with another commit to follow. */
export function withCommit(current: Promoted, commit: PromotedCommit): Promoted {
  const { waiting: _, ...promoted } = current;
  const replaced = promoted.commit === undefined ? [] : [promoted.commit];
  const before = [...replaced, ...promoted.before].slice(0, keptCommits);
  return { ...promoted, seq: promoted.seq + 1, commit, before };
}

/** Whether the environment before may have had commits that `seen` does not tell of any more. */
export function isForgetful({ seen }: Pick<Promoted, 'seen'>): boolean {
  return seen.length >= keptSeen;
}

/** A commit that the environment before has, and since when: ISO 8601. */
export type SeenCommit = Promoted['seen'][number];

/** The same where nothing of it is news. Of a commit that comes again counts when it came first: messages are late and out of order. */
export function withSeen(promoted: Promoted, commits: readonly SeenCommit[]): Promoted {
  const first = new Map(promoted.seen.map(({ sha, at }) => [sha, at]));
  for (const { sha, at } of commits) {
    const known = first.get(sha);
    if (known === undefined || at < known) first.set(sha, at);
  }
  const all = [...first].map(([sha, at]) => ({ sha, at })).toSorted((a, b) => (a.at < b.at ? 1 : -1));
  const seen = all.slice(0, keptSeen);
  const isNews = seen.some(({ sha, at }) => !promoted.seen.some((one) => one.sha === sha && one.at === at));
  return isNews ? { ...promoted, seq: promoted.seq + 1, seen } : promoted;
}

export function withApproval(promoted: Promoted, approval: PromotedCommit): Promoted {
  const others = promoted.approvals.filter(({ sha, by }) => sha !== approval.sha || by !== approval.by);
  return {
    ...promoted,
    seq: promoted.seq + 1,
    approvals: [approval, ...others].slice(0, keptApprovals),
  };
}
