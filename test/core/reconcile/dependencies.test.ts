import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { writeDocument } from '../../../core/documents.ts';
import type { ClusterCheck } from '../../../core/model/check.ts';
import type { Target } from '../../../core/model/target.ts';
import { isoTime } from '../../../core/model/time.ts';
import { reconcile } from '../../../core/reconcile.ts';
import { configMap, didIn, pushTo, type PushOptions } from './reconcile-world.ts';
import { Rollout, deployment } from './rollout.ts';
import { widget, widgetDefinition } from './widgets.ts';

const base: Target = { cluster: 'east', application: 'base' };
const dependsOn = [{ application: 'base' }];

/** `web` depends on `base`; both lie in one store, on clusters that are one in memory. */
class Pair extends Rollout {
  async pushBase(objects = [deployment('base')], options: PushOptions = {}, target = base): Promise<void> {
    const { store, sealer, clock } = this.world;
    await pushTo({ store, sealer, clock, target, namespace: 'default' }, objects, options);
  }
  async runBase(target = base, reason: 'push' | 'health' | 'continue' = 'push'): Promise<string> {
    const result = await reconcile({ version: 1, target, reason, requestedBy: 'test' }, this.world.deps);
    return result.kind === 'ran' ? (result.record.outcome?.message ?? '') : result.why;
  }
  async message(): Promise<string> {
    return (await this.world.record()).outcome?.message ?? '';
  }
  takeOwn(): void {
    const { later } = this.world.queues;
    later.splice(0, later.length, ...later.filter(({ request }) => request.target.application === 'web'));
  }
}

describe('dependsOn', () => {
  test('waits, touching nothing, until the other one is applied and Healthy, and says why', async () => {
    const pair = new Pair();
    const { world, cluster, clock } = pair;
    await world.push([configMap('a')], { dependsOn });
    assert.equal(await pair.message(), 'waits for base on east: there is no such application there');
    await pair.pushBase();
    const news = [];
    news.push(await pair.next());
    await pair.runBase();
    pair.takeOwn();
    cluster.effects.length = 0;
    news.push(await pair.next());
    assert.deepEqual(cluster.effects, []);
    assert.match(news[0] ?? '', /waits for base on east: revision 1 is not applied yet/);
    assert.match(news[1] ?? '', /waits for base on east: Progressing: Deployment default\/base/);
    pair.roll('base');
    clock.advance(5_000);
    await pair.runBase(base, 'health');
    pair.takeOwn();
    assert.match(await pair.next(), /continue: applied: 1 created/);
  });

  test('across clusters, by name', async () => {
    const pair = new Pair();
    const west = { cluster: 'west', application: 'base' };
    await pair.world.push([configMap('a')], { dependsOn: [{ application: 'base', cluster: 'west' }] });
    await pair.pushBase([configMap('b')]);
    await pair.runBase();
    assert.match(await pair.message(), /waits for base on west: there is no such application there/);
    await pair.pushBase([configMap('b2')], {}, west);
    await pair.runBase(west);
    assert.match(await pair.next(), /applied/);
  });

  test('a new revision of the other one makes it wait again; a heal of what is applied does not', async () => {
    const pair = new Pair();
    await pair.pushBase([configMap('b')]);
    await pair.runBase();
    await pair.world.push([configMap('a')], { dependsOn });
    await pair.world.record();
    await pair.pushBase([configMap('b', { b: '2' })]);
    assert.equal((await pair.world.record('heal')).outcome?.kind, 'applied');
    await pair.world.push([configMap('a', { a: '2' })], { dependsOn });
    assert.match(await pair.message(), /waits for base on east: revision 2 is not applied yet/);
  });

  test('what the last sweep saw counts where it is newer than what the run saw', async () => {
    const pair = new Pair();
    const { world, clock } = pair;
    await pair.pushBase();
    await pair.runBase();
    clock.advance(60_000);
    const seen = { at: isoTime(clock.now()), sync: 'Synced', reason: '', drifted: 0, revision: 1 } as const;
    const targets = { base: { ...seen, health: 'Healthy', healthMessage: '' } } as const;
    const check: ClusterCheck = { version: 1, seq: 1, cluster: 'east', at: seen.at, targets };
    await writeDocument(world.store, keys.check('east'), check, 'any');
    await world.push([configMap('a')], { dependsOn });
    assert.match(await pair.message(), /1 created/);
  });

  test('an expression takes the place of applied and Healthy', async () => {
    const pair = new Pair();
    await pair.pushBase();
    await pair.runBase();
    pair.takeOwn();
    const ready = 'dependency.revision >= 1 && dependency.health != "Degraded"';
    await pair.world.push([configMap('a')], { dependsOn: [{ application: 'base', ready }] });
    assert.match(await pair.message(), /1 created/);
    const never = 'dependency.revision >= 7';
    await pair.world.push([configMap('a')], { dependsOn: [{ application: 'base', ready: never }] });
    assert.equal(await pair.message(), 'waits for base on east: dependency.revision >= 7 is not true yet');
    const odd = 'dependency.colour == "red"';
    await pair.world.push([configMap('a')], { dependsOn: [{ application: 'base', ready: odd }] });
    assert.match(
      await pair.message(),
      /waits for base on east: dependency.colour == "red": No such key: colour/,
    );
  });

  test('past its timeout it fails, is tried again more and more seldom, and goes on when the other is ready', async () => {
    const pair = new Pair();
    const { world } = pair;
    await world.push([configMap('a'), deployment('web'), deployment('late', { wave: '1' })], {
      dependsOn,
      timeoutSeconds: 60,
    });
    await world.record();
    let last = '';
    for (let run = 0; run < 10 && !last.includes('failed'); run += 1) last = await pair.next();
    assert.match(last, /continue: failed: revision 1: gave up after 1 min.*waits for base on east/);
    for (const expected of [5, 10, 20]) {
      assert.equal(world.queues.later[0]?.delaySeconds, expected);
      assert.match(await pair.next(), /retry: failed: /);
    }
    await pair.pushBase([configMap('b')]);
    await pair.runBase();
    pair.takeOwn();
    assert.match(
      await pair.next(),
      /retry: waiting: wave 1 waits for Deployment default\/web/,
      'its own time begins now',
    );
    pair.roll('web');
    assert.match(await pair.next(), /continue: applied/);
  });

  test('of two that are gone the one that depends is pruned first; while it is there, nothing of the other goes', async () => {
    const pair = new Pair();
    const { world } = pair;
    await pair.pushBase([configMap('b')], { onDelete: 'prune' });
    await pair.runBase();
    await world.push([configMap('a')], { dependsOn, onDelete: 'prune' });
    await world.record();
    await pair.pushBase([configMap('b')], { state: 'gone', onDelete: 'prune' });
    assert.equal(await pair.runBase(), 'its objects stay while web on east depends on it (spec.dependsOn)');
    await world.push([configMap('a')], { dependsOn, state: 'gone', onDelete: 'prune' });
    pair.clock.advance(60_000);
    assert.match(
      await pair.runBase(base, 'continue'),
      /web on east, which depends on it, is pruned: 1 objects are left/,
    );
    assert.equal((await world.record()).outcome?.kind, 'applied');
    pair.clock.advance(60_000);
    assert.match(await pair.runBase(base, 'continue'), /1 pruned/);
    assert.equal(pair.there, '');
  });
});

test('a kind that another application brings later is tried again, without a commit', async () => {
  const pair = new Pair();
  const { world } = pair;
  await world.push([widget, configMap('a')]);
  const { outcome } = await world.record();
  assert.equal(outcome?.kind, 'blocked');
  assert.match(
    outcome.message,
    /the cluster does not serve example.org\/v1 Widget; install its CustomResourceDefinition/,
  );
  await pair.pushBase([widgetDefinition]);
  await pair.runBase();
  pair.takeOwn();
  assert.match(await pair.next(), /^retry: applied: 1 created, 0 updated, 1 unchanged/);
});

test('a definition that is never established fails with its objects, and is tried again', async () => {
  const { world, cluster } = new Pair();
  const metadata = { ...widgetDefinition.metadata, uid: 'u', resourceVersion: '1' };
  cluster.answers.set('widgets.example.org', {
    kind: 'applied',
    created: true,
    object: { ...widgetDefinition, metadata },
    warnings: [],
  });
  await world.push([widgetDefinition, widget, configMap('a')]);
  const record = await world.record();
  assert.equal(record.outcome?.kind, 'failed');
  assert.deepEqual(didIn(record), [
    'created ConfigMap a',
    'failed CustomResourceDefinition widgets.example.org',
    'skipped Widget w',
  ]);
  assert.match(record.outcome.message, /was not established within/);
  assert.equal(world.queues.later[0]?.request.reason, 'retry');
});
