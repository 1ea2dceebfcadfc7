import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldDrift, ObjectDrift } from '../../core/model/drift.ts';
import {
  closeRecord,
  countFields,
  decideEpisodes,
  digestOfDrift,
  isAlarming,
  isEndedByApply,
  isEndedByHeal,
  isHealable,
  modeOf,
  openRecord,
  totalsOf,
  updateRecord,
  type Episode,
} from '../../core/record.ts';

const target = { cluster: 'east', application: 'web' };
const ref = { group: 'apps', kind: 'Deployment', namespace: 'web', name: 'front' };

function field(change: Partial<FieldDrift> = {}): FieldDrift {
  return { class: 'changed', path: 'spec.replicas', desired: 2, live: 3, manager: 'kubectl-edit', ...change };
}

function drift(...fields: FieldDrift[]): ObjectDrift {
  return { ref, kind: 'fields', fields };
}

function episodeOf(found: ObjectDrift, since = '2026-11-23T12:00:00.000Z'): Episode {
  return { record: 'r', openedAt: since, since, digest: digestOfDrift(found), ...countFields(found) };
}

const foreign = field({ class: 'foreign', path: 'metadata.labels.x' });

describe('a drift record', () => {
  const at = '2026-11-23T12:00:10.000Z';

  it('tells how long the drift stood before it was found, from the earliest manager', () => {
    const found = drift(
      field({ at: '2026-11-23T12:00:05Z' }),
      field({ at: '2026-11-23T12:00:02Z' }),
      field(),
    );
    const record = openRecord('1', target, { drift: found, at });
    assert.equal(record.happenedAt, '2026-11-23T12:00:02Z');
    assert.equal(record.secondsToDetect, 8);
    assert.equal(record.state, 'open');
  });

  it('claims no time of detection where managedFields name none', () => {
    const record = openRecord('1', target, { drift: drift(field()), at });
    assert.equal(record.happenedAt, undefined);
    assert.equal(record.secondsToDetect, undefined);
  });

  it('keeps when it began and was found as its fields change', () => {
    const opened = openRecord('1', target, {
      drift: drift(field({ at: '2026-11-23T12:00:05Z' })),
      at,
    });
    const later = {
      drift: drift(field({ live: 9, at: '2026-11-23T12:05:00Z', mode: 'observe' })),
      at: '2026-11-23T12:06:00.000Z',
    } as const;
    const updated = updateRecord(opened, later);
    assert.deepEqual(
      [updated.openedAt, updated.happenedAt, updated.lastSeenAt],
      [at, '2026-11-23T12:00:05Z', later.at],
    );
    assert.equal(updated.mode, 'observe');
    assert.equal(updated.drift.fields[0]?.live, 9);
  });

  it('closes once, with the time to heal since it began', () => {
    const opened = openRecord('1', target, {
      drift: drift(field({ at: '2026-11-23T12:00:00Z' })),
      at,
    });
    const healed = closeRecord(opened, { state: 'healed', at: '2026-11-23T12:00:40.000Z', runId: 'run-1' });
    assert.deepEqual([healed.state, healed.secondsToHeal, healed.runId], ['healed', 40, 'run-1']);
    assert.equal(closeRecord(healed, { state: 'reverted', at: '2026-11-23T13:00:00.000Z' }), healed);
  });

  it('never tells a negative time: managedFields know whole seconds of another clock', () => {
    const found = drift(field({ at: '2026-11-23T12:00:11Z' }));
    assert.equal(openRecord('1', target, { drift: found, at }).secondsToDetect, 0);
  });
});

describe('what a check means for the episodes', () => {
  const found = drift(field());
  const table = [
    {
      name: 'nothing drifts and nothing did',
      open: {},
      drifts: [],
      checked: ['a'],
      expected: { opened: [], changed: [], reverted: [] },
    },
    {
      name: 'new drift opens',
      open: {},
      drifts: ['a'],
      checked: ['a'],
      expected: { opened: ['a'], changed: [], reverted: [] },
    },
    {
      name: 'the same drift again is no news',
      open: { a: found },
      drifts: ['a'],
      checked: ['a'],
      expected: { opened: [], changed: [], reverted: [] },
    },
    {
      name: 'other fields change it',
      open: { a: drift(foreign) },
      drifts: ['a'],
      checked: ['a'],
      expected: { opened: [], changed: ['a'], reverted: [] },
    },
    {
      name: 'clean again is reverted',
      open: { a: found },
      drifts: [],
      checked: ['a'],
      expected: { opened: [], changed: [], reverted: ['a'] },
    },
    {
      name: 'not judged stays open',
      open: { a: found },
      drifts: [],
      checked: ['b'],
      expected: { opened: [], changed: [], reverted: [] },
    },
  ];
  for (const { name, open, drifts, checked, expected } of table) {
    it(name, () => {
      const episodes = Object.fromEntries(
        Object.entries(open).map(([key, value]) => [key, episodeOf(value)]),
      );
      const now = new Map(drifts.map((key) => [key, found]));
      assert.deepEqual(
        decideEpisodes(episodes, now, (key) => checked.includes(key)),
        expected,
      );
    });
  }

  it('is not moved by the same value written again later', () => {
    assert.equal(digestOfDrift(drift(field({ at: '2026-11-23T12:00:00Z' }))), digestOfDrift(drift(field())));
    assert.notEqual(digestOfDrift(drift(field({ manager: 'other' }))), digestOfDrift(drift(field())));
  });
});

describe('what counts', () => {
  const kinds = [
    { of: drift(field()), alarming: true, healable: true },
    { of: drift(field(), foreign), alarming: true, healable: true },
    { of: drift(foreign), alarming: false, healable: false },
    { of: { ref, kind: 'missing' as const, fields: [] }, alarming: true, healable: true },
    { of: { ref, kind: 'extra' as const, fields: [] }, alarming: true, healable: false },
  ];
  for (const { of, alarming, healable } of kinds) {
    it(`${of.kind} with ${of.fields.map((each) => each.class).join(', ') || 'no field'}`, () => {
      assert.equal(isAlarming(countFields(of)), alarming);
      assert.equal(isHealable(countFields(of)), healable);
    });
  }

  const observed = field({ path: 'spec.paused', mode: 'observe' });
  const named = { ...foreign, mode: 'heal' as const };
  const missing = (mode: 'heal' | 'observe') => ({ ref, kind: 'missing' as const, fields: [], mode });
  const modes = [
    { of: drift(observed), healable: false, byHeal: false, byApply: true, mode: 'observe' },
    { of: drift(field(), observed), healable: true, byHeal: false, byApply: true, mode: 'heal' },
    { of: drift(field({ mode: 'heal' })), healable: true, byHeal: true, byApply: true, mode: 'heal' },
    { of: drift(named), healable: true, byHeal: true, byApply: false, mode: 'heal' },
    { of: drift(named, observed), healable: true, byHeal: false, byApply: true, mode: 'heal' },
    { of: missing('observe'), healable: false, byHeal: false, byApply: true, mode: 'observe' },
    { of: missing('heal'), healable: true, byHeal: true, byApply: true, mode: 'heal' },
  ];
  for (const { of, healable, byHeal, byApply, mode } of modes) {
    it(`${of.kind} of ${of.fields.map((each) => `${each.class} ${each.mode}`).join(', ') || of.mode}`, () => {
      const counts = countFields(of);
      assert.deepEqual(
        [isHealable(counts), isEndedByHeal(counts), isEndedByApply(counts), modeOf(of)],
        [healable, byHeal, byApply, mode],
      );
    });
  }

  it('foreign fields are a figure of their own', () => {
    const totals = totalsOf([
      episodeOf(drift(field(), foreign), '2026-11-23T12:00:00.000Z'),
      episodeOf(drift(foreign, foreign), '2026-11-23T10:00:00.000Z'),
      episodeOf(drift(field()), '2026-11-23T11:00:00.000Z'),
    ]);
    assert.deepEqual(totals, { objects: 2, foreignFields: 3, loops: 0, oldest: '2026-11-23T11:00:00.000Z' });
  });
});
