import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actions, at, decide, keyOf } from './plan/scenario.ts';

describe('what a push applies', () => {
  test('new objects are created, changed ones updated, others left', () => {
    const decision = decide(`
      git: { a: v1, b: v2, c: v1 }
      inventory: { a: , b: }
      live: { a: , b: }
    `);
    assert.deepEqual(actions(decision), {
      a: 'leave: is unchanged',
      b: 'update: changed in Git',
      c: 'create: is new',
    });
    const create = decision.apply.find(({ action }) => action === 'create');
    assert.equal(create?.entry.state, 'intent');
    assert.equal(create.entry.uid, undefined);
    assert.equal(create.entry.created, false, 'only the answer 201 says that we created it');
    assert.equal(create.entry.intendedAt, at);
  });

  test('heal: what drifted or is missing is put right with the push', () => {
    const decision = decide(`
      git: { a: v1, b: v1, c: v1 }
      inventory: { a: , b: , c: }
      live: { a: , b: }
      drifted: [a]
    `);
    assert.deepEqual(actions(decision), {
      a: 'update: has drifted',
      b: 'leave: is unchanged',
      c: 'create: is missing on the cluster',
    });
  });

  test('observe: a push writes only what changed in Git', () => {
    const decision = decide(`
      drift: observe
      git: { a: v1, b: v2, c: v1, d: v2, e: v1 }
      inventory: { a: , b: , c: , d: , e: }
      live: { a: , b: , e: { uid: other } }
      drifted: [a, b]
    `);
    assert.deepEqual(actions(decision), {
      a: 'leave: is unchanged',
      b: 'update: changed in Git',
      c: 'leave: is missing on the cluster; drift is only observed',
      d: 'create: changed in Git, and is missing on the cluster',
      e: 'leave: was replaced by somebody: it has another uid now, and is not ours to prune; drift is only observed',
    });
  });

  test('a sync by a person applies everything, in observe as well', () => {
    const decision = decide(`
      drift: observe
      scope: all
      git: { a: v1, b: v1 }
      inventory: { a: , b: }
      live: { a: }
    `);
    assert.deepEqual(actions(decision), {
      a: 'update: is applied again',
      b: 'create: is missing on the cluster',
    });
  });

  test('what an earlier run left unfinished is finished', () => {
    const decision = decide(`
      git: { a: v1, b: v1 }
      inventory: { a: { state: intent, uid: uid-a, desiredDigest: v1 }, b: { state: deleting } }
      live: { a: , b: }
    `);
    assert.match(actions(decision)['a'] ?? '', /update: was not finished/);
    assert.match(actions(decision)['b'] ?? '', /update: was not finished/);
  });
});

describe('objects that exist already', () => {
  test('one that is in no inventory blocks, and names the application that it belongs to', () => {
    const decision = decide(`
      git: { a: v1, b: v1 }
      live: { a: , b: { labels: { trueup.dev/application: shop } } }
    `);
    assert.equal(
      actions(decision)['a'],
      'blocked: exists already, and nothing proves that we created it; to take it over, give it the annotation trueup.dev/adopt: allowed in Git, or the Application adopt: true',
    );
    assert.match(actions(decision)['b'] ?? '', /names the application shop/);
    assert.equal(decision.apply.length, 0);
  });

  test('one that Git says to adopt is adopted, not created', () => {
    const [step] = decide(`{ git: { a: v1 }, adopt: [a], live: { a: } }`).apply;
    assert.equal(step?.action, 'update');
    assert.deepEqual([step.entry.created, step.entry.adopted, step.entry.uid], [false, true, 'uid-a']);
  });

  test('all of them, where the application says so', () => {
    const steps = decide(`{ git: { a: v1, b: v1 }, adopt: all, live: { a: , b: } }`).apply;
    assert.deepEqual(
      steps.map(({ action, entry }) => [action, entry.adopted, entry.desiredDigest]),
      [
        ['update', true, undefined],
        ['update', true, undefined],
      ],
    );
  });

  test('one whose adoption never came to its apply is left alone when Git gives it up', () => {
    const decision = decide(`
      git: { keep: v1 }
      inventory: { keep: , half: { state: intent, uid: uid-half, created: false, adopted: true } }
      live: { keep: , half: }
    `);
    assert.equal(actions(decision)['half'], 'orphan: existed before us and was never adopted');
  });

  test('one that another application gives up is taken as it was known there, and not adopted again', () => {
    const decision = decide(`
      git: { a: v2, b: v2 }
      handedOver: { a: { adopted: true, created: false }, b: { created: true, baseline: [x] } }
      live: { a: { labels: { trueup.dev/application: shop } }, b: { labels: {} } }
    `);
    assert.deepEqual(actions(decision), {
      a: 'update: is handed over by the application shop',
      b: 'update: is handed over by another application',
    });
    assert.deepEqual(
      decision.apply.map(({ entry }) => [entry.created, entry.adopted, entry.desiredDigest, entry.baseline]),
      [
        [false, true, 'v1', undefined],
        [true, false, 'v1', ['x']],
      ],
    );
  });

  test('one that was replaced by somebody is healed, and never ours to prune again', () => {
    const [step] = decide(
      `{ git: { a: v1 }, inventory: { a: }, live: { a: { uid: other } }, drifted: [a] }`,
    ).apply;
    assert.deepEqual([step?.entry.created, step?.entry.adopted, step?.entry.uid], [false, false, 'other']);
  });

  test('one that was replaced is applied as a heal, save where Git or a person asks for it', () => {
    const heals = (yaml: string) => decide(yaml).apply.map((step) => step.heals);
    const replaced = 'inventory: { a: }, live: { a: { uid: other } }, drifted: [a]';
    assert.deepEqual(heals(`{ git: { a: v1 }, ${replaced} }`), [true]);
    assert.deepEqual(heals(`{ git: { a: v2 }, ${replaced} }`), [undefined]);
    assert.deepEqual(heals(`{ git: { a: v1 }, ${replaced}, scope: all }`), [undefined]);
  });
});

describe('modes of single objects', () => {
  test('a rule that heals goes before an application that observes, and the other way round', () => {
    const decision = decide(`
      drift: observe
      rules: [{ match: { name: a }, drift: heal }]
      git: { a: v1, b: v1 }
      inventory: { a: , b: }
      drifted: [a, b]
      live: { b: }
    `);
    assert.deepEqual(actions(decision), { a: 'create: is missing on the cluster', b: 'leave: is unchanged' });
    const other = decide(`
      rules: [{ match: { name: a }, drift: ignore }, { match: { name: b }, drift: observe }]
      git: { a: v1, b: v1 }
      inventory: { a: , b: }
      drifted: [b]
      live: { b: }
    `);
    assert.deepEqual(actions(other), {
      a: 'leave: is missing on the cluster; drift is ignored',
      b: 'leave: is unchanged',
    });
  });
});

describe('an object that a run deleted to make it again', () => {
  const since = '2026-11-23T11:59:30Z';
  const cases = {
    'is known by the intent, when the run died before the answer': [
      `[[trueup, Apply, "${since}", metadata data]]`,
      'update: was created by a run that ended early',
      true,
    ],
    'is not ours when somebody else was faster': [
      `[[kubectl, Update, "${since}", metadata data]]`,
      'update: was replaced by somebody: it has another uid now, and is not ours to prune',
      false,
    ],
  } as const;
  for (const [name, [writers, why, created]] of Object.entries(cases)) {
    test(name, () => {
      const decision = decide(`
        git: { a: v2 }
        inventory: { a: { state: intent, uid: old, desiredDigest: v1, intendedAt: "2026-11-23T11:59:00.000Z" } }
        live: { a: { uid: new, born: "${since}", writers: ${writers} } }
      `);
      assert.equal(actions(decision)['a'], why);
      assert.deepEqual([decision.apply[0]?.entry.created, decision.apply[0]?.entry.uid], [created, 'new']);
    });
  }

  test('is pruned with that proof alone, when Git drops it meanwhile', () => {
    const decision = decide(`
      git: { keep: v1 }
      inventory:
        keep:
        ours: { state: intent, uid: old, desiredDigest: v1, intendedAt: "2026-11-23T11:59:00.000Z" }
        theirs: { state: intent, uid: old, desiredDigest: v1, intendedAt: "2026-11-23T11:59:00.000Z" }
      live:
        keep:
        ours: { uid: new, born: "${since}", writers: [[trueup, Apply, "${since}", metadata data]] }
        theirs: { uid: other, born: "${since}", writers: [[kubectl, Update, "${since}", metadata data]] }
    `);
    assert.deepEqual(
      decision.prune.map(({ uid }) => uid),
      ['new'],
    );
  });
});

describe('an intent without a uid is settled by what the cluster has', () => {
  const intent = `
    git: { a: v1 }
    inventory: { a: { state: intent, created: false, intendedAt: 2026-11-23T11:59:00.000Z } }
  `;
  const cases = {
    'never created': ['', 'create: was planned before and never created'],
    'born since, written by us alone': [
      `{ born: "2026-11-23T11:59:30Z", writers: [[trueup, Apply, "2026-11-23T11:59:30Z", metadata data]] }`,
      'update: was created by a run that ended early',
    ],
    'born since, a controller noted its metadata in the same second': [
      `{ born: "2026-11-23T11:59:30Z", writers: [
          [lb-controller, Update, "2026-11-23T11:59:30Z", metadata],
          [trueup, Apply, "2026-11-23T11:59:30Z", metadata data]] }`,
      'update: was created by a run that ended early',
    ],
    'older than the intent': [
      `{ born: "2026-11-23T10:00:00Z", writers: [[trueup, Apply, "2026-11-23T10:00:00Z", metadata data]] }`,
      'blocked: exists already, and nothing proves that we created it',
    ],
    'born since, but not by us': [
      `{ born: "2026-11-23T11:59:30Z", writers: [[kubectl, Update, "2026-11-23T11:59:30Z", metadata data]] }`,
      'blocked: exists already, and nothing proves that we created it',
    ],
    'created by a person, then applied over by the run that died': [
      `{ born: "2026-11-23T11:59:30Z", writers: [
          [kubectl, Update, "2026-11-23T11:59:30Z", metadata data],
          [trueup, Apply, "2026-11-23T11:59:33Z", metadata data]] }`,
      'blocked: exists already, and nothing proves that we created it',
    ],
    'created by a person in the same second': [
      `{ born: "2026-11-23T11:59:30Z", writers: [
          [kubectl, Update, "2026-11-23T11:59:30Z", metadata data],
          [trueup, Apply, "2026-11-23T11:59:30Z", metadata data]] }`,
      'blocked: exists already, and nothing proves that we created it',
    ],
  } as const;
  for (const [name, [live, expected]] of Object.entries(cases)) {
    test(name, () => {
      const decision = decide(`${intent}\n    live: ${live === '' ? '{}' : `{ a: ${live} }`}`);
      assert.ok(actions(decision)['a']?.startsWith(expected), actions(decision)['a']);
      if (expected.startsWith('update')) assert.equal(decision.apply[0]?.entry.created, true);
    });
  }

  test('one that Git no longer has is pruned only with that proof', () => {
    const since = '2026-11-23T11:59:30Z';
    const decision = decide(`
      git: { keep: v1 }
      inventory:
        keep:
        ours: { state: intent, created: false, intendedAt: "2026-11-23T11:59:00.000Z" }
        theirs: { state: intent, created: false, intendedAt: "2026-11-23T11:59:00.000Z" }
        never: { state: intent, created: false, intendedAt: "2026-11-23T11:59:00.000Z" }
      live:
        keep:
        ours: { born: "${since}", writers: [[trueup, Apply, "${since}", metadata data]] }
        theirs: { born: "${since}", writers: [[kubectl, Update, "${since}", metadata data]] }
    `);
    assert.deepEqual(
      decision.prune.map(({ uid }) => uid),
      ['uid-ours'],
    );
    assert.deepEqual(decision.forget.toSorted(), [keyOf('never'), keyOf('theirs')]);
  });
});

test('what we were deleting and Git wants again is created, also where drift is only observed', () => {
  const decision = decide(`
    drift: observe
    git: { back: v1, dying: v1 }
    inventory: { back: { state: deleting }, dying: { state: intent, uid: uid-dying, desiredDigest: v1 } }
    live: {}
  `);
  assert.deepEqual(actions(decision), {
    back: 'create: was not finished by an earlier run',
    dying: 'create: was not finished by an earlier run',
  });
});
