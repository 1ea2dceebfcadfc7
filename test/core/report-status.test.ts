import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../core/contract/keys.ts';
import { Retry } from '../../core/errors.ts';
import { application, configMap, files } from './produce/world.ts';
import { ReportWorld } from './report/report-world.ts';

const broken = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n   labels: {}\n';
const schedule = { version: 1, report: 'open' } as const;

test('a commit is pending, then a success when every application of the cluster is healthy', async () => {
  const world = new ReportWorld();
  await world.tell(await world.commit('a', files('1')));
  assert.deepEqual(world.at('a'), [
    'prod pending: 2 of 2 pending: api: about to be applied',
    'render success: 2 applications for 1 cluster',
  ]);
  await world.tell([await world.run('web')]);
  assert.equal(world.at('a')[0], 'prod pending: 2 of 2 pending: api: about to be applied', 'words can wait');
  await world.tell([await world.run('api')]);
  assert.equal(world.at('a')[0], 'prod success: 2 applications healthy');
});

test('a failure names the application and says why; health that comes later counts', async () => {
  const world = new ReportWorld();
  const commit = await world.commit('a', files('1'));
  const run = await world.run('web', { outcome: 'failed', message: 'ConfigMap web/web: is invalid' });
  await world.tell([...commit, run, await world.run('api')]);
  assert.equal(world.at('a')[0], 'prod failure: 1 of 2 failed: web: ConfigMap web/web: is invalid');
  await world.tell([
    await world.run('web', { health: 'Progressing', message: 'Deployment web/web: 1 of 2' }),
  ]);
  assert.match(world.at('a')[0] ?? '', /^prod pending: 1 of 2 pending: web: Progressing: Deployment/);
  await world.tell([await world.sweep('web', 'Healthy', '')]);
  assert.equal(world.at('a')[0], 'prod success: 2 applications healthy');
  await world.tell([await world.sweep('web', 'Degraded', 'Deployment web/web: CrashLoopBackOff')]);
  assert.equal(
    world.at('a')[0],
    'prod failure: 1 of 2 failed: web: Degraded: Deployment web/web: CrashLoopBackOff',
  );
});

test('a commit that changes nothing of an application is told of it all the same', async () => {
  const world = new ReportWorld();
  await world.tell(await world.commit('a', files('1')));
  await world.tell([await world.run('web'), await world.run('api')]);
  await world.tell(await world.commit('b', { ...files('1'), 'README.md': 'new words' }));
  assert.deepEqual(world.at('b'), [
    'prod success: 2 applications healthy',
    'render success: 2 applications for 1 cluster',
  ]);
  await world.tell([await world.sweep('api', 'Degraded', 'it fell over')]);
  assert.equal(
    world.at('b')[0],
    'prod failure: 1 of 2 failed: api (not changed here): Degraded: it fell over',
  );
  assert.equal(world.at('a')[0], 'prod success: 2 applications healthy', 'of an older commit that is over');
});

test('a fault of the render stands with file and line, and the cluster says what stays', async () => {
  const world = new ReportWorld();
  await world.tell(await world.commit('a', files('1')));
  await world.tell([await world.run('web'), await world.run('api')]);
  await world.tell(await world.commit('b', { ...files('2', '2'), 'apps/web/a.yaml': broken }));
  assert.deepEqual(world.at('b'), [
    'prod failure: 1 of 2 failed: web: stays at aaaaaaa: apps/web/a.yaml:5: cannot be read as YAML: bad indentation of a mapping entry',
    'render failure: apps/web/a.yaml:5: cannot be read as YAML: bad indentation of a mapping entry',
  ]);
  await world.tell([await world.run('api')]);
  await world.tell(await world.commit('c', files('1', '2')));
  assert.deepEqual(world.at('c'), [
    'prod success: 2 applications healthy',
    'render success: 2 applications for 1 cluster',
  ]);
});

test('a commit that was overtaken says so; what it shares with the newer one is still told of', async () => {
  const world = new ReportWorld();
  const both = { ...files('1'), 'applications/api.yaml': application('api', { clusters: '{names: [dev]}' }) };
  await world.tell(await world.commit('a', both));
  await world.tell(await world.commit('b', { ...both, 'apps/web/a.yaml': configMap('web', '2') }));
  assert.deepEqual(world.at('a'), [
    'dev pending: api: about to be applied',
    'prod overtaken: superseded by bbbbbbb before it was healthy',
    'render success: 2 applications for 2 clusters',
  ]);
  await world.tell([await world.run('api', {}, 'dev'), await world.run('web')]);
  assert.equal(world.at('a')[0], 'dev success: healthy');
  assert.deepEqual(world.at('b').slice(0, 2), [
    'dev success: 1 application healthy',
    'prod success: 1 application healthy',
  ]);
});

test('doubled, late and reordered events tell nothing twice', async () => {
  const world = new ReportWorld();
  const commit = await world.commit('a', files('1'));
  const runs = [
    await world.run('web', { health: 'Progressing' }),
    await world.run('web'),
    await world.run('api'),
  ];
  assert.equal(await world.tell(runs.toReversed()), 2, 'the first message finds all of it');
  assert.equal(await world.tell([...commit, ...runs, ...commit]), 0);
  const writes = world.store.writes.length;
  assert.equal(await world.tell([schedule]), 0);
  assert.equal(world.store.writes.length, writes, 'the schedule costs nothing while all is well');
  assert.equal(world.host.calls.length, 2);
});

test('what the host did not take is told when the message comes again, or by the schedule', async () => {
  const world = new ReportWorld();
  const commit = await world.commit('a', files('1'));
  world.host.fault = new Retry({ subject: 'repository fleet', message: 'rate limit', afterSeconds: 60 });
  await assert.rejects(world.tell(commit), /rate limit/);
  world.host.fault = undefined;
  assert.equal(await world.tell(commit), 2);
  world.host.fault = new Retry({ subject: 'repository fleet', message: 'busy' });
  await assert.rejects(world.tell([await world.run('web'), await world.run('api')]), /busy/);
  assert.equal(await world.tell([schedule]), 0, 'in vain, and no lost message');
  world.host.fault = undefined;
  assert.equal(await world.tell([schedule]), 1);
  assert.equal(world.at('a')[0], 'prod success: 2 applications healthy');
});

test('deployments: only where the commit changed something, from its run to health', async () => {
  const world = new ReportWorld({ deployments: true, environmentLabel: 'env' });
  const everywhere = { clusters: '{names: [prod, prod-2, dev]}' };
  const one = {
    'applications/web.yaml': application('web', everywhere),
    'apps/web/a.yaml': configMap('web', '1'),
  };
  await world.tell(await world.commit('a', one));
  assert.deepEqual(world.environments.toSorted(), [
    'live a pending: 2 of 2 pending: prod-2/web: about to be applied',
    'test a pending: web: about to be applied',
  ]);
  await world.tell([await world.run('web', { health: 'Progressing' }, 'dev')]);
  assert.match(world.environments.toSorted()[1] ?? '', /^test a in_progress/);
  await world.tell([await world.run('web', {}, 'dev'), await world.run('web', {}, 'prod')]);
  await world.tell(await world.commit('b', { ...one, 'README.md': '' }));
  await world.tell([await world.run('web', {}, 'prod-2')]);
  assert.deepEqual(world.environments.toSorted(), [
    'live a success: healthy',
    'test a success: 1 application healthy',
  ]);
  await world.tell(await world.commit('c', { ...one, 'apps/web/a.yaml': configMap('web', '2') }));
  await world.tell(await world.commit('d', { ...one, 'apps/web/a.yaml': configMap('web', '3') }));
  assert.ok(world.environments.includes('live c inactive: superseded by ddddddd before it was healthy'));
});

test('one status for all clusters, links, and names of its own', async () => {
  const world = new ReportWorld({
    context: 'gitops/live',
    perCluster: false,
    url: 'https://example.com/{fleet}/{repository}?sha={sha}',
    runUrl: 'https://example.com/runs?key={run}&app={application}',
  });
  const both = { ...files('1'), 'applications/api.yaml': application('api', { clusters: '{names: [dev]}' }) };
  await world.tell(await world.commit('a', both));
  await world.tell([
    await world.run('web', { outcome: 'failed', message: 'no' }),
    await world.run('api', {}, 'dev'),
  ]);
  const statuses = [...(world.host.statuses.get(`fleet@${'a'.repeat(40)}`)?.values() ?? [])];
  assert.deepEqual(
    statuses.map(({ context, state, description, url }) => [context, state, description, url]),
    [
      [
        'gitops/live/render',
        'success',
        '2 applications for 2 clusters',
        `https://example.com/default/fleet?sha=${'a'.repeat(40)}`,
      ],
      [
        'gitops/live/clusters',
        'failure',
        '1 of 2 failed: prod/web: no',
        'https://example.com/runs?key=runs%2Fweb&app=web',
      ],
    ],
  );
});

test('whoever suspended it is named, and the schedule sees that it is over', async () => {
  const world = new ReportWorld();
  const at = '2026-11-23T11:00:00.000Z';
  const active = [{ application: 'web', by: 'ada', reason: 'sale', at }];
  await world.store.put(keys.suspensions, JSON.stringify({ version: 1, seq: 1, active, ended: [] }), 'any');
  await world.tell([...(await world.commit('a', files('1'))), await world.run('api')]);
  assert.equal(
    world.at('a')[0],
    `prod pending: 1 of 2 pending: web: application web is suspended by ada since ${at}, until somebody resumes it: sale`,
  );
  await world.run('web');
  await world.tell([schedule]);
  assert.equal(world.at('a')[0], 'prod success: 2 applications healthy', 'though its event was lost');
});

test('what Git gave up is told of until it is gone', async () => {
  const world = new ReportWorld();
  const web = { 'applications/web.yaml': application('web'), 'apps/web/a.yaml': configMap('web', '1') };
  await world.tell(await world.commit('a', web));
  await world.tell([await world.run('web')]);
  await world.tell(await world.commit('b', { 'applications/README.md': 'none' }));
  assert.equal(world.at('b')[0], 'prod pending: web: about to be taken away');
  await world.tell([await world.run('web')]);
  assert.equal(world.at('b')[0], 'prod success: nothing is left here');
});
