import type { StackConfig } from './contract/config.ts';
import { describeFrozen, frozenBy, type Windows } from './freeze.ts';
import { choosesCluster } from './model/cluster-selector.ts';
import type { Settings } from './model/desired.ts';
import type { Freeze, HeldAction } from './model/freeze.ts';
import { describeSuspension, suspensionOf, type Suspensions } from './model/suspension.ts';
import type { Target } from './model/target.ts';
import type { Store } from './ports.ts';
import { readSuspensions } from './suspend.ts';

/** What keeps the targets of a cluster from being written to, besides their own settings. */
export interface Holds {
  readonly suspensions: Suspensions | undefined;
  /** Of the installation, for this cluster. */
  readonly freeze: readonly Freeze[];
}

export const noHolds: Holds = { suspensions: undefined, freeze: [] };

export interface HoldsDeps {
  readonly store: Store;
  readonly config: Pick<StackConfig, 'clusters' | 'freeze'>;
}

/** One small request. */
export async function readHolds({ store, config }: HoldsDeps, cluster: string): Promise<Holds> {
  return { suspensions: await readSuspensions(store), freeze: freezesOf(config, cluster) };
}

/** The same, read once, when it is first asked for. */
export function holdsOnDemand(deps: HoldsDeps, cluster: string): () => Promise<Holds> {
  let holds: Promise<Holds> | undefined;
  return async () => (holds ??= readHolds(deps, cluster));
}

function freezesOf({ clusters, freeze }: HoldsDeps['config'], cluster: string): readonly Freeze[] {
  const one = clusters.find(({ name }) => name === cluster) ?? { name: cluster, labels: {} };
  return freeze.filter(({ clusters: chosen }) => chosen === undefined || choosesCluster(chosen, one));
}

/** The windows of a target: its application's, and the installation's. */
export function windowsOf(
  { freeze, schedule }: Pick<Settings, 'freeze' | 'schedule'>,
  holds: Holds,
): Windows {
  return { freeze: [...holds.freeze, ...freeze], schedule };
}

/** In words, why something is not done on a target now; undefined where nothing is in the way. */
export function whyHeld(
  action: HeldAction,
  { target, settings }: { readonly target: Target; readonly settings: Settings },
  holds: Holds,
  now: number,
): string | undefined {
  const suspension = suspensionOf(holds.suspensions, target, now);
  if (suspension !== undefined) return describeSuspension(suspension);
  const frozen = frozenBy(windowsOf(settings, holds), action, now);
  return frozen && describeFrozen(frozen);
}
