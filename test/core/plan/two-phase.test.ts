import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pruneDue, stuckDeletions, waitingToGo } from '../../../core/plan.ts';
import { inventoryEntrySchema, type InventoryEntry } from '../../../core/model/inventory.ts';
import { millisecondsOf } from '../../../core/model/time.ts';
import { decideUndesired, keyOf, noted, planned, timeOf } from './undesired-scenario.ts';

const due = 'it is deleted after 2026-11-23T12:10:00.000Z unless it is desired again by then';
const marked = "{ markedAt: '2026-11-23T12:00:00.000Z' }";

describe('two-phase prune', () => {
  test('the first run only marks what takes others or data along; all else goes at once', () => {
    const decision = decideUndesired(`
      git: [ConfigMap keep]
      inventory:
        ConfigMap keep:
        ConfigMap old:
        Namespace other:
        PersistentVolumeClaim data:
        PersistentVolume disk:
        CustomResourceDefinition widgets.example.com:
      live:
        ConfigMap keep:
        ConfigMap old:
        Namespace other:
        PersistentVolumeClaim data:
        PersistentVolume disk:
        CustomResourceDefinition widgets.example.com:
    `);
    const mark = `mark: is gone from Git; ${due}`;
    assert.deepEqual(planned(decision), {
      'ConfigMap keep': 'leave: is unchanged',
      'ConfigMap old': 'prune: is gone from Git',
      'Namespace other': mark,
      'PersistentVolumeClaim data': mark,
      'PersistentVolume disk': mark,
      'CustomResourceDefinition widgets.example.com': mark,
    });
    assert.deepEqual(noted(decision), {
      'Namespace other': 'grace 12:00 12:00',
      'PersistentVolumeClaim data': 'grace 12:00 12:00',
      'PersistentVolume disk': 'grace 12:00 12:00',
      'CustomResourceDefinition widgets.example.com': 'grace 12:00 12:00',
    });
    assert.deepEqual(decision.forget, []);
  });

  for (const [at, expected] of [
    ['12:01', `leave: is gone from Git; ${due}`],
    ['12:09', `leave: is gone from Git; ${due}`],
    ['12:10', 'prune: is gone from Git'],
    ['18:00', 'prune: is gone from Git'],
  ] as const) {
    test(`marked at 12:00, at ${at}: ${expected.slice(0, 5)}`, () => {
      const decision = decideUndesired(`
        at: '${at}'
        git: [ConfigMap keep]
        inventory: { ConfigMap keep: , PersistentVolumeClaim data: ${marked} }
        live: { ConfigMap keep: , PersistentVolumeClaim data: }
      `);
      assert.equal(planned(decision)['PersistentVolumeClaim data'], expected);
    });
  }

  test('what is desired again loses its mark, whether or not it is applied', () => {
    const unchanged = decideUndesired(`
      at: '12:05'
      git: [PersistentVolumeClaim data]
      inventory: { PersistentVolumeClaim data: ${marked} }
      live: { PersistentVolumeClaim data: }
    `);
    assert.deepEqual(noted(unchanged), { 'PersistentVolumeClaim data': 'none' });
    const changed = decideUndesired(`
      at: '12:05'
      git: [PersistentVolumeClaim data]
      inventory: { PersistentVolumeClaim data: { markedAt: '${timeOf('12:00')}', desiredDigest: v0 } }
      live: { PersistentVolumeClaim data: }
    `);
    assert.deepEqual(noted(changed), {});
    assert.deepEqual(
      changed.apply.map(({ entry }) => entry.markedAt),
      [undefined],
    );
  });

  test('a Namespace waits for the claim in it that waits, and both go together', () => {
    const yaml = (at: string, claim: string) => `
      at: '${at}'
      git: [ConfigMap keep]
      inventory: { ConfigMap keep: , Namespace web: ${marked}, PersistentVolumeClaim data: ${claim} }
      live: { ConfigMap keep: , Namespace web: , PersistentVolumeClaim data: }
    `;
    const elsewhere = (at: string, claim: string) =>
      planned(
        decideUndesired(
          yaml(at, claim).replaceAll('ConfigMap keep', 'CustomResourceDefinition widgets.example.com'),
        ),
      );
    const late = "{ markedAt: '2026-11-23T12:05:00.000Z' }";
    assert.match(
      planned(decideUndesired(yaml('12:11', marked)))['Namespace web'] ?? '',
      /^leave: .*ConfigMap web\/keep/,
    );
    assert.match(
      elsewhere('12:11', late)['Namespace web'] ?? '',
      /^leave: .*PersistentVolumeClaim web\/data/,
    );
    assert.match(elsewhere('12:11', marked)['Namespace web'] ?? '', /^prune/);
    assert.match(elsewhere('12:11', marked)['PersistentVolumeClaim data'] ?? '', /^prune/);
  });

  test('nor does it go while it holds what is not ours any more, or what other applications have in it', () => {
    const decision = decideUndesired(`
      at: '12:11'
      git: [ConfigMap keep]
      inventory:
        ConfigMap keep:
        Namespace web: ${marked}
        Widget theirs:
        CustomResourceDefinition widgets.example.com: ${marked}
      live:
        ConfigMap keep:
        Namespace web:
        Widget theirs: { label: other }
        CustomResourceDefinition widgets.example.com:
      contents: { Namespace web: Secret web/tls of application other }
    `);
    assert.match(planned(decision)['CustomResourceDefinition widgets.example.com'] ?? '', /^leave.*Widget/);
    assert.match(planned(decision)['Namespace web'] ?? '', /^leave/);
    const alone = decideUndesired(`
      at: '12:11'
      inventory: { Namespace web: ${marked}, ConfigMap a: }
      live: { Namespace web: , ConfigMap a: }
      state: gone
      onDelete: prune
      contents: { Namespace web: Secret web/tls of application other }
    `);
    assert.equal(
      planned(alone)['Namespace web'],
      'leave: is kept: deleting it would delete Secret web/tls of application other, which stays',
    );
  });

  test('a person who confirmed as many as would go has it done at once', () => {
    const yaml = `
      git: [CustomResourceDefinition keep]
      inventory: { CustomResourceDefinition keep: , Namespace other: , ConfigMap a: , ConfigMap b: { } }
      live: { CustomResourceDefinition keep: , Namespace other: , ConfigMap a: , ConfigMap b: { prune: confirm } }
    `;
    const all = { 'Namespace other': 'prune', 'ConfigMap a': 'prune', 'ConfigMap b': 'prune' };
    const some = { 'Namespace other': 'mark', 'ConfigMap a': 'prune', 'ConfigMap b': 'leave' };
    const actionsOf = (text: string) =>
      Object.fromEntries(
        Object.entries(planned(decideUndesired(text))).flatMap(([name, said]) =>
          name.endsWith('keep') ? [] : [[name, said.split(':')[0]]],
        ),
      );
    assert.deepEqual(actionsOf(yaml), some);
    assert.deepEqual(
      actionsOf(`
      confirmPrune: 2${yaml}`),
      some,
      'three would go: not covered',
    );
    assert.deepEqual(
      actionsOf(`
      confirmPrune: 3${yaml}`),
      all,
    );
    assert.deepEqual(
      decideUndesired(`
      confirmPrune: 3${yaml}`).prune.map(({ confirmed }) => confirmed),
      [true, true, true],
    );
  });

  test('a deletion that was begun goes on: its second phase has come already', () => {
    const decision = decideUndesired(`
      git: [ConfigMap keep]
      inventory:
        ConfigMap keep:
        Namespace other: { state: deleting }
        PersistentVolumeClaim data:
      live:
        ConfigMap keep:
        Namespace other:
        PersistentVolumeClaim data: { deleting: '11:00', prune: confirm }
    `);
    assert.match(planned(decision)['Namespace other'] ?? '', /^prune/);
    assert.match(planned(decision)['PersistentVolumeClaim data'] ?? '', /^prune/);
  });

  test('marks are not counted by the cap: what is deleted is', () => {
    const claims = Array.from({ length: 6 }, (_, index) => `PersistentVolumeClaim d${index}`);
    const live = claims.map((name) => `${name}: `).join(', ');
    const first = decideUndesired(`
      git: [ConfigMap keep]
      inventory: { ConfigMap keep: , ${live} }
      live: { ConfigMap keep: , ${live} }
    `);
    assert.equal(first.plan.refusal, undefined);
    const second = decideUndesired(`
      at: '12:10'
      git: [ConfigMap keep]
      inventory: { ConfigMap keep: , ${claims.map((name) => `${name}: ${marked}`).join(', ')} }
      live: { ConfigMap keep: , ${live} }
    `);
    assert.match(second.plan.refusal ?? '', /would prune 6 of 7 objects/);
  });
});

describe('protected objects', () => {
  test('the annotation of the live object decides, and a confirmation covers all or none of them', () => {
    const decision = decideUndesired(`
      git: [ConfigMap keep]
      inventory: { ConfigMap keep: , ConfigMap a: , ConfigMap b: , ConfigMap c: }
      live:
        ConfigMap keep:
        ConfigMap a: { prune: disabled }
        ConfigMap b: { prune: confirm }
        ConfigMap c: { prune: anything }
    `);
    assert.deepEqual(planned(decision), {
      'ConfigMap keep': 'leave: is unchanged',
      'ConfigMap a': 'leave: is kept: its annotation trueup.dev/prune is disabled',
      'ConfigMap b':
        "leave: is kept: its annotation trueup.dev/prune asks for a person's confirmation: " +
        '`trueup sync --app web --confirm-prune 2`',
      'ConfigMap c': 'prune: is gone from Git',
    });
    assert.deepEqual(noted(decision), {
      'ConfigMap a': 'protection 12:00',
      'ConfigMap b': 'confirmation 12:00',
    });
  });

  test('no confirmation deletes what is disabled', () => {
    const decision = decideUndesired(`
      confirmPrune: 9
      git: [ConfigMap keep]
      inventory: { ConfigMap keep: , ConfigMap a: }
      live: { ConfigMap keep: , ConfigMap a: { prune: disabled } }
    `);
    assert.deepEqual(decision.prune, []);
  });

  test('a deletion that was begun and never sent is off when the object is protected meanwhile', () => {
    const decision = decideUndesired(`
      git: [ConfigMap keep]
      inventory: { ConfigMap keep: , ConfigMap a: { state: deleting } }
      live: { ConfigMap keep: , ConfigMap a: { prune: confirm } }
    `);
    assert.deepEqual(
      Object.values(decision.notes).map(({ state, kept }) => [state, kept?.because]),
      [['applied', 'confirmation']],
    );
  });

  test('a note that says it already is not written again', () => {
    const kept = `kept: { because: protection, since: '${timeOf('11:00')}', message: 'is kept: its annotation trueup.dev/prune is disabled' }`;
    const decision = decideUndesired(`
      git: [ConfigMap keep]
      inventory: { ConfigMap keep: , ConfigMap a: { ${kept} } }
      live: { ConfigMap keep: , ConfigMap a: { prune: disabled } }
    `);
    assert.deepEqual(decision.notes, {});
  });
});

describe('what another application desires', () => {
  const claims = 'claims: { ConfigMap a: application b desires it and takes it over }';
  for (const [when, more] of [
    ['is pruned', ''],
    ['is left because prune is off', 'prune: false'],
    ['is of an application that is gone, orphan', 'state: gone'],
    ['is of an application that is gone, prune', 'state: gone\n      onDelete: prune'],
  ] as const) {
    test(`stays in the inventory until it is taken over, when it ${when}`, () => {
      const decision = decideUndesired(`
      ${more}
      ${claims}
      git: ${more.includes('gone') ? '[]' : '[ConfigMap keep]'}
      inventory: { ConfigMap a: }
      live: { ConfigMap a: }
      `);
      assert.equal(
        planned(decision)['ConfigMap a'],
        'leave: is kept: application b desires it and takes it over',
      );
      assert.deepEqual([decision.prune, decision.forget], [[], []]);
      assert.deepEqual(noted(decision), { 'ConfigMap a': 'hand-over 12:00' });
    });
  }

  test('is asked for what goes and what is given up, once for what is marked', () => {
    const decision = decideUndesired(`
      git: [ConfigMap keep]
      inventory: { ConfigMap keep: , ConfigMap a: , ConfigMap b: , ConfigMap c: , Namespace n: , Namespace m: ${marked} }
      live: { ConfigMap keep: , ConfigMap a: , ConfigMap b: { label: other }, Namespace n: , Namespace m: }
    `);
    assert.deepEqual(decision.claimable.toSorted(), [keyOf('ConfigMap a'), keyOf('Namespace n')]);
    assert.deepEqual(
      decideUndesired(
        '{ prune: false, git: [ConfigMap k], inventory: { ConfigMap a: }, live: { ConfigMap a: } }',
      ).claimable,
      [keyOf('ConfigMap a')],
    );
  });

  test('is no loss: a snapshot may be empty for it, and not for anything else', () => {
    const empty = (more: string) =>
      decideUndesired(`{ inventory: { ConfigMap a: }, live: { ConfigMap a: ${more} } }`);
    assert.match(empty('').plan.refusal ?? '', /holds no objects/);
    assert.equal(empty('{ label: b }').plan.refusal, undefined);
    assert.equal(
      decideUndesired(`
      ${claims}
      inventory: { ConfigMap a: }
      live: { ConfigMap a: }
    `).plan.refusal,
      undefined,
    );
    const onlyMarked = decideUndesired('{ inventory: { Namespace n: }, live: { Namespace n: } }');
    assert.match(onlyMarked.plan.refusal ?? '', /holds no objects/);
  });

  test('is forgotten once its label says that it was taken over', () => {
    const decision = decideUndesired(`
      ${claims}
      git: [ConfigMap keep]
      inventory: { ConfigMap keep: , ConfigMap a: }
      live: { ConfigMap keep: , ConfigMap a: { label: b } }
    `);
    assert.equal(planned(decision)['ConfigMap a'], 'orphan: belongs to the application b now');
  });

  test('a rival blocks even what may be adopted; whose an untracked object is, is told', () => {
    const decision = decideUndesired(`
      git: [ConfigMap a, ConfigMap b]
      live: { ConfigMap a: { label: other }, ConfigMap b: { label: stranger } }
      rivals: { ConfigMap a: application other desires it too }
      owners: { ConfigMap b: belongs to application stranger of another installation }
    `);
    assert.equal(planned(decision)['ConfigMap a'], 'blocked: application other desires it too');
    assert.match(
      planned(decision)['ConfigMap b'] ?? '',
      /^blocked: belongs to application stranger of another installation; .*trueup.dev\/adopt/,
    );
  });
});

describe('what the records say of what is to go', () => {
  const entry = (given: Partial<InventoryEntry>): InventoryEntry =>
    inventoryEntrySchema.parse({
      ref: { group: '', kind: 'Namespace', name: 'a' },
      apiVersion: 'v1',
      plural: 'namespaces',
      state: 'applied',
      created: true,
      ...given,
    });
  const kept = (because: NonNullable<InventoryEntry['kept']>['because'], since = '12:00') =>
    entry({ kept: { because, since: timeOf(since), message: 'text' }, markedAt: timeOf(since) });
  const at = (time: string) => millisecondsOf(timeOf(time));

  test('a run is due when the grace is over, and an hour after a hand-over was last looked at', () => {
    const isDue = (one: InventoryEntry, time: string) => pruneDue({ entries: { one } }, at(time));
    assert.deepEqual(
      [isDue(entry({}), '23:00'), isDue(kept('protection'), '23:00'), isDue(kept('content'), '23:00')],
      [false, false, false],
    );
    assert.deepEqual([isDue(kept('grace'), '12:09'), isDue(kept('grace'), '12:10')], [false, true]);
    assert.deepEqual([isDue(kept('hand-over'), '12:59'), isDue(kept('hand-over'), '13:00')], [false, true]);
  });

  test('a deletion that finalizers hold for ten minutes is stuck', () => {
    const entries = { one: kept('finalizers') };
    assert.deepEqual(stuckDeletions({ entries }, at('12:09')), []);
    const stuck = { ref: entries.one.ref, status: 'Degraded', reason: 'DeletionStuck', message: 'text' };
    assert.deepEqual(stuckDeletions({ entries }, at('12:10')), [stuck]);
  });

  test('status counts what waits, by what it waits for', () => {
    const entries = { a: kept('grace'), b: kept('content'), c: kept('confirmation'), d: entry({}) };
    assert.equal(
      waitingToGo({ entries }),
      'no longer in Git: 2 wait to be pruned, 1 wait for somebody to confirm that they are pruned',
    );
    assert.equal(waitingToGo({ entries: { d: entry({}) } }), undefined);
  });
});
