import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { load } from 'js-yaml';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument, writeDocument } from '../../../core/documents.ts';
import { inventorySchema } from '../../../core/model/inventory.ts';
import { kubeObjectSchema, type KubeObject } from '../../../core/model/object.ts';
import type { RolloutSettings } from '../../../core/model/rollout.ts';
import type { RunRequest } from '../../../core/model/run.ts';
import { isoTime } from '../../../core/model/time.ts';
import { reconcile } from '../../../core/reconcile.ts';
import { resume, suspend } from '../../../core/suspend.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { clustersOf, HastyClock } from './real-world.ts';
import { pushTo, ReconcileWorld } from './reconcile-world.ts';

let real: TestCluster;
before(async () => {
  real = await testCluster('staged');
});
after(async () => real.stop());

const deployment = (image: string): KubeObject =>
  kubeObjectSchema.parse(
    load(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: a, image: "${image}" }] }
`),
  );

test('a rollout over two clusters: health, soak, and a suspended canary that holds it', async () => {
  const clock = new HastyClock();
  const world = new ReconcileWorld(clock, clustersOf({ dev: real.kubeconfig, eu: real.kubeconfig }, clock));
  const { store, sealer } = world;
  const rollout: RolloutSettings = {
    stages: [{ name: 'canary', soakSeconds: 120 }, { name: 'rest' }],
    alarms: [],
  };
  for (const cluster of ['dev', 'eu']) {
    const metadata = { name: `${real.namespace}-${cluster}` };
    await real.admin.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
  }
  const push = async (image: string): Promise<void> => {
    for (const cluster of ['dev', 'eu']) {
      const target = { cluster, application: 'web' };
      const namespace = `${real.namespace}-${cluster}`;
      await pushTo({ store, sealer, clock, target, namespace }, [deployment(image)], { rollout });
    }
    const stages = [['dev'], ['eu']];
    const state = {
      version: 1,
      seq: 1,
      repository: 'config',
      ref: 'refs/heads/main',
      head: { sha: 'a'.repeat(40), at: isoTime(clock.now()) },
      failing: false,
      applications: { web: { file: 'web.yaml', clusters: ['dev', 'eu'], stages } },
    };
    await writeDocument(store, keys.repository('config', 'refs/heads/main'), state, 'any');
  };
  const told: string[] = [];
  const run = async (request: Omit<RunRequest, 'version' | 'requestedBy'>): Promise<void> => {
    const result = await reconcile({ version: 1, requestedBy: 'test', ...request }, world.deps);
    if (request.reason === 'health' && result.kind !== 'ran') return;
    const said = result.kind === 'ran' ? `${result.record.outcome?.kind}` : result.kind;
    told.push(`${request.target.cluster} ${request.reason} ${said}`);
  };
  /** As the queues bring what was asked for, with the clock put forward, until nothing is asked for. */
  const settle = async (): Promise<void> => {
    const deadline = Date.now() + 90_000;
    while (world.queues.later.length > 0 && Date.now() < deadline) {
      const [next] = world.queues.later.sort((a, b) => a.delaySeconds - b.delaySeconds).splice(0, 1);
      if (next === undefined) return;
      await clock.sleep(200);
      clock.advance(next.delaySeconds * 1000);
      await run(next.request);
    }
  };
  const appliedOn = async (cluster: string): Promise<number | undefined> => {
    const found = await readDocument(store, keys.inventory({ cluster, application: 'web' }), inventorySchema);
    return found?.value.applied?.revision;
  };
  const both = async (): Promise<void> => {
    for (const cluster of ['eu', 'dev']) {
      await run({ target: { cluster, application: 'web' }, reason: 'push' });
    }
  };

  await push('busybox:1');
  await both();
  assert.deepEqual(told.splice(0), ['eu push waiting', 'dev push applied']);
  await settle();
  // Asked when the canary was healthy, and once more when it had soaked.
  assert.deepEqual(told.splice(0), ['eu promote waiting', 'eu promote applied']);
  assert.deepEqual([await appliedOn('dev'), await appliedOn('eu')], [1, 1]);

  await suspend(world, { cluster: 'dev' }, { by: 'ada', reason: 'upgrade' });
  await push('busybox:3');
  await both();
  assert.deepEqual(told.splice(0), ['eu push waiting', 'dev push rested']);
  assert.deepEqual([await appliedOn('dev'), await appliedOn('eu')], [1, 1]);
  await resume(world, { cluster: 'dev' }, 'ada');
  await run({ target: { cluster: 'dev', application: 'web' }, reason: 'pending' });
  await settle();
  assert.deepEqual([await appliedOn('dev'), await appliedOn('eu')], [2, 2]);
});
