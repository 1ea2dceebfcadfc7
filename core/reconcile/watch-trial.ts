import { faultsOf, messageOf } from '../errors.ts';
import { keys } from '../contract/keys.ts';
import { readDocument, updateDocument } from '../documents.ts';
import { worstHealth } from '../health.ts';
import { readHolds, whyHeld } from '../holds.ts';
import type { DesiredPointer } from '../model/desired.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import type { RunRecord, RunRequest } from '../model/run.ts';
import type { Target } from '../model/target.ts';
import { isoTime } from '../model/time.ts';
import { confirmSeconds, judgeTrial, trialOf, watchSeconds, type OnTrial, type Seen } from './judge-trial.ts';
import { readHealth } from './read-health.ts';
import type { ReconcileDeps, RunContext } from './run-context.ts';
import { readPointer } from './standing.ts';
import { Waiting } from './waiting.ts';

type Looked = { readonly kind: 'rested' | 'looked'; readonly why: string };

/** Who asks for looks that go on for as long as the window lasts; anybody else's are single ones. */
const chain = 'trial';
const reserveMs = 10_000;
/** By then the run has written down how it ended. */
const soonSeconds = 5;

/**
 * Looks whether a new revision has turned out bad, and says so on the bus: who applies may not write pointers. Holds no
 * lease, and writes nothing to the cluster. Everything may be asked twice.
 */
export async function watchTrial(request: RunRequest, deps: ReconcileDeps): Promise<Looked> {
  const { target } = request;
  const [pointer, inventory, holds] = await Promise.all([
    readPointer(deps.store, target),
    readInventory(deps, target),
    readHolds(deps, target.cluster),
  ]);
  const unsaid = pointer && rolledBackUnsaid(pointer);
  if (pointer !== undefined && unsaid !== undefined) {
    await tell(deps, pointer, unsaid);
    return { kind: 'looked', why: 'rolled back: what follows is asked for once more' };
  }
  const standing = trialOf(pointer, inventory, deps.clock.now());
  if (standing.kind === 'over') return { kind: 'rested', why: standing.why };
  if (pointer === undefined || inventory === undefined) return { kind: 'rested', why: 'nothing was begun' };
  const { trial } = standing;
  const seen = await look(deps, { pointer, inventory }, trial);
  const now = deps.clock.now();
  const verdict = judgeTrial(trial, seen, now);
  if (verdict.kind === 'open') {
    await note(deps, target, trial, verdict.degradedSince, seen);
    await lookAgain(request, trial, deps, verdict.again);
    return { kind: 'looked', why: seen.trouble ?? `revision ${pointer.revision} is on trial` };
  }
  // Looked at until the window is over: what is held now may be free by then, and events get lost.
  await lookAgain(request, trial, deps);
  const held = whyHeld('push', pointer, holds, now);
  if (held !== undefined) return { kind: 'looked', why: `not rolled back, ${held}: ${verdict.why}` };
  await tell(deps, pointer, { revision: pointer.revision, reason: verdict.why });
  return { kind: 'looked', why: `to be rolled back: ${verdict.why}` };
}

/** Whoever rolled back died before saying so. */
function rolledBackUnsaid({
  pin,
}: DesiredPointer): { readonly revision: number; readonly reason: string } | undefined {
  if (pin?.rejects === undefined || pin.rejects.told === true) return undefined;
  return { revision: pin.rejects.revision, reason: pin.reason };
}

async function tell(
  { bus, clock }: ReconcileDeps,
  { target, trace }: DesiredPointer,
  failed: { readonly revision: number; readonly reason: string },
): Promise<void> {
  const at = isoTime(clock.now());
  const detail = { version: 1 as const, at, target, ...failed, ...(trace && { trace }) };
  await bus.publish([{ type: 'RevisionFailed', detail }]);
}

async function readInventory({ store }: ReconcileDeps, target: Target): Promise<Inventory | undefined> {
  return (await readDocument(store, keys.inventory(target), inventorySchema))?.value;
}

type Sight = Seen & { readonly trouble?: string };

/** While a revision is under way its own waves look at health; what cannot be read is nobody's fault (rule 5). */
async function look(
  deps: ReconcileDeps,
  { pointer, inventory }: { readonly pointer: DesiredPointer; readonly inventory: Inventory },
  { alarms: names, isApplied, failure }: OnTrial,
): Promise<Sight> {
  if (failure !== undefined) return { alarms: new Map() };
  const trouble: string[] = [];
  const orNothing = async <T>(what: string, ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask();
    } catch (error) {
      if (faultsOf(error) === undefined) throw error;
      trouble.push(`${what} cannot be read: ${messageOf(error)}`);
      return undefined;
    }
  };
  const { cluster: name } = pointer.target;
  const [health, alarms] = await Promise.all([
    isApplied
      ? orNothing('health', async () => {
          const cluster = await deps.clusters.connect(name, () => deps.deadline - reserveMs);
          const { health: checks } = pointer.settings;
          return worstHealth(await readHealth(cluster, inventory, deps.clock, { checks }));
        })
      : undefined,
    names.length === 0 ? undefined : orNothing('alarms', async () => deps.alarms?.read(names)),
  ]);
  const told = trouble.length === 0 ? {} : { trouble: trouble.join('; ') };
  return { ...(health && { health }), alarms: alarms ?? new Map(), ...told };
}

/** Written only where it says something new. */
async function note(
  { store }: ReconcileDeps,
  target: Target,
  { trial: { revision } }: OnTrial,
  degradedSince: string | undefined,
  { health }: Sight,
): Promise<void> {
  const isHealthy = health?.status === 'Healthy';
  await updateDocument(store, keys.inventory(target), inventorySchema, (current) => {
    const { trial, applied } = current ?? {};
    if (current === undefined || trial?.revision !== revision) return undefined;
    const isNews = isHealthy && applied?.revision === revision && applied.healthy !== true;
    if (trial.degradedSince === degradedSince && !isNews) return undefined;
    const { degradedSince: _, ...rest } = trial;
    return {
      ...current,
      seq: current.seq + 1,
      trial: { ...rest, ...(degradedSince !== undefined && { degradedSince }) },
      ...(isNews && { applied: { ...applied, healthy: true as const } }),
    };
  });
}

/** A look that finds it Degraded for the first time is followed by one that makes sure, whoever asked for it. */
async function lookAgain(
  request: RunRequest,
  { until, windowSeconds, isApplied }: OnTrial,
  { queues, clock }: ReconcileDeps,
  again?: number,
): Promise<void> {
  const isChain = request.requestedBy === chain && isApplied;
  const left = Math.floor((until - clock.now()) / 1000);
  const seconds = Math.min(again ?? watchSeconds(windowSeconds), left);
  if (seconds > 0 && (isChain || again !== undefined)) await queues.runLater(request, seconds);
}

/**
 * Asks, at the end of a run, for looks at the revision that it worked on: for all of its window once it is applied, for one
 * where it failed or waits half-way. What a lost message leaves unseen the sweep asks for.
 */
export async function askForWatch(
  { deps, goal, request }: RunContext,
  { outcome }: RunRecord,
  { error, untouched, isRetried }: Ended,
): Promise<void> {
  const onFailure = goal.settings.rollback?.onFailure;
  if (onFailure === undefined || !goal.rollout || goal.pointer.pin !== undefined) return;
  const ask = async (requestedBy: string, seconds: number): Promise<void> =>
    deps.queues.runLater({ version: 1, target: request.target, reason: 'watch', requestedBy }, seconds);
  if (outcome?.kind === 'applied')
    return ask(chain, Math.min(confirmSeconds, watchSeconds(onFailure.windowSeconds)));
  if (untouched === true) return;
  const isHalfWay = error instanceof Waiting && error.on === 'order' && onFailure.alarms.length > 0;
  if (isHalfWay || (outcome?.kind === 'failed' && !isRetried)) await ask('run', soonSeconds);
}

interface Ended {
  readonly error?: unknown;
  readonly untouched?: true;
  /** The same revision is tried again by itself. */
  readonly isRetried: boolean;
}
