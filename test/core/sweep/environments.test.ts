import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import { clusterCheckSchema } from '../../../core/model/check.ts';
import { ScriptedCluster } from './scripted-cluster.ts';
import { deployment, SweepWorld, webAddress } from './sweep-world.ts';

const environment = {
  application: 'web',
  pull: '1',
  url: 'https://git.example/1',
  namespace: 'web',
  clusterKinds: [],
};

test('the health of a preview environment is looked at and told, and calls nobody', async () => {
  for (const [settings, degraded] of [
    [{ environment }, false],
    [{}, true],
  ] as const) {
    const world = new SweepWorld(new ScriptedCluster());
    await world.deploy('web', [deployment('front')], settings);
    const conditions = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }];
    world.cluster.edit(webAddress, { status: { observedGeneration: 1, conditions } });
    await world.sweepAll();
    await world.sweepAll();
    const check = (await readDocument(world.store, keys.check('east'), clusterCheckSchema))?.value;
    assert.equal(check?.targets['web']?.health, 'Degraded');
    assert.equal(check.targets['web'].preview, degraded ? undefined : true);
    const rung = world.metrics.data.some(({ name, value }) => name === 'DegradedTargets' && value > 0);
    assert.equal(rung, degraded);
  }
});
