import { SystemClock } from '../adapters/system-clock.ts';
import { liveFacts } from '../core/live-facts.ts';
import type { Application } from '../core/model/application.ts';
import type { Identity } from '../core/ports.ts';
import { settingsOf } from '../core/produce/pointers.ts';
import { noFacts, type AskedFacts } from '../core/render/context.ts';
import { kubeconfigs, type LocalOptions, type LocalSession } from './local-session.ts';

/** A rendering by hand may ask a cluster for so long. */
const longestMs = 60_000;

/** What a chart may ask of the cluster that a session works on, read when it asks. */
export function sessionFacts(
  { ports, cluster }: Pick<LocalSession, 'ports' | 'cluster'>,
  as: Identity | undefined,
): AskedFacts {
  const connect = async (impersonate?: Identity) =>
    ports.clusters.connect(cluster, () => ports.deadline, { impersonate });
  return liveFacts(connect, as);
}

/** Of the cluster that the options name; where they name none, nothing is asked. */
export async function optionalFacts(
  options: LocalOptions,
  application: Application | undefined,
): Promise<AskedFacts> {
  if (options.kubeconfig === undefined && options.context === undefined) return noFacts;
  const [{ readLocalKubeconfig }, { LocalClusters }] = await Promise.all([
    import('../adapters/local-kubeconfig.ts'),
    import('../adapters/local-clusters.ts'),
  ]);
  const context = await readLocalKubeconfig({ files: kubeconfigs(options), context: options.context });
  const clock = new SystemClock();
  const clusters = new LocalClusters(context, clock);
  const until = clock.now() + longestMs;
  const connect = async (impersonate?: Identity) =>
    clusters.connect(context.cluster, () => until, { impersonate });
  return liveFacts(connect, application && settingsOf(application).impersonate);
}
