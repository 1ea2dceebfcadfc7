import assert from 'node:assert/strict';
import { it } from 'node:test';
import { trace } from '../../cli/trace.ts';
import { wait } from '../../cli/wait.ts';
import { keys } from '../../core/contract/keys.ts';
import { isoTime } from '../../core/model/time.ts';
import { configMap, deployment } from '../core/sweep/sweep-world.ts';
import { cliWorld, linesOf, putRun } from './cli-world.ts';

it('trace leads from an object to its commit, author, run and delivery', async () => {
  const { world, session } = cliWorld();
  await world.deploy('web', [deployment('front'), configMap('front')]);
  const ref = { group: 'apps', kind: 'Deployment', namespace: 'web', name: 'front' };
  const at = isoTime(world.clock.now());
  const counts = { created: 1, updated: 0, unchanged: 0, pruned: 0, failed: 0 };
  const objects = [{ ref, outcome: 'created' as const }];
  const run = await putRun(world, {
    outcome: { kind: 'applied', at, message: '', counts, objects, faults: [] },
  });
  const { repository, sha } = run.commit;
  const delivery = {
    version: 1,
    provider: 'github',
    id: 'd-1',
    bodyDigest: 'sha256:0',
    event: 'push',
    receivedAt: at,
    state: 'published',
    claimExpiresAt: at,
    attempts: 1,
    pushes: [{ repository, ref: 'refs/heads/main', before: '0', after: sha }],
  };
  await world.store.put(keys.delivery('github', 'd-1'), JSON.stringify(delivery), 'any');
  await world.store.put(keys.deliveryLog('github', at, 'd-1'), '{}', 'any');
  for (const object of ['Deployment/web/front', 'deployment/front', 'Deployment web/front']) {
    const text = linesOf(await trace(session, object, {})).join('\n');
    assert.match(text, /^object +Deployment web\/front/);
    assert.match(text, /^target +east\/web$/m);
    assert.match(text, /^commit +c0ffee0 change/m);
    assert.match(text, /^author +Ada/m);
    assert.match(text, new RegExp(`^run +${run.id}: push by webhook`, 'm'));
    assert.match(text, /^event +push of github, delivery d-1/m);
  }
  await assert.rejects(trace(session, 'Deployment/other', {}), /No inventory has Deployment\/other/);
  await assert.rejects(trace(session, 'Deployment', {}), /say KIND\/NAME/);
});

it('wait ends when the commit is there and healthy, and with 1 when its time is over', async () => {
  const { world, session } = cliWorld();
  await world.deploy('web', [configMap('front')]);
  await world.sweepAll();
  const told: string[] = [];
  const options = { app: 'web', for: 'healthy', timeout: 10 } as const;
  const met = await wait(session, options, (line) => told.push(line));
  assert.deepEqual([met.exitCode, told], [undefined, []]);
  // The health of what was applied before is no answer.
  await world.push('web', [configMap('front', { a: '2' })]);
  const late = await wait(session, options, (line) => told.push(line));
  assert.equal(late.exitCode, 1);
  assert.match(late.notes?.join() ?? '', /not healthy after 10 s; see `trueup history --app web`/);
  assert.equal(told.length, 1);
});
