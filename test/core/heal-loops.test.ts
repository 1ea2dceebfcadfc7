import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { breakLoops, forgetHeals, noteHeal } from '../../core/heal-loops.ts';
import type { ObjectDrift } from '../../core/model/drift.ts';
import { isoTime } from '../../core/model/time.ts';

const ref = { group: 'apps', kind: 'Deployment', namespace: 'web', name: 'front' };
const [key, pointer] = ['apps/Deployment/web/front', '/spec/replicas'];
const field = { class: 'changed' as const, path: 'spec.replicas', pointer, mode: 'heal' as const };
const drift: ObjectDrift = { ref, kind: 'fields', fields: [field] };
const start = Date.parse('2026-11-23T00:00:00Z');
const minute = 60_000;

/** How many heals there were before the loop was broken, where the rival flips the field after each; -1: never. */
function healsUntilBroken(periodMinutes: number, flips: number): number {
  let objects: Parameters<typeof breakLoops>[0] = {};
  for (let heals = 0; heals < 50; heals += 1) {
    const now = start + heals * periodMinutes * minute;
    const judging = { now, breaker: { flips, minutes: 30 }, periodMs: periodMinutes * minute };
    const judged = breakLoops(objects, new Map([[key, drift]]), () => false, judging);
    if (judged.loops.size > 0) return heals;
    const healed = noteHeal(judged.objects, { key, ref, pointers: [pointer] }, isoTime(now + 20_000));
    objects = forgetHeals(healed, new Set(), now);
  }
  return -1;
}

describe('a heal loop is seen however seldom the target is checked', () => {
  for (const periodMinutes of [1, 5, 11, 15, 30, 60, 24 * 60]) {
    it(`every ${periodMinutes} minutes`, () => assert.equal(healsUntilBroken(periodMinutes, 3), 3));
  }
  it('with the most flips that may be asked for', () => assert.equal(healsUntilBroken(60, 20), 20));
});
