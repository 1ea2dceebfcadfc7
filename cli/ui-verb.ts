import { InvalidArgumentError, type Command } from 'commander';
import type { ApiDeps } from '../core/api/deps.ts';
import { everywhere, type Person } from '../core/api/person.ts';
import { stackName } from '../core/contract/environment.ts';
import type { LiveClusters } from '../core/live-ports.ts';
import type { ExitCode } from './cli-error.ts';
import { isLocal, stackOption, type Common } from './options.ts';

type UiVerbOptions = Common & { readonly port: number };

/** The dashboard on this machine. */
export function addUi(
  verb: (name: string, description: string) => Command,
  done: (code: ExitCode) => void,
): void {
  verb(
    'ui',
    'serve the dashboard on this machine, until Ctrl-C; with --kubeconfig or --context also what is on its clusters now',
  )
    .addOption(stackOption())
    .option('--port <number>', 'port on 127.0.0.1; default: any free one', portOf, 0)
    .action(async (options: UiVerbOptions) => {
      const [{ startUi }, { interruption }] = await Promise.all([
        import('./ui.ts'),
        import('./interruption.ts'),
      ]);
      // Here a kubeconfig says nothing of where the records are.
      const { kubeconfig: _, context: __, ...where } = options;
      const { deps, person } = isLocal(where) ? await ofStore(options) : await ofStack(options);
      const live = await liveOf(options, deps);
      const { url, stop } = await startUi({ ...deps, ...(live && { live }) }, person, options);
      process.stdout.write(`${url}\n`);
      process.stderr.write('Whoever has this address may do what you may. Ctrl-C ends it.\n');
      await untilAborted(interruption());
      await stop();
      done(0);
    });
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw new InvalidArgumentError('It is a number below 65536.');
}

interface Opened {
  readonly deps: ApiDeps;
  readonly person: Person;
}

/** With the rights that the person's own credentials have. */
async function ofStack(options: UiVerbOptions): Promise<Opened> {
  const stack = options.stack ?? stackName('default');
  const [{ openOutputs, openSession, s3Client }, { stackConfigAt }, { EventBridgeBus }, common] =
    await Promise.all([
      import('./session.ts'),
      import('../adapters/stack-config.ts'),
      import('../adapters/eventbridge-bus.ts'),
      import('../core/view/fleet-book.ts'),
    ]);
  const [session, output] = await Promise.all([openSession(stack), openOutputs(stack)]);
  const { store, clock, ids, queues } = session;
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
async function ofStore(options: UiVerbOptions): Promise<Opened> {
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

/** Clusters that contexts of a kubeconfig lead to, where one was asked for: with the rights of the person at the terminal. */
async function liveOf(options: UiVerbOptions, deps: ApiDeps): Promise<LiveClusters | undefined> {
  const { kubeconfig, context } = options;
  if (kubeconfig === undefined && context === undefined) return undefined;
  const [{ KubeconfigClusters }, { kubeconfigs }, { readFleet }, { placeOf }] = await Promise.all([
    import('../adapters/kubeconfig-clusters.ts'),
    import('./local-session.ts'),
    import('../core/fleet.ts'),
    import('../core/contract/cluster-access.ts'),
  ]);
  const { clusters } = await readFleet(deps);
  const aliases = new Map(
    clusters.map(({ name, access }) => [
      name,
      access.type === 'eks' ? [access.arn ?? '', placeOf(access).name] : [],
    ]),
  );
  const files = kubeconfigs(options);
  const known = { files, context, aliases: (cluster: string) => aliases.get(cluster) ?? [] };
  return KubeconfigClusters.open(known, deps.clock);
}

async function version(): Promise<string> {
  const { default: told } = await import('../package.json', { with: { type: 'json' } });
  return told.version;
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  // A signal alone does not keep the process.
  const alive = setInterval(() => undefined, 60_000);
  await new Promise<void>((ended) => {
    if (signal.aborted) ended();
    signal.addEventListener('abort', () => {
      ended();
    });
  });
  clearInterval(alive);
}
