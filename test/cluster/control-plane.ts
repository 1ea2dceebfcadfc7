import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { type Component, components, findBinaries } from './binaries.ts';
import type { Environment, Progress } from './cache.ts';
import { type ClusterClient, clusterClient } from './cluster-client.ts';
import {
  type Wiring,
  apiserverFlags,
  controllerManagerFlags,
  etcdFlags,
  filesIn,
  kwokFlags,
  schedulerFlags,
} from './component-flags.ts';
import { type Parts, onFreePort, partsIn } from './component-process.ts';
import {
  type Access,
  authorityIn,
  writeAccess,
  writeFiles,
  writeWebhookConfig,
} from './control-plane-files.ts';
import { areNodesReady, createFakeNodes } from './fake-nodes.ts';
import type { GuardedProcess } from './guarded-process.ts';
import type { ClusterUser } from './kubeconfig.ts';

/** What a control plane may be told; the name alone is needed. */
export interface ControlPlaneOptions {
  /** Name of the cluster in kubeconfigs, and in the names of temporary folders. */
  readonly name: string;
  /** New or empty folder for logs, keys and data; left out, a temporary one that `stop` removes. */
  readonly dir?: string;
  readonly progress?: Progress;
  readonly env?: Environment;
  /** Fake Nodes of 32 cores each; 1 when left out. */
  readonly nodes?: number;
  /** Keep an audit log of writes (see `auditLogPath`). */
  readonly auditLog?: boolean;
  /** What is logged, as audit.k8s.io/v1 has it; left out, writes alone. */
  readonly auditPolicy?: object;
  /** People and rival controllers, each with a token and so a name of its own in the audit log. */
  readonly users?: readonly ClusterUser[];
  /** Server that kube-apiserver asks about tokens that it does not know (a TokenReview by POST). */
  readonly tokenWebhook?: { readonly url: string; readonly caFile?: string };
}

/** A running control plane. It ends with this process, however that ends. */
export interface ControlPlane {
  readonly name: string;
  readonly dir: string;
  /** `https://127.0.0.1:PORT`; the port stays when the API server is stopped and started. */
  readonly server: string;
  readonly caFile: string;
  /** PEM in base64, as EKS and kubeconfigs give it. */
  readonly caData: string;
  /** Holds the administrator and each of `users`; see `kubeconfigText` for its contexts, `kubeconfigAs` for one user. */
  readonly kubeconfig: string;
  readonly kubeconfigPath: string;
  readonly adminToken: string;
  readonly auditLogPath: string | undefined;
  /** Parts that KUBEBUILDER_ASSETS did not have; empty otherwise. */
  readonly lacking: readonly Component[];
  readonly processes: () => readonly GuardedProcess[];
  /** Kills the API server: connections are refused from now on. */
  readonly stopApiserver: () => Promise<void>;
  /** Returns when it answers again. */
  readonly startApiserver: () => Promise<void>;
  /** The API server accepts connections and never answers, as behind a broken network path. */
  readonly pauseApiserver: () => void;
  readonly resumeApiserver: () => void;
  readonly stop: () => Promise<void>;
}

/** Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok; returns when the Nodes are Ready. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { name, progress = () => undefined, env = process.env } = options;
  const binaries = await findBinaries({ progress, env });
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), `trueup-${name}-`)));
  await mkdir(dir, { recursive: true });
  const parts = partsIn(dir, binaries);
  const stop = async (): Promise<void> => {
    // Nothing here is kept, so no part is asked to end in good order.
    await Promise.all(parts.all().map(async (part) => part.stop('SIGKILL')));
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  };
  try {
    const began = Date.now();
    const users = await writeFiles(dir, binaries, options.users ?? [], options.auditPolicy);
    const wiring = await startServer(parts, dir, options);
    const caData = Buffer.from(await authorityIn(dir)).toString('base64');
    const access = { cluster: name, server: originOf(wiring), caData, users };
    const kubeconfig = await writeAccess(dir, access);
    await startControllers(
      parts,
      dir,
      kubeconfig,
      binaries.commands.kwok === undefined ? 0 : (options.nodes ?? 1),
    );
    progress(
      `control plane ${name} is ready after ${((Date.now() - began) / 1000).toFixed(1)} s: ${access.server}`,
    );
    return {
      ...facts(dir, access),
      kubeconfig,
      auditLogPath: wiring.auditLogPath,
      lacking: components.filter((component) => binaries.commands[component] === undefined),
      processes: parts.all,
      stopApiserver: async () => parts.get('kube-apiserver').stop('SIGKILL'),
      startApiserver: async () => startApiserver(parts, wiring),
      pauseApiserver: () => parts.get('kube-apiserver').signal('SIGSTOP'),
      resumeApiserver: () => parts.get('kube-apiserver').signal('SIGCONT'),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function facts(dir: string, access: Access) {
  const files = filesIn(dir);
  return {
    name: access.cluster,
    dir,
    server: access.server,
    caFile: files.authority,
    caData: access.caData,
    kubeconfigPath: files.kubeconfig,
    adminToken: access.users[0]?.token ?? '',
  };
}

/** etcd and the API server, each on a port that was free a moment before. */
async function startServer(parts: Parts, dir: string, options: ControlPlaneOptions): Promise<Wiring> {
  const webhook = options.tokenWebhook;
  const files = {
    dir,
    auditLogPath: options.auditLog === true ? `${dir}/audit.log` : undefined,
    webhookConfigPath: webhook && (await writeWebhookConfig(dir, webhook.url, webhook.caFile)),
  };
  const etcdPort = await onFreePort(async (port) => {
    const ready = async (): Promise<boolean> => answers(`http://127.0.0.1:${port}/health`);
    await parts.start('etcd', etcdFlags({ dir, etcdPort: port }), ready);
    return port;
  });
  return onFreePort(async (apiserverPort) => {
    const wiring = { ...files, etcdPort, apiserverPort };
    await startApiserver(parts, wiring);
    return wiring;
  });
}

/** Ready includes the roles that RBAC starts with: until they are there, nobody unnamed may read `/readyz`. */
async function startApiserver(parts: Parts, wiring: Wiring): Promise<void> {
  await parts.start('kube-apiserver', apiserverFlags(wiring), async () => {
    return answers(`${originOf(wiring)}/readyz`, await authorityIn(wiring.dir));
  });
}

/**
 * The parts that make objects come true. They answer to nobody; that they work shows in the cluster: the default
 * namespace gets its service account, the Nodes become Ready.
 */
async function startControllers(parts: Parts, dir: string, kubeconfig: string, nodes: number): Promise<void> {
  const client = await clusterClient(kubeconfig);
  try {
    await createFakeNodes(client, nodes);
    await Promise.all([
      parts.start('kube-scheduler', schedulerFlags(dir), async () => true),
      parts.start('kube-controller-manager', controllerManagerFlags(dir), async () =>
        hasServiceAccount(client),
      ),
      parts.start('kwok', kwokFlags(dir), async () => areNodesReady(client)),
    ]);
  } finally {
    await client.close();
  }
}

async function hasServiceAccount(client: ClusterClient): Promise<boolean> {
  return (await client.get('/api/v1/namespaces/default/serviceaccounts/default')) !== undefined;
}

async function answers(url: string, authority?: string): Promise<boolean> {
  const dispatcher = new Agent(authority === undefined ? {} : { connect: { ca: authority } });
  try {
    const { statusCode, body } = await request(url, { dispatcher });
    await body.dump();
    return statusCode === 200;
  } finally {
    await dispatcher.close();
  }
}

function originOf({ apiserverPort }: Wiring): string {
  return `https://127.0.0.1:${apiserverPort}`;
}
