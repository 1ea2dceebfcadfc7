import { keys } from './contract/keys.ts';
import { updateDocument } from './documents.ts';
import { Stop } from './errors.ts';
import { inBatches } from './in-batches.ts';
import { promotionsSchema, type Promotion } from './model/rollout.ts';
import type { Target } from './model/target.ts';
import { isoTime } from './model/time.ts';
import type { Clock, Store } from './ports.ts';
import { isWaitingForStage } from './reconcile/choose-goal.ts';
import { readRolloutState } from './reconcile/read-rollout.ts';
import { readStanding, type Standing } from './reconcile/standing.ts';
import { whyStaged } from './reconcile/why-staged.ts';
import { readSuspensions } from './suspend.ts';

interface PromoteDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
}

/** `stage`: the one that is good enough; default: the one that holds the others back. */
interface PromotionWish extends Pick<Promotion, 'by' | 'reason'> {
  readonly stage?: string | undefined;
}

interface Promoted {
  readonly promotion: Promotion;
  /** Targets that wait for a stage: the caller asks each to look again. */
  readonly waiting: readonly Target[];
}

const readsAtOnce = 16;
const keptPromotions = 50;

/**
 * A person's word that a stage is good enough: the next one may begin, whatever that stage and those before it wait for,
 * until a pointer of them moves or something fails that had not failed. Alarms count all the same. Throws Stop where
 * nothing waits, or there is no such stage.
 */
export async function promote(
  deps: PromoteDeps,
  application: string,
  targets: readonly Target[],
  { stage, ...wish }: PromotionWish,
): Promise<Promoted> {
  const standings = await inBatches(targets, readsAtOnce, async (target) => readStanding(deps.store, target));
  const waiting = standings.filter(isWaiting);
  const subject = `application ${application}`;
  const [first] = await inTurn(deps, waiting);
  if (first === undefined) throw new Stop({ subject, message: 'nothing of it waits for a stage' });
  const { stages = [] } = first.pointer.settings.rollout ?? {};
  const name = stage ?? (await stageThatHolds(deps, first));
  if (!stages.some((one) => one.name === name)) {
    const known = stages.map((one) => one.name).join(', ');
    const why = name === undefined ? 'no stage holds it back (see its alarms)' : `there is no stage ${name}`;
    throw new Stop({ subject, message: `${why}; its stages are: ${known}` });
  }
  const promotion = { stage: name ?? '', ...wish, at: isoTime(deps.clock.now()) };
  await updateDocument(deps.store, keys.promotions(application), promotionsSchema, (current) => ({
    version: 1 as const,
    seq: (current?.seq ?? 0) + 1,
    application,
    promotions: [promotion, ...(current?.promotions ?? [])].slice(0, keptPromotions),
  }));
  return { promotion, waiting: waiting.map(({ pointer }) => pointer.target) };
}

type Waiting = Standing & { readonly pointer: NonNullable<Standing['pointer']> };

function isWaiting(standing: Standing): standing is Waiting {
  const { pointer, inventory } = standing;
  return pointer !== undefined && isWaitingForStage(inventory, pointer.revision);
}

/** Those that wait, in the order of their stages. */
async function inTurn({ store }: PromoteDeps, waiting: readonly Waiting[]): Promise<readonly Waiting[]> {
  const placed = await inBatches(waiting, readsAtOnce, async (one) => {
    const state = await readRolloutState(store, one.pointer);
    return { one, turn: (state?.place.stage ?? 0) * 1e6 + (state?.place.rank ?? 0) };
  });
  return placed.toSorted((a, b) => a.turn - b.turn).map(({ one }) => one);
}

async function stageThatHolds(
  deps: PromoteDeps,
  { pointer, inventory }: Waiting,
): Promise<string | undefined> {
  const holds = { suspensions: await readSuspensions(deps.store), freeze: [] };
  const goal = { pointer, settings: pointer.settings, rollout: true };
  return (await whyStaged({ reason: 'promote' }, goal, { inventory, holds }, deps))?.stage;
}
