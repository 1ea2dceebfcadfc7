import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Progress } from '../test/cluster/cache.ts';
import { clusterClient, type ClusterClient } from '../test/cluster/cluster-client.ts';
import { openCluster } from '../test/cluster/open-cluster.ts';
import { findTools } from '../test/cluster/tools.ts';
import { writeManifests } from './manifests.ts';
import { buildPeer, type GoPeer } from './peer-builds.ts';
import { Peer } from './peer.ts';
import { countingPath, requestCount } from './server-counts.ts';

/** So many applications, as files that every engine reads. */
export interface Workload {
  readonly namespace: string;
  readonly folder: string;
  readonly store: string;
  readonly applications: number;
  /** Four of each application, and the namespace. */
  readonly objects: number;
}

/** What an engine puts on the wire for one command. */
export interface Traffic {
  readonly requests: number;
  readonly bytes: number;
}

/** Engines, by how their process is started. */
export type EngineName = 'trueup' | 'flux' | 'flux-4' | 'flux-defaults' | 'argocd' | 'kubectl' | 'floor';

/** One control plane and everything that runs against it. */
export interface Bench extends AsyncDisposable {
  readonly client: ClusterClient;
  readonly progress: Progress;
  /** Under a name of its own it is what an earlier call with that name made, and more. */
  readonly workload: (applications: number, name?: string) => Promise<Workload>;
  /** Deletes all of it and waits until it is gone, so that the next measure has a quiet server. */
  readonly discard: (workload: Workload) => Promise<void>;
  readonly start: (engine: EngineName, workload: Workload) => Promise<Peer>;
  /** In a process of its own, through a path that counts and slows down: `commands` before, `command` counted. */
  readonly traffic: (
    engine: EngineName,
    workload: Workload,
    command: string,
    commands?: readonly string[],
  ) => Promise<Traffic>;
}

interface Programs {
  readonly kubectl: string;
  readonly peers: Readonly<Record<GoPeer, string>>;
}

/**
 * Limits that never bind: objects one after the other, as the engine does unless told otherwise, and four at once, as
 * kustomize-controller tells it; and what kustomize-controller has when left alone.
 */
const fluxLimits = {
  flux: ['--qps=10000', '--burst=10000', '--concurrency=1'],
  'flux-4': ['--qps=10000', '--burst=10000', '--concurrency=4'],
  'flux-defaults': ['--qps=50', '--burst=300', '--concurrency=4'],
} as const;

/** The etcd of the benchmark does not fsync, so our store must not wait for a disk either. */
const inMemory = '/dev/shm';

/** `state`: a folder that stays. With a cluster that stays, too (TRUEUP_KUBECONFIG), a later call goes on from there. */
export async function openBench(progress: Progress, state?: string): Promise<Bench> {
  const dir = state ?? (await mkdtemp(join(existsSync(inMemory) ? inMemory : tmpdir(), 'trueup-bench-')));
  const { kubectl } = await findTools({ progress });
  const peers = { flux: await buildPeer('flux', progress), argocd: await buildPeer('argocd', progress) };
  const plane = await openCluster({ name: 'bench', progress });
  const address = /^ *server: *(\S+)/m.exec(plane.kubeconfig)?.[1];
  if (address === undefined) throw new Error(`${plane.kubeconfigPath} names no server`);
  const client = await clusterClient(plane.kubeconfig);
  const start = async (engine: EngineName, workload: Workload, kubeconfig = plane.kubeconfigPath) =>
    startEngine({ kubectl, peers }, engine, workload, kubeconfig);
  let made = 0;
  return {
    client,
    progress,
    workload: async (applications, given) => {
      made += 1;
      const name = given ?? `bench-${made}`;
      const folder = join(dir, name, 'manifests');
      const store = join(dir, name, 'store');
      await mkdir(store, { recursive: true });
      await writeManifests(folder, name, applications);
      return { namespace: name, folder, store, applications, objects: 4 * applications + 1 };
    },
    discard: async ({ namespace }) => {
      await client.remove(`/api/v1/namespaces/${namespace}`);
      await client.until(`/api/v1/namespaces/${namespace}`, (found) => found === undefined, 900);
    },
    start: async (engine, workload) => start(engine, workload),
    traffic: async (engine, workload, command, commands = []) => {
      await using path = await countingPath(address);
      const kubeconfig = join(dir, 'counting.kubeconfig.yaml');
      const server = `https://127.0.0.1:${path.port}`;
      await writeFile(kubeconfig, plane.kubeconfig.replaceAll(address, server), { mode: 0o600 });
      await using peer = await start(engine, workload, kubeconfig);
      for (const each of commands) await peer.ask(each);
      const before = { requests: await requestCount(client), bytes: path.bytes() };
      await peer.ask(command);
      const requests = (await requestCount(client)) - before.requests;
      return { requests, bytes: path.bytes() - before.bytes };
    },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await plane.stop();
      if (state === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

function startEngine(
  { kubectl, peers }: Programs,
  engine: EngineName,
  { namespace, folder, store }: Workload,
  kubeconfig: string,
): Promise<Peer> {
  const place = [`--kubeconfig=${kubeconfig}`, `--manifests=${folder}`];
  const node = async (file: string, args: readonly string[]) =>
    Peer.start(engine, process.execPath, [join(import.meta.dirname, file), ...args]);
  const starters: Readonly<Record<EngineName, () => Promise<Peer>>> = {
    trueup: async () => node('trueup-peer.ts', [...place, `--store=${store}`, `--namespace=${namespace}`]),
    floor: async () => node('floor-peer.ts', place),
    kubectl: async () => node('kubectl-peer.ts', [...place, `--kubectl=${kubectl}`]),
    flux: async () => loaded(Peer.start(engine, peers.flux, [...place, ...fluxLimits.flux])),
    'flux-4': async () => loaded(Peer.start(engine, peers.flux, [...place, ...fluxLimits['flux-4']])),
    'flux-defaults': async () =>
      loaded(Peer.start(engine, peers.flux, [...place, ...fluxLimits['flux-defaults']])),
    argocd: async () => loaded(Peer.start(engine, peers.argocd, place)),
  };
  return starters[engine]();
}

async function loaded(starting: Promise<Peer>): Promise<Peer> {
  const peer = await starting;
  await peer.ask('load');
  return peer;
}
