import assert from 'node:assert/strict';
import { defaultSettings } from '../../../core/model/desired.ts';
import { describe, test } from 'node:test';
import type { KubeObject, LiveObject } from '../../../core/model/object.ts';
import { decidePlan, resolveDesired, type Decision } from '../../../core/plan.ts';
import { actions, at, decide, keyOf, served } from './scenario.ts';

describe('what is pruned', () => {
  test('only what we created or adopted and is still the same object', () => {
    const decision = decide(`
      git: { keep: v1 }
      inventory:
        keep:
        created:
        adopted: { created: false, adopted: true }
        found: { created: false }
        replaced:
        gone:
        kept:
      live:
        keep:
        created:
        adopted:
        found:
        replaced: { uid: other }
        kept: { annotations: { trueup.dev/prune: disabled } }
    `);
    assert.deepEqual(actions(decision), {
      keep: 'leave: is unchanged',
      created: 'prune: is gone from Git',
      adopted: 'prune: is gone from Git',
      found: 'orphan: existed before us and was never adopted',
      replaced: 'orphan: was replaced by somebody: the object of that name is another one now',
      gone: 'orphan: is not on the cluster any more',
      kept: 'leave: is kept: its annotation trueup.dev/prune is disabled',
    });
    assert.deepEqual(
      decision.prune.map(({ uid }) => uid),
      ['uid-created', 'uid-adopted'],
    );
    assert.deepEqual(
      decision.forget.toSorted(),
      [keyOf('found'), keyOf('gone'), keyOf('replaced')].toSorted(),
    );
  });

  test('never what another application has taken over: the label says whose it is', () => {
    const decision = decide(`
      git: { keep: v1 }
      inventory: { keep: , moved: , unlabelled: }
      live:
        keep:
        moved: { labels: { trueup.dev/application: other } }
        unlabelled: { labels: {} }
    `);
    assert.equal(actions(decision)['moved'], 'orphan: belongs to the application other now');
    assert.equal(actions(decision)['unlabelled'], 'prune: is gone from Git');
    assert.deepEqual(decision.forget, [keyOf('moved')]);
  });

  test('never a namespace that still holds something desired: it would take that along', () => {
    const namespace = { group: '', kind: 'Namespace', name: 'web' };
    const entry = {
      ref: namespace,
      apiVersion: 'v1',
      plural: 'namespaces',
      state: 'applied' as const,
      created: true,
      adopted: false,
      uid: 'ns',
      desiredDigest: 'v1',
    };
    const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
    const live: LiveObject = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'web', uid: 'ns', resourceVersion: '1' },
    };
    const planOf = (objects: readonly KubeObject[]) =>
      decidePlan({
        application: 'web',
        repository: 'config',
        desired: resolveDesired(
          {
            application: 'web',
            namespace: 'web',
            objects: objects.map((each) => ({ object: each, digest: 'v1' })),
            origins: {},
          },
          served,
        ),
        state: 'present',
        settings: defaultSettings,
        entries: { '/Namespace//web': entry },
        observed: new Map([['/Namespace//web', live]]),
        scope: 'changed',
        drifted: new Set(),
        pruneCap: { percent: 30, objects: 5 },
        at,
      });
    const held = planOf([object]);
    assert.deepEqual(held.prune, []);
    assert.match(JSON.stringify(held.plan.actions), /would delete ConfigMap web\/a, which stays/);
    const elsewhere = { ...object, metadata: { name: 'a', namespace: 'other' } };
    assert.match(JSON.stringify(planOf([elsewhere]).plan.actions), /"action":"mark"/);
  });

  test('nothing when prune is off: objects are left and forgotten', () => {
    const decision = decide(`
      prune: false
      git: { keep: v1 }
      inventory: { keep: , old: }
      live: { keep: , old: }
    `);
    assert.equal(actions(decision)['old'], 'orphan: is gone from Git, and prune is off');
    assert.equal(decision.prune.length, 0);
  });

  const many = (count: number): string =>
    Array.from({ length: count }, (_, index) => `o${index}: `).join(', ');
  const cap = (old: number, keep: number, more = ''): Decision => {
    const kept = Array.from({ length: keep }, (_, index) => `k${index}`);
    return decide(`
      ${more}
      git: { ${kept.map((name) => `${name}: v1`).join(', ')} }
      inventory: { ${[many(old), ...kept.map((name) => `${name}: `)].join(', ')} }
      live: { ${[many(old), ...kept.map((name) => `${name}: `)].join(', ')} }
    `);
  };

  test('the cap: more than 30 % and more than 5 objects stop the run and ask', () => {
    assert.equal(cap(5, 1).plan.refusal, undefined, '83 %, but only 5');
    assert.equal(cap(6, 14).plan.refusal, undefined, '6, but exactly 30 %');
    assert.equal(
      cap(6, 13).plan.refusal,
      'would prune 6 of 19 objects, more than 30 % and more than 5; nothing was changed. If that is meant, ' +
        'confirm it with `trueup sync --app web --confirm-prune 6`; if not, put the objects back into Git',
    );
  });

  test('a confirmed number is the most that is pruned', () => {
    assert.equal(cap(6, 1, 'confirmPrune: 6').plan.refusal, undefined);
    assert.notEqual(cap(7, 1, 'confirmPrune: 6').plan.refusal, undefined);
  });

  test('a snapshot without objects never empties a target', () => {
    const decision = decide(`{ git: {}, inventory: { a: }, live: { a: } }`);
    assert.match(decision.plan.refusal ?? '', /holds no objects/);
  });
});

describe('gone from Git', () => {
  test('orphan leaves and forgets everything', () => {
    const decision = decide(`{ state: gone, inventory: { a: , b: }, live: { a: , b: } }`);
    assert.deepEqual([decision.prune.length, decision.forget.length], [0, 2]);
    assert.equal(decision.plan.refusal, undefined);
  });

  test('prune takes everything, and is held above the cap as well', () => {
    const few = decide(`{ state: gone, onDelete: prune, inventory: { a: , b: }, live: { a: , b: } }`);
    assert.equal(few.prune.length, 2);
    assert.equal(few.plan.refusal, undefined);
    const names = '{ a: , b: , c: , d: , e: , f: }';
    const all = decide(`{ state: gone, onDelete: prune, inventory: ${names}, live: ${names} }`);
    assert.match(all.plan.refusal ?? '', /would prune 6 of 6 objects/);
  });
});

test('an object that moved between API groups is the same object: never pruned, still ours', () => {
  const object: KubeObject = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'a', namespace: 'web' },
  };
  const live: LiveObject = { ...object, metadata: { ...object.metadata, uid: 'one', resourceVersion: '1' } };
  const ref = { group: 'extensions', kind: 'Ingress', namespace: 'web', name: 'a' };
  const decision = decidePlan({
    application: 'web',
    repository: 'config',
    desired: resolveDesired(
      { application: 'web', namespace: 'web', objects: [{ object, digest: 'v2' }], origins: {} },
      served,
    ),
    state: 'present',
    settings: defaultSettings,
    entries: {
      'extensions/Ingress/web/a': {
        ref,
        apiVersion: 'extensions/v1beta1',
        plural: 'ingresses',
        state: 'applied',
        created: true,
        adopted: false,
        uid: 'one',
        desiredDigest: 'v1',
      },
    },
    observed: new Map([
      ['networking.k8s.io/Ingress/web/a', live],
      ['extensions/Ingress/web/a', live],
    ]),
    scope: 'changed',
    drifted: new Set(),
    pruneCap: { percent: 0, objects: 0 },
    at,
  });
  assert.equal(decision.prune.length, 0);
  assert.deepEqual(decision.forget, ['extensions/Ingress/web/a']);
  const [step] = decision.apply;
  assert.deepEqual([step?.action, step?.entry.created, step?.entry.uid], ['update', true, 'one']);
});
