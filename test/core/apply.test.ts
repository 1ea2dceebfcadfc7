import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyRank, inApplyOrder, pruneRank, type ApplyTask, type PruneTask } from '../../core/apply.ts';
import { Retry } from '../../core/errors.ts';
import { defaultSettings } from '../../core/model/desired.ts';
import { refKey, refOf, type KubeObject } from '../../core/model/object.ts';
import { Policy } from '../../core/policy.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryCluster } from '../fakes/memory-cluster.ts';

const address = (name: string) => ({ apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name });

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const policy = new Policy(defaultSettings);
  return { clock, cluster, effects: { clock, cluster, policy, mayProceed: async () => undefined } };
}

function applyTask(object: KubeObject, plural: string, needs: readonly string[] = []): ApplyTask {
  const ref = refOf(object);
  const place = { apiVersion: object.apiVersion, plural, namespace: ref.namespace, name: ref.name };
  const entry = {
    ref,
    apiVersion: object.apiVersion,
    plural,
    state: 'intent' as const,
    created: false,
    adopted: false,
  };
  const digest = 'v1';
  return {
    key: refKey(ref),
    ref,
    object,
    digest,
    address: place,
    action: 'create',
    entry,
    live: undefined,
    needs,
  };
}

const none = { planned: new Set<string>(), failed: new Set<string>() };

describe('order', () => {
  test('each kind comes after what it needs; what nobody knows comes before admission webhooks', () => {
    const kinds = [
      'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
      'cert-manager.io/Certificate',
      'networking.k8s.io/Ingress',
      'apps/Deployment',
      '/Service',
      '/ConfigMap',
      '/ServiceAccount',
      'apiextensions.k8s.io/CustomResourceDefinition',
      '/Namespace',
    ];
    const refs = kinds.map((kind) => {
      const [group = '', name = ''] = kind.split('/');
      return { group, kind: name, name: 'a' };
    });
    const ranks = inApplyOrder(refs, (ref) => ref).map((rank) => rank.map(({ kind }) => kind));
    assert.deepEqual(ranks, [
      ['CustomResourceDefinition', 'Namespace'],
      ['ServiceAccount'],
      ['ConfigMap'],
      ['Service'],
      ['Deployment'],
      ['Ingress'],
      ['Certificate'],
      ['ValidatingWebhookConfiguration'],
    ]);
  });
});

describe('a definition', () => {
  const definition: KubeObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.org' },
  };
  const task = applyTask(definition, 'customresourcedefinitions');

  test('is waited for until it is established', async () => {
    const { cluster, clock, effects } = newWorld();
    let looks = 0;
    const slow = {
      ...effects,
      cluster: Object.assign(cluster, {
        apply: async () => {
          const object = cluster.write(task.address, { kind: definition.kind, status: { conditions: [] } });
          return { kind: 'applied' as const, created: true, object, warnings: [] };
        },
      }),
    };
    cluster.hook = (request) => {
      if (!request.startsWith('get')) return;
      looks += 1;
      if (looks < 3) return;
      const conditions = [{ type: 'Established', status: 'True' }];
      cluster.write(task.address, { kind: definition.kind, status: { conditions } });
    };
    const started = clock.now();
    const { results } = await applyRank([task], slow, none);
    assert.deepEqual([results[0]?.failure, looks], [undefined, 3]);
    assert.ok(clock.now() > started);
  });

  test('that is never established fails after half a minute, and may pass later', async () => {
    const { cluster, effects } = newWorld();
    const names = { conditions: [{ type: 'NamesAccepted', status: 'False' }] };
    Object.assign(cluster, {
      apply: async () => {
        const object = cluster.write(task.address, { kind: definition.kind, status: names });
        return { kind: 'applied', created: true, object, warnings: [] };
      },
    });
    const { results } = await applyRank([task], effects, none);
    assert.equal(results[0]?.failure, 'retry');
    assert.match(results[0].outcome.message ?? '', /was not established within 30 s/);
  });
});

describe('an object whose namespace or kind comes with the same run', () => {
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'late' },
  };
  const task = applyTask(object, 'configmaps', ['/Namespace//late']);
  const namespace = { apiVersion: 'v1', plural: 'namespaces', name: 'late' };

  test('is tried again while the server does not know it yet', async () => {
    const { cluster, clock, effects } = newWorld();
    const started = clock.now();
    cluster.hook = (request, when) => {
      const isTime = clock.now() - started >= 1_500;
      if (request.startsWith('apply') && when === 'before' && isTime)
        cluster.write(namespace, { kind: 'Namespace' });
    };
    const { results } = await applyRank([task], effects, { ...none, planned: new Set(['/Namespace//late']) });
    assert.equal(results[0]?.outcome.outcome, 'created');
  });

  test('fails at once, to be tried by another run, when nobody makes it', async () => {
    const { clock, effects } = newWorld();
    const started = clock.now();
    const { results } = await applyRank([task], effects, none);
    assert.deepEqual([results[0]?.failure, clock.now() - started], ['retry', 0]);
    assert.match(results[0]?.outcome.message ?? '', /namespaces "late" not found/);
  });
});

test('a field that only the definition of this run has is sent until the server knows it, and not for ever', async () => {
  const { cluster, clock, effects } = newWorld();
  const definition = 'apiextensions.k8s.io/CustomResourceDefinition//widgets.example.org';
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } };
  const task = applyTask(object, 'configmaps', [definition]);
  const started = clock.now();
  cluster.hook = (request, when) => {
    if (request.startsWith('apply') && when === 'before' && clock.now() - started >= 1_000)
      cluster.answers.clear();
  };
  cluster.answers.set('a', { kind: 'invalid', message: '.spec.colour: field not declared in schema' });
  const earlier = { ...none, planned: new Set([definition]) };
  const [met] = (await applyRank([task], effects, earlier)).results;
  assert.deepEqual([met?.outcome.outcome, clock.now() - started], ['created', 1_000]);
  cluster.hook = () => undefined;
  cluster.answers.set('a', { kind: 'invalid', message: '.spec.colour: field not declared in schema' });
  const [wrong] = (await applyRank([task], effects, earlier)).results;
  assert.equal(wrong?.failure, 'invalid');
});

describe('a server that is throttled', () => {
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'default' },
  };
  const throttled = (afterSeconds: number) =>
    new Retry({ subject: 'cluster', message: 'answered 429', afterSeconds });

  test('is taken at its word when it names a second', async () => {
    const { cluster, clock, effects } = newWorld();
    let times = 0;
    cluster.hook = (request, when) => {
      if (!request.startsWith('apply') || when !== 'before') return;
      times += 1;
      if (times < 3) throw throttled(1);
    };
    const started = clock.now();
    const { results } = await applyRank([applyTask(object, 'configmaps')], effects, none);
    assert.deepEqual([results[0]?.outcome.outcome, clock.now() - started], ['created', 2_000]);
  });

  test('that names a minute is left to another run', async () => {
    const { cluster, effects } = newWorld();
    cluster.hook = (request) => {
      if (request.startsWith('apply')) throw throttled(60);
    };
    const { results } = await applyRank([applyTask(object, 'configmaps')], effects, none);
    assert.deepEqual([results[0]?.failure, results[0]?.unanswered?.afterSeconds], ['retry', 60]);
  });
});

test('an object that somebody is deleting is not counted as applied', async () => {
  const { cluster, effects } = newWorld();
  cluster.write(address('a'), { kind: 'ConfigMap', metadata: { deletionTimestamp: '2026-11-23T12:00:00Z' } });
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } };
  const task: ApplyTask = { ...applyTask(object, 'configmaps'), action: 'update' };
  const { results } = await applyRank([task], effects, none);
  assert.equal(results[0]?.failure, 'retry');
  assert.match(
    results[0].outcome.message ?? '',
    /is being deleted since 2026-11-23T12:00:00Z: .*applied again once it is gone/,
  );
});

test('an object that somebody else created a moment before is left as it is', async () => {
  const { cluster, effects } = newWorld();
  cluster.write(address('a'), { kind: 'ConfigMap', data: { theirs: 'x' } });
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } };
  const { results } = await applyRank([applyTask(object, 'configmaps')], effects, none);
  assert.deepEqual([results[0]?.existed, results[0]?.failure, results[0]?.entry], [true, 'retry', undefined]);
  assert.deepEqual(cluster.live(address('a'))?.['data'], { theirs: 'x' });
});

test('a server that knows no precondition may write into what exists, which is never ours to prune', async () => {
  const { cluster, effects } = newWorld();
  cluster.write(address('a'), { kind: 'ConfigMap', data: { theirs: 'x' } });
  const apply = cluster.apply.bind(cluster);
  cluster.apply = async (at, sent, { dryRun, force }) => apply(at, sent, { dryRun, force });
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } };
  const { results } = await applyRank([applyTask(object, 'configmaps')], effects, none);
  assert.equal(results[0]?.entry?.created, false);
  assert.match(results[0].outcome.message ?? '', /existed already when it was applied: never pruned/);
});

describe('pruning looks again before it deletes', () => {
  const prune = (uid: string, more: Partial<PruneTask> = {}): PruneTask => {
    const ref = { group: '', kind: 'ConfigMap', namespace: 'default', name: 'a' };
    return {
      key: refKey(ref),
      ref,
      address: address('a'),
      uid,
      application: 'web',
      confirmed: false,
      entry: {
        ref,
        apiVersion: 'v1',
        plural: 'configmaps',
        state: 'deleting',
        created: true,
        adopted: false,
        uid,
      },
      wantedAs: undefined,
      ...more,
    };
  };

  test('what was replaced since the plan is left alone and forgotten', async () => {
    const { cluster, effects } = newWorld();
    const { uid } = cluster.write(address('a'), { kind: 'ConfigMap' }).metadata;
    cluster.remove(address('a'));
    cluster.write(address('a'), { kind: 'ConfigMap' });
    const { results } = await pruneRank([prune(uid)], effects);
    assert.deepEqual([results[0]?.outcome.outcome, results[0]?.forget], ['skipped', true]);
    assert.ok(cluster.live(address('a')));
  });

  test('what turned out to be a desired object is left alone', async () => {
    const { cluster, effects } = newWorld();
    const { uid } = cluster.write(address('a'), { kind: 'ConfigMap' }).metadata;
    const wantedAs = { group: 'other', kind: 'ConfigMap', namespace: 'default', name: 'a' };
    const { results } = await pruneRank([prune(uid, { wantedAs })], effects);
    assert.deepEqual([results[0]?.outcome.outcome, results[0]?.forget], ['skipped', true]);
    assert.ok(cluster.live(address('a')));
  });

  test('what was protected since the plan is kept, and stays in the inventory', async () => {
    const { cluster, effects } = newWorld();
    const annotations = { 'trueup.dev/prune': 'disabled' };
    const { uid } = cluster.write(address('a'), { kind: 'ConfigMap' }).metadata;
    cluster.write(address('a'), { kind: 'ConfigMap', metadata: { annotations } });
    const { results } = await pruneRank([prune(uid)], effects);
    assert.deepEqual([results[0]?.outcome.outcome, results[0]?.forget], ['skipped', false]);
    assert.ok(cluster.live(address('a')));
  });

  test('a write in between is looked at, then it is deleted as it is now', async () => {
    const { cluster, effects } = newWorld();
    const { uid } = cluster.write(address('a'), { kind: 'ConfigMap' }).metadata;
    let writes = 0;
    cluster.hook = (request, when) => {
      if (!request.startsWith('delete') || when !== 'before' || writes >= 2) return;
      writes += 1;
      cluster.write(address('a'), { kind: 'ConfigMap', data: { write: String(writes) } });
    };
    const { results } = await pruneRank([prune(uid)], effects);
    assert.deepEqual([results[0]?.outcome.outcome, results[0]?.forget, writes], ['pruned', true, 2]);
  });

  test('a deletion without an answer keeps its place in the inventory', async () => {
    const { cluster, effects } = newWorld();
    const { uid } = cluster.write(address('a'), { kind: 'ConfigMap' }).metadata;
    cluster.hook = (request) => {
      if (request.startsWith('delete')) throw new Retry({ subject: 'cluster', message: 'no answer' });
    };
    const { results } = await pruneRank([prune(uid)], effects);
    assert.deepEqual([results[0]?.failure, results[0]?.forget], ['retry', false]);
  });
});
