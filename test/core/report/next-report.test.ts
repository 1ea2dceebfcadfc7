import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitStatusSchema } from '../../../core/contract/commit-status.ts';
import type { Report, TargetReport } from '../../../core/model/report.ts';
import { nextReport, withTold } from '../../../core/report/next-report.ts';

const status = commitStatusSchema.parse({});
const basis = { status, labels: new Map() };
const empty: Report = { version: 1, seq: 1, repository: 'fleet', sha: '', targets: {}, told: {}, older: [] };
const start = Date.parse('2026-11-23T12:00:00Z');

function seen(web: Partial<TargetReport>) {
  const head = { sha: 'a'.repeat(40), at: '2026-11-23T12:00:00Z' };
  const applications = { web: { file: 'web.yaml', clusters: ['prod'] } };
  const report: TargetReport = { revision: 1, state: 'failure', text: 'no', own: true, ...web };
  return { state: { head, applications, failing: false }, targets: { 'prod/web': report } };
}

/** What is told of cluster prod, and the report after it. */
function tell(before: Report, web: Partial<TargetReport>, now: number): readonly [string[], Report] {
  const { report, tells } = nextReport(before, seen(web), basis, now);
  const after = tells.reduce((current, one) => withTold(current, one, now), report);
  const ofProd = tells.filter(({ id }) => id === 'status trueup/prod');
  return [ofProd.map(({ line }) => `${line.state}: ${line.text}`), after];
}

test('the same state in other words waits for a minute; another state does not', () => {
  const [first, one] = tell(empty, { text: 'timed out' }, start);
  assert.deepEqual(first, ['failure: web: timed out']);
  const [soon, two] = tell(one, { text: 'timed out again' }, start + 59_000);
  assert.deepEqual(soon, []);
  const [later, three] = tell(two, { text: 'timed out again' }, start + 60_000);
  assert.deepEqual(later, ['failure: web: timed out again']);
  const [changed] = tell(three, { state: 'success', text: '' }, start + 60_001);
  assert.deepEqual(changed, ['success: 1 application healthy']);
});

test('what goes back and forth for weeks stops being told before the host stops taking it', () => {
  let report = empty;
  let count = 0;
  let last: readonly string[] = [];
  for (let turn = 0; turn < 2000; turn += 1) {
    const [told, after] = tell(report, { state: turn % 2 === 0 ? 'failure' : 'success' }, start + turn);
    count += told.length;
    if (told.length > 0) last = told;
    report = after;
  }
  assert.equal(count, 899);
  assert.match(last[0] ?? '', /^failure: /, 'no success that nothing could take back');
});

test('words that change without end stop being told, and the state is told all the same', () => {
  let report = empty;
  let count = 0;
  for (let turn = 0; turn < 300; turn += 1) {
    const [told, after] = tell(report, { state: 'failure', text: `pod ${turn}` }, start + turn * 60_000);
    count += told.length;
    report = after;
  }
  assert.equal(count, 100);
  const [told] = tell(report, { state: 'success', text: '' }, start + 300 * 60_000);
  assert.deepEqual(told, ['success: 1 application healthy']);
});

test('a text is one line, however an API server spells it', () => {
  const [told] = tell(empty, { text: `Deployment web/web:\n  is   invalid\n${'x'.repeat(900)}` }, start);
  assert.match(told[0] ?? '', /^failure: web: Deployment web\/web: is invalid x+…$/);
  assert.ok((told[0] ?? '').length < 520);
});
