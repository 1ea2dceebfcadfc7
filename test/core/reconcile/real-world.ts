import { ConfiguredClusters } from '../../../adapters/clusters.ts';
import { SystemClock } from '../../../adapters/system-clock.ts';
import type { RunRecord } from '../../../core/model/run.ts';
import type { Clusters } from '../../../core/ports.ts';
import { ReconcileWorld } from './reconcile-world.ts';

/** The machine's clock, which a test may put forward so that nobody waits. */
export class HastyClock extends SystemClock {
  #ahead = 0;
  override now(): number {
    return super.now() + this.#ahead;
  }
  advance(milliseconds: number): void {
    this.#ahead += milliseconds;
  }
}

/** Real adapters to clusters by their kubeconfigs, as if these lay in Secrets Manager. */
export function clustersOf(kubeconfigs: Readonly<Record<string, string>>, clock: SystemClock): Clusters {
  const configs = Object.keys(kubeconfigs).map((name) => {
    return { name, labels: {}, access: { type: 'kubeconfig' as const, secret: name } };
  });
  const secrets = { get: async (name: string) => ({ current: kubeconfigs[name] ?? '' }) };
  return new ConfiguredClusters(configs, secrets, clock);
}

/** An application on a real cluster: its namespace, and cluster-scoped names that no other test uses. */
export function realWorld(
  kubeconfig: string,
  application: string,
  namespace: string,
): ReconcileWorld<HastyClock> {
  const clock = new HastyClock();
  const target = { cluster: 'east', application };
  return new ReconcileWorld(clock, clustersOf({ east: kubeconfig }, clock), { namespace, target });
}

/** Looks again as the queue would ask, with the clock put forward, until health has settled; gives how often. */
export async function settleHealth(world: ReconcileWorld<HastyClock>, record: RunRecord): Promise<string> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const { health } = await world.inventory();
    if (health?.status !== 'Progressing' && health?.status !== 'Unknown') break;
    await world.clock.sleep(100);
    world.clock.advance(5_000);
    await world.run('health');
  }
  const { health } = await world.inventory();
  return `${health?.status ?? 'none'} ${health?.message ?? ''} of run ${record.id}`;
}
