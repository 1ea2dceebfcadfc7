import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { targetCheckSchema } from '../../../core/model/check.ts';
import { defaultSettings, desiredPointerSchema } from '../../../core/model/desired.ts';
import { inventorySchema } from '../../../core/model/inventory.ts';
import { targetReportSchema } from '../../../core/model/report.ts';
import { reportTarget } from '../../../core/report/report-target.ts';

const target = { cluster: 'prod', application: 'web' };
const person = { name: 'Ada', email: 'ada@acme.example', at: '2026-11-23T11:00:00Z' };
const commitOf = (digit: string) => ({
  repository: 'fleet',
  ref: 'refs/heads/main',
  sha: digit.repeat(40),
  author: person,
  committer: person,
  subject: 'change web',
});
const now = Date.parse('2026-11-23T12:00:00Z');

const rowSchema = z.strictObject({
  why: z.string(),
  /** Of the pointer, whose revision is 7 and whose commit is `b`. */
  pointer: z.record(z.string(), z.unknown()).nullable().default({}),
  sync: z.enum(['auto', 'manual']).default('auto'),
  /** Revision that is applied. */
  applied: z.int().optional(),
  health: z.string().optional(),
  last: z.record(z.string(), z.unknown()).optional(),
  waiting: z.string().optional(),
  check: z.record(z.string(), z.unknown()).optional(),
  held: z.string().optional(),
  before: targetReportSchema.optional(),
  /** The commit that is told of. */
  head: z.string().default('b'),
  is: z.string(),
});

const rows = z.array(rowSchema).parse(
  load(`
- {why: nothing was rendered yet, pointer: null, is: 'pending: not rendered yet'}
- {why: before its run, is: 'pending: about to be applied, own'}
- {why: a person applies commits, sync: manual, is: 'pending: waits for \`trueup sync\`, own'}
- {why: it is frozen, held: frozen until Monday, is: 'pending: frozen until Monday, own'}
- {why: it waits for its stage, last: {outcome: waiting}, waiting: stage canary soaks, is: 'pending: stage canary soaks, own'}
- {why: another revision waits no more, last: {revision: 6}, is: 'pending: about to be applied, own'}
- {why: one quick failure is nothing yet, last: {outcome: failed, retry: true, attempt: 2, message: timed out}, is: 'pending: tried again: timed out, own'}
- {why: the third is one, last: {outcome: failed, retry: true, attempt: 3, message: timed out}, is: 'failure: timed out, own'}
- {why: what no retry mends, last: {outcome: failed, message: it is invalid}, is: 'failure: it is invalid, own'}
- {why: a person must act, last: {outcome: blocked, retry: true, message: no right}, is: 'failure: no right, own'}
- {why: healthy, applied: 7, health: Healthy, is: 'success: , own'}
- {why: 'healthy, of an earlier commit', applied: 7, health: Healthy, head: c, is: 'success: '}
- {why: stopped on purpose, applied: 7, health: Suspended, is: 'success: Suspended: because, own'}
- {why: it fell over, applied: 7, health: Degraded, is: 'failure: Degraded: because, own'}
- {why: its pods come up, applied: 7, health: Progressing, is: 'pending: Progressing: because, own'}
- {why: nobody looked yet, applied: 7, is: 'pending: Unknown, own'}
- why: pods move of what was healthy
  applied: 7
  health: Progressing
  before: {revision: 7, state: success, text: '', applied: true}
  is: 'success: , own'
- why: pods come up of what had failed to start
  applied: 7
  health: Progressing
  before: {revision: 7, state: failure, text: 'Degraded: it fell over', applied: true}
  is: 'failure: Degraded: it fell over, own'
- why: a run failed, and the next one went through
  applied: 7
  health: Progressing
  before: {revision: 7, state: failure, text: timed out}
  is: 'pending: Progressing: because, own'
- why: the health of the revision before says nothing
  applied: 7
  health: Progressing
  before: {revision: 6, state: success, text: '', applied: true}
  is: 'pending: Progressing: because, own'
- why: a sweep looked later than the run
  applied: 7
  health: Progressing
  check: {at: '2026-11-23T11:59:00Z', health: Healthy}
  is: 'success: , own'
- why: a sweep looked before the run
  applied: 7
  health: Degraded
  check: {at: '2026-11-23T11:29:00Z', health: Healthy}
  is: 'failure: Degraded: because, own'
- why: a sweep looked at another revision
  applied: 7
  health: Progressing
  check: {at: '2026-11-23T11:59:00Z', health: Degraded, revision: 6}
  is: 'pending: Progressing: because, own'
- why: a sweep could not look
  applied: 7
  health: Healthy
  check: {at: '2026-11-23T11:59:00Z', health: Unknown}
  is: 'success: , own'
- why: the newest commit cannot be rendered
  pointer: {failed: {sha: c, at: '2026-11-23T11:00:00Z', faults: [{subject: 'apps/web/a.yaml:5', message: is no YAML}]}}
  applied: 7
  health: Healthy
  head: c
  is: 'success: , own; instead failure: stays at bbbbbbb: apps/web/a.yaml:5: is no YAML'
- why: a person pinned what was before
  pointer: {pin: {by: ada, reason: slow, at: '2026-11-23T11:00:00Z'}, held: {commit: c, snapshot: other}}
  applied: 7
  health: Healthy
  head: c
  is: 'success: , own; instead pending: pinned to bbbbbbb by ada: slow'
- why: it was rolled back by itself
  pointer: {pin: {by: trueup, reason: fell over, at: '2026-11-23T11:00:00Z', rejects: x}, held: {commit: c, snapshot: other}}
  applied: 7
  health: Healthy
  head: c
  is: 'success: , own; instead failure: rolled back to bbbbbbb: fell over'
- why: a pin whose time is over
  pointer: {pin: {by: ada, reason: slow, at: '2026-11-23T11:00:00Z', until: '2026-11-23T11:30:00Z'}, held: {commit: c, snapshot: other}}
  applied: 7
  health: Healthy
  is: 'success: , own'
- {why: Git gave it up, pointer: {state: gone}, applied: 6, is: 'pending: about to be taken away'}
- {why: it is gone, pointer: {state: gone}, applied: 7, is: nothing}
`),
);
type Row = (typeof rows)[number];

const looseSchema = z.record(z.string(), z.unknown());

function pointerOf({ pointer, sync }: Row) {
  if (pointer === null) return undefined;
  const { failed, held, pin, ...rest } = pointer;
  const settings = { ...defaultSettings, sync };
  const of = { state: 'present', snapshot: 'sha256:1', objects: 1, settings };
  const digitOf = (value: unknown) => z.string().parse(value);
  const { rejects, ...pinned } = looseSchema.parse(pin ?? {});
  const rejected = { snapshot: 'sha256:2', commit: commitOf('c'), revision: 6 };
  const names = { version: 1, seq: 9, target, repository: 'fleet', ref: 'refs/heads/main' };
  return desiredPointerSchema.parse({
    ...names,
    ...of,
    revision: 7,
    commit: commitOf('b'),
    examined: { sha: 'f'.repeat(40), at: '2026-11-23T11:00:00Z' },
    ...rest,
    ...(failed !== undefined && {
      failed: { ...looseSchema.parse(failed), sha: digitOf(looseSchema.parse(failed)['sha']).repeat(40) },
    }),
    ...(held !== undefined && {
      held: {
        ...of,
        ...looseSchema.parse(held),
        commit: commitOf(digitOf(looseSchema.parse(held)['commit'])),
      },
    }),
    ...(pin !== undefined && { pin: { ...pinned, ...(rejects !== undefined && { rejects: rejected }) } }),
  });
}

function inventoryOf({ applied, health, last, waiting }: Row) {
  const at = '2026-11-23T11:30:00Z';
  const run = { runId: 'r', key: 'runs/r', revision: 7, outcome: 'applied', at, message: '', attempt: 1 };
  return inventorySchema.parse({
    version: 1,
    seq: 1,
    target,
    entries: {},
    ...(applied !== undefined && { applied: { revision: applied, snapshot: 's', sha: 'b', runId: 'r', at } }),
    ...(health !== undefined && {
      health: { status: health, at, message: health === 'Healthy' ? '' : 'because' },
    }),
    ...(last !== undefined && { lastRun: { ...run, ...last } }),
    ...(waiting !== undefined && { waiting: { revision: 7, since: at, reason: waiting } }),
  });
}

for (const row of rows) {
  test(row.why, () => {
    const { check, held, before, head } = row;
    const ofSweep = { sync: 'Synced', reason: '', drifted: 0, revision: 7, healthMessage: '' };
    const checked = check === undefined ? undefined : targetCheckSchema.parse({ ...ofSweep, ...check });
    const records = { pointer: pointerOf(row), inventory: inventoryOf(row), check: checked, held };
    const report = reportTarget(records, { sha: head.repeat(40), now, before });
    const { state, text, own, instead } = report ?? {};
    const more = instead === undefined ? '' : `; instead ${instead.state}: ${instead.text}`;
    assert.equal(
      report === undefined ? 'nothing' : `${state}: ${text}${own === true ? ', own' : ''}${more}`,
      row.is,
    );
  });
}
