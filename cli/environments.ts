import { approvePromotion } from '../core/approve-promotion.ts';
import type { StackConfig } from '../core/contract/config.ts';
import { inBatches } from '../core/in-batches.ts';
import { isEnvironment, readState } from '../core/promote-environments.ts';
import { readPromoted } from '../core/promoted-book.ts';
import { CliError } from './cli-error.ts';
import { age, table, type Report } from './report.ts';
import type { Session } from './session.ts';

/** One environment; times are ISO 8601. */
interface Row {
  readonly environment: string;
  /** The environment before; absent for one that follows its branch. */
  readonly from?: string;
  /** The commit that it follows now. */
  readonly commit?: string;
  readonly at?: string;
  /** Who promoted it, or is promoted to it and not followed yet. */
  readonly promoted?: { readonly sha: string; readonly at: string; readonly by: string };
  /** What the one before has and this one does not, and why not. */
  readonly waiting?: { readonly sha?: string; readonly why: string; readonly at: string };
}

const readsAtOnce = 8;

/** Every environment: which commit it follows, who promoted that, and what waits for what. */
export async function environments(
  { store, clock }: Pick<Session, 'store' | 'clock'>,
  { repositories }: StackConfig,
): Promise<Report> {
  const named = new Set(
    repositories.flatMap(({ name, promotion }) => (promotion === undefined ? [] : [promotion.from, name])),
  );
  if (named.size === 0) throw new CliError('No repository of the installation has a `promotion`.');
  const known = repositories.filter(({ name }) => named.has(name));
  const rows = await inBatches(known, readsAtOnce, async (repository): Promise<Row> => {
    const { name } = repository;
    const head = (await readState(store, repository))?.head;
    const follows = head && { commit: head.sha, at: head.at };
    if (!isEnvironment(repository)) return { environment: name, ...follows };
    const { commit: promoted, waiting } = await readPromoted(store, name);
    const { from } = repository.promotion;
    return {
      environment: name,
      from,
      ...follows,
      ...(promoted && { promoted }),
      ...(waiting && { waiting }),
    };
  });
  const now = clock.now();
  const lines = rows.map(({ environment, from, commit, at, promoted, waiting }) => [
    environment,
    from ?? '-',
    commit?.slice(0, 7) ?? '-',
    age(at, now),
    promoted === undefined ? '-' : nameOf(promoted.by),
    waitsIn({ commit, promoted, waiting }),
  ]);
  return {
    data: { environments: rows },
    text: table(['ENVIRONMENT', 'FROM', 'COMMIT', 'AGE', 'PROMOTED BY', 'WAITS'], lines),
  };
}

function waitsIn({
  commit,
  promoted,
  waiting,
}: {
  commit: string | undefined;
  promoted: Row['promoted'];
  waiting: Row['waiting'];
}): string {
  if (waiting !== undefined)
    return `${waiting.sha === undefined ? '' : `${waiting.sha.slice(0, 7)}: `}${waiting.why}`;
  if (promoted !== undefined && promoted.sha !== commit)
    return `${promoted.sha.slice(0, 7)}: is about to be followed`;
  return '-';
}

/** An ARN is long: its last part says who. */
function nameOf(by: string): string {
  return by.split('/').at(-1) ?? by;
}

export interface PromoteEnvironmentOptions {
  readonly environment: string;
  readonly commit?: string;
  readonly reason?: string;
}

/** Consents to what waits for an environment, or takes it back to a commit that it had. */
export async function promoteEnvironment(
  session: Session,
  config: StackConfig,
  { environment, commit: wanted, reason }: PromoteEnvironmentOptions,
): Promise<Report> {
  const by = await session.whoAmI();
  const wish = { by, commit: wanted, ...(reason !== undefined && { reason }) };
  const { kind, commit } = await approvePromotion({ ...session, config }, environment, wish);
  const sha = commit.sha.slice(0, 7);
  const text =
    kind === 'approved'
      ? `approved ${sha} for ${environment}; it goes when its other gates are open: trueup environments`
      : `${environment} goes back to ${sha}; newer commits are promoted to it as before`;
  return { data: { environment, kind, commit }, text };
}
