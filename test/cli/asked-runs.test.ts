import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cancel } from '../../cli/cancel.ts';
import { restart } from '../../cli/restart.ts';
import { sync } from '../../cli/sync.ts';
import type { RunRequest } from '../../core/model/run.ts';
import { readSuspensions } from '../../core/suspend.ts';
import { configMap } from '../core/sweep/sweep-world.ts';
import { cliWorld } from './cli-world.ts';

async function newWorld() {
  const made = cliWorld();
  const asked: RunRequest[] = [];
  made.onRun = async (request) => {
    asked.push(request);
  };
  await made.world.deploy('web', [
    configMap('front'),
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop' }, spec: { template: {} } },
  ]);
  await made.world.sweepAll();
  return { ...made, asked };
}

describe('sync --resource', () => {
  test('asks for a run of those objects alone, however their kind is spelled', async () => {
    const { session, asked } = await newWorld();
    await sync(session, { app: 'web', resource: ['deployment/shop', 'ConfigMap/web/front'] });
    assert.deepEqual(asked[0]?.only, ['apps/Deployment/web/shop', '/ConfigMap/web/front']);
    assert.match(asked[0]?.requestedBy ?? '', /alice/);
  });

  test('of what Git does not want asks for nothing and says where the names are', async () => {
    const { session, asked } = await newWorld();
    await assert.rejects(
      sync(session, { app: 'web', resource: ['Deployment/none'] }),
      /Git does not want Deployment\/none there. `trueup get --app web -o name`/,
    );
    await assert.rejects(
      sync(session, { app: 'web', resource: ['Deployment/shop'], confirmPrune: 3 }),
      /either --resource or --confirm-prune/,
    );
    assert.deepEqual(asked, []);
  });
});

test('sync of several targets asks none where one of them is in a rollout and the wish is for all', async () => {
  const { session, world, asked } = await newWorld();
  const pointer = JSON.parse((await world.store.get('desired/east/web.json'))?.text ?? '');
  const settings = { ...pointer.settings, rollout: { stages: [{ name: 'first' }], alarms: [] } };
  const west = { ...pointer, target: { ...pointer.target, cluster: 'west' }, settings };
  await world.store.put('desired/west/web.json', JSON.stringify(west), 'absent');
  await assert.rejects(sync(session, { app: 'web', confirmPrune: 3 }), /Say of which --cluster/);
  assert.equal(asked.length, 0);
  await sync(session, { app: 'web' });
  assert.deepEqual(
    asked.map(({ target, staged }) => [target.cluster, staged]),
    [
      ['east', undefined],
      ['west', true],
    ],
  );
});

describe('restart', () => {
  test('asks for the workloads of the application, or for those that are named', async () => {
    const { session, asked } = await newWorld();
    await restart(session, { app: 'web' });
    assert.deepEqual(
      [asked[0]?.reason, asked[0]?.only, typeof asked[0]?.restartedAt],
      ['restart', ['apps/Deployment/web/shop'], 'string'],
    );
    await assert.rejects(
      restart(session, { app: 'web', resource: ['ConfigMap/front'] }),
      /could be restarted/,
    );
    await assert.rejects(
      restart(session, { app: 'web', resource: ['Deployment/shop', 'Deployment/none'] }),
      /There is no Deployment\/none applied/,
    );
    assert.equal(asked.length, 1);
  });
});

describe('cancel', () => {
  test('records who wants what is under way to stop; where nothing is it says so', async () => {
    const { session, world } = await newWorld();
    await assert.rejects(cancel(session, { app: 'web' }), /nothing is under way/);
    await world.push('web', [configMap('front', { b: '2' })]);
    const { names } = await cancel(session, { app: 'web' });
    assert.deepEqual(names, ['east/web']);
    const [cancelled] = (await readSuspensions(session.store))?.cancelled ?? [];
    assert.match(cancelled?.by ?? '', /alice$/);
  });
});
