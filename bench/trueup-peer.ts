import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfiguredClusters } from '../adapters/clusters.ts';
import { FileStore } from '../adapters/file-store.ts';
import { KeyFileSealer } from '../adapters/key-file-sealer.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import { parseStackConfig } from '../core/contract/config.ts';
import { inBatches } from '../core/in-batches.ts';
import { kubeObjectSchema, type KubeObject } from '../core/model/object.ts';
import type { RunReason } from '../core/model/run.ts';
import { reconcile } from '../core/reconcile.ts';
import { sweepCluster } from '../core/sweep.ts';
import { KnownDocuments } from '../core/sweep/known-documents.ts';
import { pushTo } from '../test/core/reconcile/reconcile-world.ts';
import { RecordingBus, RecordingMetrics, RecordingQueues } from '../test/fakes/recorders.ts';
import { baseApplication } from './manifests.ts';
import { servePeer, type Found } from './peer-process.ts';

/**
 * Our engine as a benchmark peer: the spines that the functions call, over a store in a folder. Commands:
 * `load`, `push [APP…]`, `apply [APP…]`, `check`, `full`, `heal`.
 */

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: '' },
    manifests: { type: 'string', default: '' },
    store: { type: 'string', default: '' },
    namespace: { type: 'string', default: 'bench' },
  },
});

const cluster = 'bench';
/** As many runs at once as one process does well; Lambda gives each a process of its own. */
const runsAtOnce = 16;
const longestMs = 900_000;

const clock = new SystemClock();
const config = parseStackConfig({
  repositories: [{ name: 'bench', url: 'https://git.example.org/bench.git' }],
  clusters: [{ name: cluster, access: { type: 'kubeconfig', secret: 'bench' }, requestsPerSecond: 10_000 }],
  pruneCap: { percent: 100, objects: 100_000 },
});
const kubeconfig = await readFile(values.kubeconfig, 'utf8');
const ports = {
  store: new FileStore(values.store),
  sealer: new KeyFileSealer(join(values.store, '..', 'sealing.key')),
  clusters: new ConfiguredClusters(config.clusters, { get: async () => ({ current: kubeconfig }) }, clock),
  bus: new RecordingBus(),
  queues: new RecordingQueues(),
  metrics: new RecordingMetrics(),
  clock,
  ids: new SystemIds(),
  documents: new KnownDocuments(),
  config,
};
// As the other engines do, before anything is measured: the kubeconfig is read. Nothing is sent yet.
await ports.clusters.connect(cluster, () => Infinity);
const deps = () => ({ ...ports, deadline: clock.now() + longestMs });

async function names(given: readonly string[]): Promise<readonly string[]> {
  if (given.length > 0) return given;
  const files = await readdir(values.manifests);
  return files.map((file) => file.replace(/\.yaml$/, '')).toSorted();
}

async function objectsOf(application: string): Promise<readonly KubeObject[]> {
  const text = await readFile(join(values.manifests, `${application}.yaml`), 'utf8');
  return text.split('\n---\n').map((document) => kubeObjectSchema.parse(JSON.parse(document)));
}

/** What the snapshot function does with a commit, Git and rendering left out: they are measured by `bench:line`. */
async function push(applications: readonly string[]): Promise<Found> {
  let objects = 0;
  for (const application of applications) {
    const content = await objectsOf(application);
    objects += content.length;
    await pushTo({ ...ports, target: { cluster, application }, namespace: values.namespace }, content);
  }
  return { objects };
}

async function run(applications: readonly string[], reason: RunReason): Promise<Found> {
  const first = applications.filter((name) => name === baseApplication);
  const others = applications.filter((name) => name !== baseApplication);
  let objects = 0;
  for (const group of [first, others]) {
    await inBatches(group, runsAtOnce, async (application) => {
      const request = { version: 1, target: { cluster, application }, reason, requestedBy: 'bench' } as const;
      const result = await reconcile(request, deps());
      if (result.kind !== 'ran') throw new Error(`${application}: ${result.kind}: ${result.why}`);
      const { outcome } = result.record;
      if (outcome?.kind !== 'applied') throw new Error(`${application}: ${JSON.stringify(outcome)}`);
      objects += outcome.objects.length;
    });
  }
  return { objects, changed: objects };
}

async function check(full: boolean): Promise<Found> {
  ports.queues.later.length = 0;
  const request = { cluster, requestedBy: 'bench', ...(full && { full: true }) };
  const { targets, unreachable } = await sweepCluster(request, deps());
  if (unreachable !== undefined) throw new Error(unreachable);
  const found = Object.entries(targets);
  const unknown = found.find(([, { sync }]) => sync !== 'Synced' && sync !== 'Drifted');
  if (unknown !== undefined) throw new Error(`${unknown[0]}: ${unknown[1].sync}: ${unknown[1].reason}`);
  return { objects: found.length, changed: found.reduce((sum, [, { drifted }]) => sum + drifted, 0) };
}

/** The runs that the last check asked for. */
async function heal(): Promise<Found> {
  const asked = ports.queues.later.splice(0).filter(({ request }) => request.reason === 'heal');
  return run(
    asked.map(({ request }) => request.target.application),
    'heal',
  );
}

await servePeer(async (command, args) => {
  switch (command) {
    case 'push':
      return push(await names(args));
    case 'apply':
      return run(await names(args), 'push');
    case 'check':
      return check(false);
    case 'full':
      return check(true);
    case 'heal':
      return heal();
    default:
      throw new Error(`unknown command ${command}`);
  }
});
