import { cancelRun } from '../core/cancel-run.ts';
import { Stop } from '../core/errors.ts';
import type { Cancellation } from '../core/model/suspension.ts';
import { targetKey } from '../core/model/target.ts';
import type { RecordsSession } from './local-session.ts';
import type { Report } from './report.ts';
import { selectTargets, type Selection } from './targets.ts';

/** Asks what is under way on the targets of an application to stop. Throws Stop where nothing is, on any of them. */
export async function cancel(
  session: RecordsSession,
  selection: Selection & { readonly app: string },
): Promise<Report> {
  const by = await session.whoAmI();
  const cancelled: Cancellation[] = [];
  const idle: Stop[] = [];
  for (const target of await selectTargets(session.store, selection)) {
    try {
      cancelled.push(await cancelRun(session, target, by));
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      idle.push(error);
    }
  }
  const [first] = idle;
  if (cancelled.length === 0 && first !== undefined) throw first;
  const goesOn =
    'stops before its next step; what was done stays, and the rest waits for `trueup sync` or a commit';
  return {
    data: cancelled,
    text: cancelled.map(({ target }) => `${targetKey(target)}: ${goesOn}`).join('\n'),
    names: cancelled.map(({ target }) => targetKey(target)),
  };
}
