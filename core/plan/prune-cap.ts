import type { StackConfig } from '../contract/config.ts';
import { syncCommand } from '../model/sync-command.ts';

/** Rule 6: a run that would prune more than both parts of the cap stops and asks. Gives the question, or nothing. */
export function pruneRefusal(
  count: number,
  cap: {
    readonly entries: Readonly<Record<string, unknown>>;
    readonly pruneCap: StackConfig['pruneCap'];
    readonly confirmPrune?: number | undefined;
    readonly application: string;
    readonly repository: string;
  },
): string | undefined {
  const { percent, objects } = cap.pruneCap;
  const total = Object.keys(cap.entries).length;
  const isAbove = count > objects && count * 100 > total * percent;
  if (!isAbove || count <= (cap.confirmPrune ?? 0)) return undefined;
  return (
    `would prune ${count} of ${total} objects, more than ${percent} % and more than ${objects}; nothing was changed. ` +
    `If that is meant, confirm it with ${syncCommand(cap, { confirmPrune: count })}; if not, put the objects back into Git`
  );
}
