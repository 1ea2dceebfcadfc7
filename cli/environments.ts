import { approvePromotion } from '../core/approve-promotion.ts';
import type { EnvironmentRow } from '../core/api/contract-installation.ts';
import type { StackConfig } from '../core/contract/config.ts';
import { environmentRows } from '../core/view/environments.ts';
import { CliError } from './cli-error.ts';
import { age, table, type Report } from './report.ts';
import type { Session } from './session.ts';

/** Every environment: which commit it follows, who promoted that, and what waits for what. */
export async function environments(
  { store, clock }: Pick<Session, 'store' | 'clock'>,
  { repositories }: StackConfig,
): Promise<Report> {
  const rows = await environmentRows(store, repositories);
  if (rows.length === 0) throw new CliError('No repository of the installation has a `promotion`.');
  const now = clock.now();
  const lines = rows.map(({ environment, from, at, ...row }) => [
    environment,
    from ?? '-',
    row.commit?.slice(0, 7) ?? '-',
    age(at, now),
    row.promoted === undefined ? '-' : nameOf(row.promoted.by),
    waitsIn(row),
  ]);
  return {
    data: { environments: rows },
    text: table(['ENVIRONMENT', 'FROM', 'COMMIT', 'AGE', 'PROMOTED BY', 'WAITS'], lines),
  };
}

function waitsIn({ waiting }: Pick<EnvironmentRow, 'waiting'>): string {
  if (waiting === undefined) return '-';
  return `${waiting.sha === undefined ? '' : `${waiting.sha.slice(0, 7)}: `}${waiting.why}`;
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
