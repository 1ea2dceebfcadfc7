import { promote } from '../core/promote.ts';
import { targetKey } from '../core/model/target.ts';
import type { Report } from './report.ts';
import type { Session } from './session.ts';
import { selectTargets } from './targets.ts';

export interface PromoteOptions {
  readonly app: string;
  readonly stage?: string;
  readonly reason?: string;
}

/** Lets the next stage of a rollout begin, and asks those that wait to look. */
export async function promoteStage(
  session: Session,
  { app, stage, reason }: PromoteOptions,
): Promise<Report> {
  const targets = await selectTargets(session.store, { app });
  const by = await session.whoAmI();
  const wish = { by, stage, ...(reason !== undefined && { reason }) };
  const { promotion, waiting } = await promote(session, app, targets, wish);
  for (const target of waiting) {
    await session.queues.run({ version: 1, target, reason: 'promote', requestedBy: by });
  }
  const lines = waiting.map((target) => `${targetKey(target)}: asked to look again`);
  return { data: { promotion, waiting }, text: [`promoted stage ${promotion.stage}`, ...lines].join('\n') };
}
