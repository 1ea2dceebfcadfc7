import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { disturbCanary, plantCanary } from '../../core/canary.ts';
import { keys } from '../../core/contract/keys.ts';
import { readDocument } from '../../core/documents.ts';
import { desiredPointerSchema } from '../../core/model/desired.ts';
import type { RunRequest } from '../../core/model/run.ts';
import { reconcile } from '../../core/reconcile.ts';
import { sweepCluster } from '../../core/sweep.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { workbench, type Workbench } from './drift/workbench.ts';
import { SweepWorld } from './sweep/sweep-world.ts';

/** The canary on a real API server, with the code of the functions that plant it, change it, find it and heal it. */

let testing: TestCluster;
let bench: Workbench;
before(async () => {
  testing = await testCluster('canary');
  bench = await workbench(testing.kubeconfig);
});
after(async () => testing.stop());

const target = { cluster: 'east', application: 'trueup-canary' };
const renderers = { versions: { trueup: '0' } };

function newWorld() {
  const world = new SweepWorld(bench.cluster);
  const { config, ...deps } = world.deps;
  const canary = { cluster: 'east', namespace: testing.namespace };
  return { world, deps: { ...deps, config: { ...config, canary } } };
}

/** What the handler of runs does with a request. */
async function handle(request: RunRequest | undefined, deps: ReturnType<typeof newWorld>['deps']) {
  assert.ok(request);
  const result = await reconcile(request, deps);
  const done = result.kind === 'ran' ? result.record.outcome?.kind : result.kind;
  return request.disturb === true ? `${done}, ${await disturbCanary(request.target, deps)}` : done;
}

describe('the canary', () => {
  it('is changed past every record, found by the next sweep, healed, and timed; it rings no alarm of drift', async () => {
    const { world, deps } = newWorld();
    assert.equal(await plantCanary({ ...deps, renderers }), 'asked for a run on east');
    assert.equal(await handle(world.queues.runs.shift(), deps), 'applied, changed the canary');
    world.sentMetrics();

    await sweepCluster({ cluster: 'east', requestedBy: 'test' }, deps);
    const [record] = await world.records();
    assert.deepEqual([record?.state, record?.drift.fields.map(({ path }) => path)], ['open', ['data.song']]);
    assert.deepEqual(
      world.sentMetrics().filter((one) => /[1-9]/.test(one)),
      [],
    );
    const [asked] = world.queues.later.splice(0);
    assert.equal(asked?.request.reason, 'heal');
    assert.equal(await handle(asked.request, deps), 'applied');
    assert.equal((await world.records())[0]?.state, 'healed');
    assert.deepEqual(
      world
        .sentMetrics()
        .map((one) => one.replace(/ [\d.]+$/, ''))
        .filter((one) => one.endsWith('Seconds') && !one.includes('OldestDrift')),
      ['fleet CanarySeconds'],
    );
    // The next time nothing needs to be applied first, and no pointer moves.
    const pointer = await readDocument(world.store, keys.desired(target), desiredPointerSchema);
    await plantCanary({ ...deps, renderers });
    assert.equal(await handle(world.queues.runs.shift(), deps), 'rested, changed the canary');
    assert.deepEqual(await readDocument(world.store, keys.desired(target), desiredPointerSchema), pointer);
  });

  it('touches nothing but itself, and nothing before it is applied', async () => {
    const { deps } = newWorld();
    assert.equal(
      await disturbCanary({ cluster: 'east', application: 'web' }, deps),
      'is not the canary: left alone',
    );
    assert.match(await disturbCanary(target, deps), /is not applied: nothing was changed/);
    assert.equal(await plantCanary({ ...deps, renderers, config: {} }), 'no canary is configured');
  });
});
