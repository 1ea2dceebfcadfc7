import { canaryApplication } from './contract/canary.ts';
import type { StackConfig } from './contract/config.ts';
import { keys } from './contract/keys.ts';
import { readDocument, updateDocument } from './documents.ts';
import { defaultSettings, desiredPointerSchema } from './model/desired.ts';
import { inventorySchema } from './model/inventory.ts';
import type { KubeObject } from './model/object.ts';
import type { Target } from './model/target.ts';
import { isoTime } from './model/time.ts';
import { traceOf } from './model/trace.ts';
import type { Clock, Clusters, Queues, Store } from './ports.ts';
import { presentPointer } from './produce/pointers.ts';
import { storeSnapshot, type SnapshotDeps } from './produce/store-snapshot.ts';

interface PlantDeps extends SnapshotDeps {
  readonly config: Pick<StackConfig, 'canary'>;
  readonly queues: Pick<Queues, 'run'>;
  readonly clock: Clock;
}

const song = 'as Git has it';

/**
 * Makes the canary a target like any other (a snapshot and a pointer, of no repository), and asks for a run that makes
 * sure of it and then changes it. Who applies may not write pointers, so that is done where renders are.
 */
export async function plantCanary({ config, ...deps }: PlantDeps): Promise<string> {
  if (config.canary === undefined) return 'no canary is configured';
  const { cluster, namespace } = config.canary;
  const target: Target = { cluster, application: canaryApplication };
  const at = isoTime(deps.clock.now());
  const nobody = { name: 'trueup', email: '', at: isoTime(0) };
  const commit = {
    repository: canaryApplication,
    ref: 'canary',
    sha: '0'.repeat(40),
    author: nobody,
    committer: nobody,
    subject: 'an object that is changed so that the change is found',
  };
  const metadata = { name: canaryApplication, namespace };
  const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { song } };
  const rendered = { renderer: 'plain', objects: [object], origins: {}, inputDigest: 'none' } as const;
  const snapshot = await storeSnapshot({ name: canaryApplication, namespace, commit }, rendered, deps);
  const wanted = { target, commit, ref: commit.ref, at, snapshot, objects: 1, settings: defaultSettings };
  await updateDocument(deps.store, keys.desired(target), desiredPointerSchema, (current) =>
    presentPointer(current, wanted),
  );
  const trace = traceOf('schedule', at, canaryApplication, at);
  await deps.queues.run({
    version: 1,
    target,
    reason: 'push',
    requestedBy: canaryApplication,
    trace,
    disturb: true,
  });
  return `asked for a run on ${cluster}`;
}

interface DisturbDeps {
  readonly store: Store;
  readonly clusters: Clusters;
  readonly clock: Clock;
  /** Time by which the function must have ended, in milliseconds since the epoch. */
  readonly deadline: number;
}

const reserveMs = 5_000;

/**
 * Changes the canary on its cluster as somebody would by hand: not by an apply, and past every record. What is to be
 * proven is that a sweep finds it. Nothing but the object that the canary's own inventory names is touched.
 */
export async function disturbCanary(
  { application, cluster: name }: Target,
  deps: DisturbDeps,
): Promise<string> {
  if (application !== canaryApplication) return 'is not the canary: left alone';
  const inventory = await readDocument(
    deps.store,
    keys.inventory({ cluster: name, application }),
    inventorySchema,
  );
  const [entry] = Object.values(inventory?.value.entries ?? {});
  if (entry?.state !== 'applied') return 'the canary is not applied: nothing was changed';
  const { apiVersion, plural, ref } = entry;
  const cluster = await deps.clusters.connect(name, () => deps.deadline - reserveMs);
  const address = { apiVersion, plural, namespace: ref.namespace, name: ref.name };
  const live = await cluster.get(address);
  if (live === undefined || live.metadata.uid !== entry.uid) return 'the canary is not there';
  const value = `changed at ${isoTime(deps.clock.now())}, to be found`;
  const { uid, resourceVersion } = live.metadata;
  const patch = [{ op: 'add' as const, path: '/data/song', value }];
  const outcome = await cluster.patch(address, { uid, resourceVersion }, patch);
  return outcome.kind === 'applied' ? 'changed the canary' : `could not change the canary: ${outcome.kind}`;
}
