import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptOpenDrift } from '../../cli/accept-drift.ts';
import { prefixes } from '../../core/contract/keys.ts';
import { deployment, webAddress } from '../core/sweep/sweep-world.ts';
import { cliWorld, type CliWorld } from './cli-world.ts';

/** web on two clusters: on east its replicas have drifted, on west that it is paused. */
async function twoDrifts(): Promise<CliWorld> {
  const cli = cliWorld();
  const { world } = cli;
  await world.deploy('web', [deployment('front')], { drift: 'observe' });
  world.cluster.edit(webAddress, { spec: { replicas: 9 } });
  await world.sweepAll();
  for (const prefix of [prefixes.desired, prefixes.inventory, prefixes.openDrift, prefixes.drift]) {
    for (const key of await Array.fromAsync(world.store.list(prefix))) {
      const text = (await world.store.get(key))?.text ?? '';
      const other = text.replaceAll('east', 'west').replaceAll('replicas', 'paused');
      await world.store.put(key.replace('east', 'west'), other, 'absent');
    }
  }
  return cli;
}

test('a field is accepted where it has drifted, and other targets are no reason to stop in the middle', async () => {
  const { session } = await twoDrifts();
  const { data } = await acceptOpenDrift(session, { app: 'web', field: 'spec.replicas' });
  assert.partialDeepStrictEqual(data, { accepted: [{ target: { cluster: 'east', application: 'web' } }] });
});

test('what has drifted nowhere is refused before anything is accepted', async () => {
  const { world, session } = await twoDrifts();
  const before = world.store.writes.length;
  for (const [options, says] of [
    [
      { field: 'spec.template' },
      /^--field spec\.template has no open drift in east\/web, west\/web\. Objects/,
    ],
    [{ object: 'Deployment/front', field: 'x' }, /^--object Deployment\/front --field x has no open drift/],
  ] as const) {
    await assert.rejects(acceptOpenDrift(session, { app: 'web', ...options }), { message: says });
  }
  assert.equal(world.store.writes.length, before);
});
