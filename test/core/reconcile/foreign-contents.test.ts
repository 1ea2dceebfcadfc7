import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { Neighbourhood, plannedIn } from './neighbourhood.ts';
import { configMap, ReconcileWorld } from './reconcile-world.ts';
import { widgetDefinition } from './widgets.ts';

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const both = new Neighbourhood(new ReconcileWorld(clock, cluster));
  const deletions = () => cluster.effects.filter((effect) => effect.startsWith('delete'));
  return { clock, cluster, both, deletions };
}

describe('what is in a Namespace or of a definition', () => {
  const shop: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  const inShop: KubeObject = { ...configMap('theirs'), metadata: { name: 'theirs', namespace: 'shop' } };

  test('keeps it while another application has or desires something there', async () => {
    const { both, clock, deletions } = newWorld();
    await both.push('a', [shop, configMap('keep')]);
    await both.run('a');
    await both.push('a', [configMap('keep')]);
    await both.run('a');
    clock.advance(900_000);
    await both.push('b', [inShop], { sync: 'manual' });
    assert.match(
      plannedIn(await both.record('a', 'pending')).join(),
      /Namespace shop: leave is kept: deleting it would delete ConfigMap shop\/theirs, which the application b desires, which stays/,
    );
    await both.run('b', 'sync');
    assert.match(
      plannedIn(await both.record('a', 'sync')).join(),
      /Namespace shop: leave is kept: deleting it would delete ConfigMap shop\/theirs of the application b, which stays/,
    );
    assert.deepEqual(deletions(), []);
  });

  const widget = { apiVersion: 'example.org/v1', plural: 'widgets', namespace: 'default', name: 'w' };

  test('keeps a definition while anybody has an object of its kind, until a person agrees', async () => {
    const { both, clock, cluster, deletions } = newWorld();
    await both.push('a', [widgetDefinition, configMap('keep')]);
    await both.run('a');
    cluster.write(widget, { kind: 'Widget' });
    await both.push('a', [configMap('keep')]);
    await both.run('a');
    clock.advance(900_000);
    assert.match(
      plannedIn(await both.record('a', 'pending')).join(),
      /CustomResourceDefinition widgets.example.org: leave is kept: .*Widget.* default\/w, which nobody here manages/,
    );
    assert.deepEqual(deletions(), []);
    await both.run('a', 'sync', { confirmPrune: 1 });
    assert.equal(deletions().length, 1);
  });

  test('a definition goes with its own objects: these first, and it when they are gone', async () => {
    const { both, clock, deletions } = newWorld();
    await both.push('a', [
      widgetDefinition,
      { apiVersion: 'example.org/v1', kind: 'Widget', metadata: { name: 'w' } },
      configMap('keep'),
    ]);
    await both.run('a');
    await both.push('a', [configMap('keep')]);
    await both.run('a');
    assert.deepEqual(deletions(), ['delete example.org/v1/widgets/default/w']);
    clock.advance(900_000);
    await both.run('a', 'pending');
    assert.equal(deletions().length, 2);
  });
});
