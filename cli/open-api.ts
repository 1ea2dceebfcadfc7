import type { ApiDeps } from '../core/api/deps.ts';
import { everywhere, type Person } from '../core/api/person.ts';
import { stackName } from '../core/contract/environment.ts';
import type { LiveClusters } from '../core/live-ports.ts';
import { isLocal, type Common } from './options.ts';

type ApiOptions = Common & { readonly cluster?: string };

interface Opened {
  readonly deps: ApiDeps;
  readonly person: Person;
}

/**
 * What the dashboard is answered from, for whoever is at the terminal. A kubeconfig says nothing of where the records are: it
 * leads to clusters that may be looked at, besides.
 */
export async function openApi(
  options: ApiOptions,
  { live: isWanted = false }: { readonly live?: boolean } = {},
): Promise<Opened> {
  const { kubeconfig: _, context: __, ...where } = options;
  const { deps, person } = isLocal(where) ? await ofStore(options) : await ofStack(options);
  const isNamed = options.kubeconfig !== undefined || options.context !== undefined;
  const live = isNamed || isWanted ? await liveOf(options, deps) : undefined;
  return { deps: { ...deps, ...(live && { live }) }, person };
}

/** With the rights that the person's own credentials have. */
async function ofStack(options: Common): Promise<Opened> {
  const stack = options.stack ?? stackName('default');
  const [{ openOutputs, openSession, s3Client }, { stackConfigAt }, { EventBridgeBus }, common, past] =
    await Promise.all([
      import('./session.ts'),
      import('../adapters/stack-config.ts'),
      import('../adapters/eventbridge-bus.ts'),
      import('../core/view/fleet-book.ts'),
      import('../core/view/past-days.ts'),
    ]);
  const [session, output] = await Promise.all([openSession(stack), openOutputs(stack)]);
  const { clock, ids, queues } = session;
  const store = past.keepingPastDays(session.store, clock);
  const deps: ApiDeps = {
    store,
    clock,
    ids,
    queues,
    bus: new EventBridgeBus(output('bus')),
    config: await stackConfigAt(output('config'), await s3Client())(),
    book: new common.FleetBook(store),
    version: await version(),
    installed: true,
  };
  return { deps, person: everywhere(await session.whoAmI(), 'admin') };
}

/** Records of one's own: nobody is there to run what an action would ask for, so that one looks and changes nothing. */
async function ofStore(options: Common): Promise<Opened> {
  const [{ localConfig, openRecords }, { FleetBook }] = await Promise.all([
    import('./local-session.ts'),
    import('../core/view/fleet-book.ts'),
  ]);
  const { store, clock, ids, whoAmI } = await openRecords(options);
  const deps: ApiDeps = {
    store,
    clock,
    ids,
    queues: { run: async () => undefined },
    bus: { publish: async () => undefined },
    config: localConfig('local'),
    book: new FleetBook(store),
    version: await version(),
    installed: false,
  };
  return { deps, person: everywhere(await whoAmI(), 'viewer') };
}

/** Clusters that contexts of a kubeconfig lead to, with the rights of the person at the terminal. */
async function liveOf(options: ApiOptions, deps: ApiDeps): Promise<LiveClusters> {
  const { context } = options;
  const [{ KubeconfigClusters }, { kubeconfigs }, { readFleet }, { placeOf }] = await Promise.all([
    import('../adapters/kubeconfig-clusters.ts'),
    import('./local-session.ts'),
    import('../core/fleet.ts'),
    import('../core/contract/cluster-access.ts'),
  ]);
  const { clusters } = await readFleet(deps);
  const onEks = clusters.flatMap(({ name, access }) => (access.type === 'eks' ? [{ name, access }] : []));
  const aliases = new Map(
    onEks.map(({ name, access }) => {
      const bare = placeOf(access).name;
      // Of two accounts: nobody can tell which of them a context of that name is.
      const isOne = onEks.filter((other) => placeOf(other.access).name === bare).length === 1;
      return [name, [...(access.arn === undefined ? [] : [access.arn]), ...(isOne ? [bare] : [])]];
    }),
  );
  const files = kubeconfigs(options);
  // Whoever names both says that the one leads to the other.
  const meant = (cluster: string): readonly string[] =>
    context !== undefined && cluster === options.cluster ? [context] : [];
  const known = {
    files,
    context,
    aliases: (cluster: string) => [...meant(cluster), ...(aliases.get(cluster) ?? [])],
  };
  return KubeconfigClusters.open(known, deps.clock);
}

async function version(): Promise<string> {
  const { default: told } = await import('../package.json', { with: { type: 'json' } });
  return told.version;
}
