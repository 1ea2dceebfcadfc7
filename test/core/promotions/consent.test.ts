import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nothingPromoted, withCommit, withSeen, type Promoted } from '../../../core/model/promoted.ts';
import { consentTo } from '../../../core/promotions/judge-promotion.ts';

const at = (minute: number): string => `2026-11-23T12:${String(minute).padStart(2, '0')}:00.000Z`;
const commit = (sha: string, minute: number) => ({ sha, at: at(minute), by: 'trueup' });
const said = (own: Promoted, sha: string): string => {
  const consent = consentTo(sha, own, { freeze: [] }, Date.parse(at(59)));
  return consent.kind === 'waits' ? consent.why : `given by ${consent.by}`;
};

/** `b` was skipped: `c` was promoted in its place. */
const seen = ['a', 'b', 'c'].map((sha, minute) => ({ sha, at: at(minute) }));
const skipped = withCommit(
  withCommit(withSeen(nothingPromoted('prod'), seen), commit('a', 1)),
  commit('c', 5),
);

describe('what was skipped', () => {
  test('waits for a person, whose word must be newer than what was promoted in its place', () => {
    const ada = (minute: number) => ({ ...commit('b', minute), by: 'ada' });
    assert.match(said(skipped, 'b'), /^is older than c, which was promoted/);
    assert.match(said({ ...skipped, approvals: [ada(4)] }, 'b'), /^is older than c/);
    assert.equal(said({ ...skipped, approvals: [ada(6)] }, 'b'), 'given by ada');
    assert.equal(said(skipped, 'd'), 'given by trueup');
  });

  test('is known by when it came first, however late that is told', () => {
    const late = withSeen(nothingPromoted('prod'), [{ sha: 'c', at: at(2) }]);
    const again = withSeen(late, [{ sha: 'b', at: at(9) }]);
    assert.deepEqual(
      again.seen.map(({ sha }) => sha),
      ['b', 'c'],
    );
    const told = withSeen(again, [{ sha: 'b', at: at(1) }]);
    assert.deepEqual(
      told.seen.map(({ sha }) => sha),
      ['c', 'b'],
    );
    assert.equal(withSeen(told, [{ sha: 'b', at: at(9) }]), told, 'nothing of it is news');
  });

  test('is forgotten after so many others that nobody goes back to it', () => {
    const many = Array.from({ length: 300 }, (_, index) => ({
      sha: String(index),
      at: String(1000 + index),
    }));
    const { seen: kept } = withSeen(nothingPromoted('prod'), many);
    assert.deepEqual([kept.length, kept[0]?.sha], [200, '299']);
    const full = withSeen(nothingPromoted('prod'), many);
    assert.equal(withSeen(full, many.slice(-200)), full);
  });
});
