import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nothingPromoted, withCommit, withSeen, type Promoted } from '../../../core/model/promoted.ts';
import { isoTime } from '../../../core/model/time.ts';
import { promoteEnvironments } from '../../../core/promote-environments.ts';
import { consentTo } from '../../../core/promotions/judge-promotion.ts';
import { Line, sha as shaOf } from './line.ts';

const at = (minute: number): string => `2026-11-23T12:${String(minute).padStart(2, '0')}:00.000Z`;
const commit = (sha: string, minute: number) => ({ sha, at: at(minute), by: 'trueup' });
const said = (own: Promoted, sha: string, committed?: string): string => {
  const made = { sha, ...(committed !== undefined && { committed }) };
  const consent = consentTo(made, own, { freeze: [] }, Date.parse(at(59)));
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

  const later = (minutes: number): string => isoTime(Date.parse(at(0)) + minutes * 60_000);

  /** `old` was skipped, and then all of so many others promoted; the branch goes back after that. */
  function backAfter(count: number, made: (one: number) => object): Promoted {
    let own = withSeen(nothingPromoted('prod'), [{ sha: 'old', at: later(0) }]);
    for (let one = 1; one <= count; one += 1) {
      own = withSeen(own, [{ sha: `c${one}`, at: later(one) }]);
      own = withCommit(own, { sha: `c${one}`, at: later(one + 1), by: 'trueup', ...made(one) });
    }
    return withSeen(
      own,
      ['old', 'c1', 'new'].map((sha) => ({ sha, at: later(count + 10) })),
    );
  }

  test('waits for a person after any number of others: when it was made tells, as soon as nothing else does', () => {
    const cases = [(one: number) => ({ committed: later(one) }), () => ({})];
    for (const made of cases)
      for (const count of [150, 260]) {
        const own = backAfter(count, made);
        assert.match(said(own, 'old', later(0)), new RegExp(`^is older than c${count}, which was promoted`));
        assert.match(said(own, 'c1', later(1)), /^is older than c|^was there before/);
        assert.equal(said(own, 'new', later(count + 5)), 'given by trueup');
      }
  });

  test('is not asked when it was made while all is known: clocks of people differ', () => {
    const own = backAfter(150, (one) => ({ committed: later(one) }));
    assert.equal(said(own, 'new', later(3)), 'given by trueup');
    const fast = backAfter(260, () => ({ committed: '2099-01-01T00:00:00Z' }));
    assert.equal(said(fast, 'new', later(265)), 'given by trueup');
  });

  test('is known by the time that the records of the environment before have of it', async () => {
    const line = new Line();
    const head = (letter: string, minute: number) => ({
      head: { sha: shaOf(letter), at: isoTime(line.clock.now()), committed: at(minute) },
    });
    const settle = async (letter: string, minute: number): Promise<string | undefined> => {
      await line.follow('dev', letter, head(letter, minute));
      await line.run('dev');
      const examined = Array.from({ length: 200 }, (_, one) => ({
        examined: { repository: 'dev', sha: `${letter}${one}`, at: isoTime(line.clock.now()) },
      }));
      line.clock.advance(60_000);
      const [staging] = await promoteEnvironments(examined, line.deps);
      return staging?.why ?? staging?.kind;
    };
    assert.equal(await settle('b', 2), 'promoted');
    assert.match((await settle('a', 1)) ?? '', /^is older than bbbbbbb, which was promoted/);
    assert.equal(await settle('c', 3), 'promoted');
  });

  test('is forgotten after so many others that only its own time can tell', () => {
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
