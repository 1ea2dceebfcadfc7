import type { Effects } from '../apply.ts';
import { worstHealth } from '../health.ts';
import type { ObjectHealth } from '../model/health.ts';
import { refKey } from '../model/object.ts';
import type { ApplyStep } from '../plan.ts';
import type { PlannedWork } from './plan-work.ts';
import { readHealth } from './read-health.ts';
import { assertNewest, type Progress, type RunContext } from './run-context.ts';
import { Waiting, quickLooksMs } from './waiting.ts';

/** What is to be applied in one wave. */
interface WaveSteps {
  readonly wave: number;
  readonly steps: readonly ApplyStep[];
  /** No object of this application is in a lower wave. */
  readonly isLowest: boolean;
}

/** Waves that have something to do, or kinds that are not served yet, from the lowest. */
export function stepsByWave({ decision, waves, unserved }: PlannedWork): readonly WaveSteps[] {
  const waveOf = (key: string): number => waves.get(key) ?? 0;
  const steps = Map.groupBy(decision.apply, ({ desired }) => waveOf(desired.key));
  const busy = new Set([...steps.keys(), ...[...unserved].map(waveOf)]);
  const desired = decision.plan.actions.filter(({ action }) => action !== 'prune' && action !== 'orphan');
  const lowest = Math.min(...steps.keys(), ...desired.map(({ ref }) => waveOf(refKey(ref))));
  return [...busy]
    .sort((a, b) => a - b)
    .map((wave) => ({ wave, steps: steps.get(wave) ?? [], isLowest: wave <= lowest }));
}

/** Which waves must be in order before the run goes on; without limits: all of them. */
interface Gate {
  readonly from?: number;
  readonly below?: number;
  /** What waits, in words. */
  readonly reason: string;
}

/**
 * Returns when the objects of lower waves are Healthy, or suspended on purpose. Looks a few times within seconds; what
 * takes longer throws Waiting, naming the worst object. What is Degraded may recover, but hardly at once.
 */
export async function assertSettled(
  context: RunContext,
  work: PlannedWork,
  { cluster, clock, mayProceed }: Effects,
  { from = -Infinity, below = Infinity, reason }: Gate,
): Promise<void> {
  const { target, entries } = context.inventory.value;
  const checks = context.goal.settings.health;
  const isGated = (key: string): boolean => {
    const wave = work.waves.get(key) ?? 0;
    return from <= wave && wave < below;
  };
  const keys = work.desired.objects.flatMap(({ key }) => (isGated(key) ? [key] : []));
  if (keys.length === 0) return;
  const gated = Object.fromEntries(
    keys.flatMap((key) => {
      const entry = entries[key];
      return entry === undefined ? [] : [[key, entry] as const];
    }),
  );
  for (let look = 0; ; look += 1) {
    const unsettled = (await readHealth(cluster, { target, entries: gated }, clock, { checks })).filter(
      isUnsettled,
    );
    if (unsettled.length === 0) return;
    const pauseMs = quickLooksMs[look];
    const isBad = unsettled.some(({ status }) => status === 'Degraded');
    if (pauseMs === undefined || isBad) {
      throw new Waiting('order', `${reason} for ${worstHealth(unsettled).message}`);
    }
    await assertNewest(context);
    await mayProceed();
    await clock.sleep(pauseMs);
  }
}

function isUnsettled({ status }: ObjectHealth): boolean {
  return status !== 'Healthy' && status !== 'Suspended';
}

/** A kind that lower waves are to bring may take a moment to be served: throws Waiting while it is not. */
export function assertServed(
  wave: number,
  { unserved, waves, decision }: PlannedWork,
  { results }: Progress,
): void {
  const missing = decision.plan.actions.filter(
    ({ action, ref }) => action === 'blocked' && unserved.has(refKey(ref)) && waves.get(refKey(ref)) === wave,
  );
  const [first] = missing;
  if (first === undefined || results.some(({ failure }) => failure !== undefined)) return;
  throw new Waiting('order', `wave ${wave} waits: ${first.why}`);
}
