import { statSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { KeyFileSealer } from '../adapters/key-file-sealer.ts';
import type { LocalPerson } from '../adapters/local-commit.ts';
import { PendingQueues } from '../adapters/pending-queues.ts';
import { ReferencedValuesOnDemand } from '../adapters/referenced-values-on-demand.ts';
import { RenderersOnDemand } from '../adapters/renderers.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import { parseStackConfig, type StackConfig } from '../core/contract/config.ts';
import type {
  AuditTrail,
  Bus,
  Clock,
  Clusters,
  Ids,
  Metrics,
  ReferencedValues,
  Renderers,
  Sealer,
  SopsOpener,
  Store,
} from '../core/ports.ts';
import { localRepository } from '../core/model/sync-command.ts';
import { CliError } from './cli-error.ts';
import { localSops } from './local-sops.ts';
import { openStore } from './open-store.ts';
import type { Session } from './session.ts';

/** Options that say where records are and which cluster is meant. */
export interface LocalOptions {
  readonly store?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Of the API server, as a file: tells who is behind a drift. */
  readonly auditLog?: string;
}

/** Records without an installation: enough to read them. */
export type RecordsSession = Pick<Session, 'store' | 'clock' | 'ids' | 'whoAmI'>;

/** A cluster of a kubeconfig and a store: everything that the functions of an installation have, in this process. */
export interface LocalSession extends RecordsSession {
  /** Name of the cluster in the records. */
  readonly cluster: string;
  readonly ports: {
    readonly store: Store;
    readonly bus: Bus;
    readonly metrics: Metrics;
    readonly queues: PendingQueues;
    readonly sealer: Sealer;
    readonly sops: SopsOpener;
    readonly references: ReferencedValues;
    readonly clusters: Clusters;
    readonly renderers: Renderers;
    readonly clock: Clock;
    readonly ids: Ids;
    readonly config: StackConfig;
    /** In milliseconds since the epoch; now, once Ctrl-C was pressed. */
    readonly deadline: number;
    readonly audit?: AuditTrail;
  };
  readonly person: LocalPerson;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
}

/** There is no function whose time runs out; work is bounded by its own deadlines. */
const longestMs = 24 * 3600_000;

/** Where relative paths start: npm changes the folder, and says where the person stood. */
export function callersFolder(): string {
  return process.env['INIT_CWD'] ?? process.cwd();
}

/** `--store`, or TRUEUP_STORE. */
export function storeOf({ store }: LocalOptions): string | undefined {
  const named = store ?? process.env['TRUEUP_STORE'];
  return named === '' ? undefined : named;
}

/** Throws CliError when no store is named or nothing is in it yet. */
export async function openRecords(options: LocalOptions): Promise<RecordsSession> {
  const place = neededStore(options);
  const { store, isNew } = await openStore(place, callersFolder());
  if (isNew && (await isEmpty(store))) {
    throw new CliError(`--store ${place}: nothing is in it yet; \`trueup apply PATH --app NAME\` writes it.`);
  }
  const person = localPerson();
  return { store, clock: new SystemClock(), ids: new SystemIds(), whoAmI: async () => nameOf(person) };
}

/** Name in the records of the cluster that the kubeconfig options choose; undefined when there are none. */
export async function clusterOf(options: LocalOptions): Promise<string | undefined> {
  if (options.kubeconfig === undefined && options.context === undefined) return undefined;
  const { readLocalKubeconfig } = await import('../adapters/local-kubeconfig.ts');
  return (await readLocalKubeconfig({ files: kubeconfigs(options), context: options.context })).cluster;
}

/** Throws CliError, Stop and Blocked with what to do. Sends nothing to the cluster yet. */
export async function openLocal(options: LocalOptions, interrupt: AbortSignal): Promise<LocalSession> {
  const place = neededStore(options);
  const [{ readLocalKubeconfig }, { LocalClusters }] = await Promise.all([
    import('../adapters/local-kubeconfig.ts'),
    import('../adapters/local-clusters.ts'),
  ]);
  const { store } = await openStore(place, callersFolder());
  const context = await readLocalKubeconfig({ files: kubeconfigs(options), context: options.context });
  const clock = new SystemClock();
  const ids = new SystemIds();
  const person = localPerson();
  const until = clock.now() + longestMs;
  const { cluster } = context;
  return {
    store,
    clock,
    ids,
    cluster,
    person,
    interrupted: interrupt,
    whoAmI: async () => nameOf(person),
    ports: {
      store,
      // Nobody listens, and nobody looks at a graph.
      bus: { publish: async () => undefined },
      metrics: { put: async () => undefined },
      queues: new PendingQueues(clock),
      sealer: localSealer(),
      sops: localSops(callersFolder()),
      // With the person's own rights, which AWS knows.
      references: new ReferencedValuesOnDemand(),
      clusters: new LocalClusters(context, clock),
      renderers: localRenderers(),
      clock,
      ids,
      config: localConfig(cluster),
      ...(options.auditLog !== undefined && { audit: await auditLog(options.auditLog) }),
      // A run stops before its next effect when its time is over, and lets go of its lease: so does Ctrl-C.
      get deadline() {
        return interrupt.aborted ? 0 : until;
      },
    },
  };
}

async function auditLog(file: string): Promise<AuditTrail> {
  const path = resolve(callersFolder(), file);
  // Found out now: it is read when there is a drift to explain, which may be never.
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new CliError(`--audit-log ${file}: there is no such file.`);
  }
  const { AuditLogFile } = await import('../adapters/audit-log-file.ts');
  return new AuditLogFile(path);
}

export function localSealer(): Sealer {
  const folder = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  const file = process.env['TRUEUP_SEALING_KEY_FILE'] || join(folder, 'trueup', 'sealing.key');
  return new KeyFileSealer(resolve(callersFolder(), file));
}

export function localRenderers(): Renderers {
  return new RenderersOnDemand(process.env['PATH'] ?? '');
}

export function localPerson(): LocalPerson {
  return { name: userInfo().username, host: hostname() };
}

function nameOf({ name, host }: LocalPerson): string {
  return `${name}@${host}`;
}

function neededStore(options: LocalOptions): string {
  const place = storeOf(options);
  if (place !== undefined) return place;
  throw new CliError(
    'Say where the records are to be kept: --store file:DIR or --store s3://BUCKET/PREFIX (or TRUEUP_STORE).',
  );
}

/** As kubectl finds them. */
export function kubeconfigs({ kubeconfig }: LocalOptions): readonly string[] {
  const from = callersFolder();
  if (kubeconfig !== undefined) return [resolve(from, kubeconfig)];
  const named = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean);
  return named.length > 0 ? named.map((file) => resolve(from, file)) : [join(homedir(), '.kube', 'config')];
}

/** The defaults of a stack, for one cluster. No repository is followed: the name is that of every local commit. */
export function localConfig(cluster: string): StackConfig {
  return parseStackConfig({
    repositories: [{ name: localRepository, url: 'https://localhost/local' }],
    clusters: [{ name: cluster, access: { type: 'kubeconfig', secret: 'local' } }],
  });
}

async function isEmpty(store: Store): Promise<boolean> {
  for await (const _ of store.list('', { limit: 1 })) return false;
  return true;
}
