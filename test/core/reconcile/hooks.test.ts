import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { configMap } from './reconcile-world.ts';
import { Rollout, annotated, deployment, isLabelled, job, jobAddress } from './rollout.ts';

const created = (name: string): string => `apply batch/v1/jobs/default/${name}`;
const pre = (name = 'migrate') => job(name, { hook: 'pre' });
const key = (phase: string, name: string): string => `${phase} batch/Job/default/${name}`;

describe('hooks', () => {
  test('a pre hook ends before anything else is touched, is no part of the state, and runs once', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    await world.push([pre(), configMap('a')]);
    const record = await world.record();
    assert.match(record.outcome?.message ?? '', /^waits for pre hook Job default\/migrate: Progressing/);
    assert.equal(rollout.there, 'Job migrate');
    assert.ok(cluster.labelled().every(isLabelled));
    rollout.end('migrate', 'Complete');
    assert.match(await rollout.next(), /continue: applied: 1 created/);
    const { entries, hooks } = await world.inventory();
    assert.deepEqual(Object.keys(entries), ['/ConfigMap/default/a']);
    assert.deepEqual(
      Object.entries(hooks).map(([name, { state, revision }]) => [name, state, revision]),
      [[key('pre', 'migrate'), 'succeeded', 1]],
    );
    cluster.remove({ apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'a' });
    await world.record('heal');
    await world.record('sync');
    assert.equal(rollout.count(created('migrate')), 1, 'neither a heal nor a sync runs it again');
    assert.equal(rollout.there, 'ConfigMap a, Job migrate');
  });

  test('the next revision deletes the old object first, then runs the hook anew', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    await world.push([pre(), configMap('a')]);
    await world.record();
    rollout.end('migrate', 'Complete');
    await rollout.next();
    cluster.effects.length = 0;
    await world.push([pre(), configMap('a', { a: '2' })]);
    await world.record();
    assert.deepEqual(cluster.effects, [
      'delete batch/v1/jobs/default/migrate (Foreground)',
      created('migrate'),
    ]);
    assert.equal(await rollout.stateOf(key('pre', 'migrate')), 'running');
  });

  test('one that fails ends the run with its words; only a sync runs it again', async () => {
    const rollout = new Rollout();
    const { world } = rollout;
    await world.push([pre(), configMap('a')]);
    await world.record();
    rollout.end('migrate', 'Failed', 'Job has reached the specified backoff limit');
    assert.match(
      await rollout.next(),
      /failed: pre hook Job default\/migrate: failed: Degraded: BackoffLimitExceeded: Job has reached the specified backoff limit; mend it/,
    );
    assert.equal(rollout.there, 'Job migrate', 'nothing was applied, and the object stays to be looked at');
    assert.equal(await rollout.next(), 'nothing is asked for');
    for (const reason of ['push', 'pending', 'retry', 'continue', 'heal'] as const) {
      assert.equal((await world.run(reason)).kind, 'rested', reason);
    }
    assert.match((await world.record('sync')).outcome?.message ?? '', /^waits for pre hook/);
    assert.equal(rollout.count(created('migrate')), 2);
    rollout.end('migrate', 'Complete');
    assert.match(await rollout.next(), /applied/);
  });

  test('a post hook waits until everything is in and Healthy; the revision counts when it has succeeded', async () => {
    const rollout = new Rollout();
    const { world } = rollout;
    await world.push([job('smoke', { hook: 'post' }), deployment('web')]);
    assert.match(
      (await world.record()).outcome?.message ?? '',
      /^post hooks wait for Deployment default\/web/,
    );
    assert.equal(rollout.there, 'Deployment web');
    rollout.roll('web');
    assert.match(await rollout.next(), /waiting: waits for post hook Job default\/smoke/);
    assert.equal((await world.inventory()).applied, undefined);
    rollout.end('smoke', 'Complete');
    assert.match(await rollout.next(), /applied/);
  });

  test('waves order hooks among themselves', async () => {
    const rollout = new Rollout();
    const { world } = rollout;
    await world.push([
      job('b', { hook: 'pre', wave: '2' }),
      job('a', { hook: 'pre', wave: '1' }),
      configMap('x'),
    ]);
    await world.record();
    assert.equal(rollout.there, 'Job a');
    rollout.end('a', 'Complete');
    await rollout.next();
    assert.equal(rollout.there, 'Job a, Job b');
  });

  test('delete policies: after success, after failure', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    const hooks = [
      job('tidy', { hook: 'pre', 'hook-delete': 'succeeded' }),
      job('kept', { hook: 'pre', wave: '1', 'hook-delete': 'succeeded' }),
    ];
    await world.push([...hooks, configMap('a')]);
    await world.record();
    rollout.end('tidy', 'Complete');
    await rollout.next();
    assert.equal(rollout.there, 'Job kept');
    rollout.end('kept', 'Failed');
    await rollout.next();
    assert.equal(rollout.there, 'Job kept');
    await world.push([...hooks, configMap('a', { a: '2' })]);
    await world.record();
    rollout.end('tidy', 'Complete');
    assert.match(await rollout.next(), /failed: .*its object of an earlier run is still there/);
    assert.ok(cluster.live(jobAddress('kept')));
  });

  test('fail hooks run when a revision fails for good, once, and are looked at until they end', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    const tell = job('tell', { hook: 'fail', 'hook-delete': 'succeeded' });
    cluster.answers.set('bad', { kind: 'invalid', message: 'is invalid' });
    await world.push([tell, configMap('bad')]);
    const record = await world.record();
    assert.equal(record.outcome?.kind, 'failed');
    assert.match(record.outcome.message, /ConfigMap default\/bad: is invalid/);
    assert.equal(rollout.there, 'Job tell');
    assert.equal(await rollout.next(), 'health: looked fail hooks are at work');
    rollout.end('tell', 'Complete');
    assert.equal(await rollout.next(), 'health: looked fail hooks have ended');
    assert.equal(await rollout.stateOf(key('fail', 'tell')), 'succeeded');
    assert.equal(rollout.there, '');
    assert.equal((await world.record('sync')).outcome?.kind, 'failed');
    assert.equal(rollout.count(created('tell')), 1);
  });

  test('fail hooks rest where the same run is tried again, and where a newer commit came', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    const tell = job('tell', { hook: 'fail' });
    cluster.answers.set('busy', { kind: 'conflict', message: 'try again', fields: [] });
    await world.push([tell, configMap('busy')]);
    assert.equal((await world.record()).outcome?.kind, 'failed');
    assert.equal(rollout.there, '');
    cluster.answers.clear();
    await world.push([tell, configMap('one'), configMap('two')]);
    cluster.hook = (request, when) => {
      if (request.endsWith('/one') && when === 'after') void world.push([tell, configMap('one')]);
    };
    await world.record();
    assert.equal(rollout.count(created('tell')), 0);
  });

  test('delete hooks run when the application is gone and pruned, before anything goes; then they go as well', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    const objects = [job('backup', { hook: 'delete' }), pre(), configMap('a')];
    await world.push(objects, { onDelete: 'prune' });
    await world.record();
    rollout.end('migrate', 'Complete');
    assert.match(await rollout.next(), /applied/);
    assert.equal(rollout.count(created('backup')), 0);
    await world.push(objects, { state: 'gone', onDelete: 'prune' });
    assert.match((await world.record()).outcome?.message ?? '', /^waits for delete hook Job default\/backup/);
    assert.equal(rollout.there, 'ConfigMap a, Job backup, Job migrate');
    rollout.end('backup', 'Complete');
    assert.match(await rollout.next(), /applied/);
    assert.equal(rollout.there, '');
    assert.deepEqual((await world.inventory()).hooks, {});
    assert.equal(rollout.count(created('migrate')), 1);
    assert.equal(cluster.live(jobAddress('backup')), undefined);
  });

  test('a hook that Git gave up goes with the next revision', async () => {
    const rollout = new Rollout();
    const { world } = rollout;
    await world.push([pre(), configMap('a')]);
    await world.record();
    rollout.end('migrate', 'Complete');
    await rollout.next();
    await world.push([configMap('a', { a: '2' })]);
    await world.record();
    assert.equal(rollout.there, 'ConfigMap a');
    assert.deepEqual((await world.inventory()).hooks, {});
  });

  test('one that hangs ends with the timeout of the revision', async () => {
    const rollout = new Rollout();
    const { world } = rollout;
    await world.push([pre(), configMap('a')], { timeoutSeconds: 60 });
    await world.record();
    let last = '';
    for (let run = 0; run < 10 && !last.includes(': failed'); run += 1) last = await rollout.next();
    assert.match(last, /gave up after 1 min \(spec\.timeout\): waits for pre hook Job default\/migrate/);
  });

  test('an object of that name that is nobody’s hook is left alone', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    cluster.write(jobAddress('migrate'), { kind: 'Job', spec: {} });
    await world.push([pre(), configMap('a')]);
    assert.match(
      (await world.record()).outcome?.message ?? '',
      /exists already and is no hook of this application/,
    );
    assert.deepEqual(cluster.effects, []);
  });

  test('one whose object vanished is not taken for done', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    await world.push([pre(), configMap('a')]);
    await world.record();
    cluster.remove(jobAddress('migrate'));
    assert.match(await rollout.next(), /failed: .*its object is gone, and nobody saw how it ended/);
  });

  test('one of a kind that is not served keeps the revision from beginning', async () => {
    const { world, cluster } = new Rollout();
    const alien = annotated(
      { apiVersion: 'example.org/v1', kind: 'Alien', metadata: { name: 'x' } },
      { hook: 'pre' },
    );
    await world.push([alien, configMap('a')]);
    const { outcome } = await world.record();
    assert.equal(outcome?.kind, 'blocked');
    assert.match(
      outcome.message,
      /^hook Alien.example.org x: the cluster does not serve example.org\/v1 Alien/,
    );
    assert.deepEqual(cluster.effects, []);
    assert.equal(world.queues.later[0]?.request.reason, 'retry');
  });

  test('an annotation that nobody knows is a stop', async () => {
    const { world } = new Rollout();
    await world.push([job('x', { hook: 'before' })]);
    assert.match(
      (await world.record()).outcome?.message ?? '',
      /Job x: has trueup.dev\/hook: "before"; "before" is none of pre, post, fail, delete/,
    );
  });

  test('one for two phases that is deleted in the foreground is waited for, then runs again', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    await world.push([job('m', { hook: 'pre,post', 'hook-delete': 'succeeded' }), configMap('a')]);
    await world.record();
    // As on a real server, it stays until its Pods are gone.
    cluster.write(jobAddress('m'), {
      kind: 'Job',
      metadata: { ...cluster.live(jobAddress('m'))?.metadata, finalizers: ['foregroundDeletion'] },
    });
    rollout.end('m', 'Complete');
    assert.match(
      await rollout.next(),
      /waiting: waits for post hook Job default\/m: its object .* being deleted/,
    );
    assert.equal(rollout.count(created('m')), 1);
    cluster.remove(jobAddress('m'));
    assert.match(await rollout.next(), /waiting: waits for post hook Job default\/m: Progressing/);
    assert.equal(rollout.count(created('m')), 2);
    rollout.end('m', 'Complete');
    assert.match(await rollout.next(), /applied/);
  });

  test('a fail hook whose old object is still being deleted comes with the run that is tried again', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    cluster.answers.set('bad', { kind: 'invalid', message: 'is invalid' });
    await world.push([job('tell', { hook: 'fail' }), configMap('bad')]);
    await world.record();
    rollout.end('tell', 'Complete');
    await rollout.next();
    const { metadata } = cluster.live(jobAddress('tell')) ?? {};
    cluster.write(jobAddress('tell'), {
      kind: 'Job',
      metadata: { ...metadata, finalizers: ['foregroundDeletion'] },
    });
    await world.push([job('tell', { hook: 'fail' }), configMap('bad', { a: '2' })]);
    assert.equal((await world.record()).outcome?.kind, 'failed');
    assert.equal(rollout.count(created('tell')), 1);
    cluster.remove(jobAddress('tell'));
    await rollout.next();
    assert.equal(rollout.count(created('tell')), 2);
  });

  test('an object that somebody creates in between is neither taken for the hook nor ever deleted', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    const hook = job('m', { hook: 'pre', 'hook-delete': 'before,succeeded,failed' });
    let isDone = false;
    cluster.hook = (request, when) => {
      if (isDone || when !== 'before' || request !== created('m')) return;
      isDone = true;
      cluster.write(jobAddress('m'), { kind: 'Job', spec: { image: 'a:1' } }, 'someone');
    };
    await world.push([hook, configMap('a')]);
    await world.record();
    rollout.end('m', 'Complete');
    for (let run = 0; run < 3; run += 1) await rollout.next();
    await world.record('sync');
    await world.push([configMap('a')]);
    await world.record();
    const theirs = cluster.live(jobAddress('m'));
    assert.deepEqual(theirs?.['spec'], { image: 'a:1' });
    assert.equal(cluster.effects.filter((effect) => effect.startsWith('delete')).length, 0);
  });

  test('a hook that becomes part of the state is applied and stays', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    await world.push([pre(), configMap('a')]);
    await world.record();
    rollout.end('migrate', 'Complete');
    await rollout.next();
    await world.push([job('migrate', {}), configMap('a')]);
    assert.equal((await world.record()).outcome?.kind, 'applied');
    const { entries, hooks } = await world.inventory();
    assert.equal(entries['batch/Job/default/migrate']?.created, true);
    assert.deepEqual(hooks, {});
    assert.equal(
      cluster.live(jobAddress('migrate'))?.metadata.annotations?.['trueup.dev/hook-run'],
      undefined,
    );
  });

  test('what was part of the state and becomes a hook is deleted first, unless its annotation protects it', async () => {
    for (const protection of [{}, { prune: 'disabled' }, { prune: 'confirm' }]) {
      const rollout = new Rollout();
      const { world, cluster } = rollout;
      await world.push([job('migrate', protection), configMap('a')]);
      await world.record();
      world.queues.later.length = 0;
      const { uid } = cluster.live(jobAddress('migrate'))?.metadata ?? {};
      await world.push([pre(), configMap('a')]);
      const { outcome } = await world.record();
      const isProtected = 'prune' in protection;
      assert.equal(outcome?.kind, isProtected ? 'failed' : 'waiting', outcome?.message);
      assert.equal(cluster.live(jobAddress('migrate'))?.metadata.uid === uid, isProtected);
      if (isProtected) continue;
      rollout.end('migrate', 'Complete');
      assert.match(await rollout.next(), /applied/);
      assert.equal(rollout.there, 'ConfigMap a, Job migrate');
      assert.deepEqual(Object.keys((await world.inventory()).entries), ['/ConfigMap/default/a']);
    }
  });
});
