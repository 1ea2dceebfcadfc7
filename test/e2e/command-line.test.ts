import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { RunRecord } from '../../core/model/run.ts';
import { at } from '../cluster/cluster-client.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';
import type { Installation } from './installation.ts';
import { openStage, type OpenStage } from './open-stage.ts';
import { pushFiles, watchPush, watchRun } from './push-chapter.ts';
import { runTrueup, type Stage } from './stage.ts';
import { until } from './until.ts';

/** Verbs of the command line that change the records of an installation, on the deployed stack (issue 4). */

let opened: OpenStage;
let dir: string;
let cluster: TestCluster;
let installation: Installation;
let stage: Stage;
const target = { cluster: 'local', application: 'desk' };

before(async () => {
  opened = await openStage('desk');
  ({ stage, cluster, dir } = opened);
  ({ installation } = stage);
});
after(async () => opened?.close());

const application = () =>
  [
    'apiVersion: trueup.dev/v1',
    'kind: Application',
    'metadata: {name: desk}',
    'spec:',
    '  source: {path: apps/desk}',
    '  clusters: {names: [local]}',
    `  namespace: ${cluster.namespace}`,
    '  drift: observe',
    '',
  ].join('\n');
const page = (round: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: page}\ndata: {round: "${round}", colour: red}\n`;
const path = () => `/api/v1/namespaces/${cluster.namespace}/configmaps/page`;
const live = async (field: string) => at(await cluster.admin.get(path()), 'data', field);
const push = async (round: string) => {
  const files = { 'applications/desk.yaml': application(), 'apps/desk/page.yaml': page(round) };
  return pushFiles(stage, `desk: round ${round}`, files);
};
const app = ['--app', 'desk'];

/** The newest run that this person asked for, once it has ended. */
const runSince = async (startedAt: string): Promise<RunRecord> =>
  until('a run that was asked for', async () =>
    (await stage.records.runs(target))
      .map(({ value }) => value)
      .findLast((run) => run.reason === 'sync' && run.startedAt >= startedAt && run.outcome !== undefined),
  );

test('drift --accept takes what is there: the episode ends, and no later check finds it again', async () => {
  await watchPush(stage, await push('1'), [target]);
  await cluster.admin.patch(path(), { data: { colour: 'blue', round: 'by hand' } });
  const found = await runTrueup(installation, 'drift', ...app, '--now');
  assert.equal(found.code, 1, found.err);
  assert.match(found.out, /data\.colour/);

  const file = join(dir, 'application.yaml');
  await writeFile(file, application());
  const only = ['--object', 'ConfigMap/page', '--field', 'data.colour', '--reason', 'blue is fine'];
  const accepted = await runTrueup(installation, 'drift', ...app, '--accept', ...only, '--application', file);
  assert.equal(accepted.code, 0, accepted.err);
  assert.match(await readFile(file, 'utf8'), /rules:\n.*\/data\/colour.*blue is fine/s);
  const rules = (await stage.records.inventory(target))?.accepted ?? [];
  assert.deepEqual(
    rules.map(({ rule }) => rule.fields),
    [['/data/colour']],
  );
  assert.match(rules[0]?.by ?? '', /^arn:aws/);

  const left = await runTrueup(installation, 'drift', ...app, '--now');
  assert.equal(left.code, 1, left.err);
  const [, open = ''] = left.out.split('open');
  assert.match(left.out, /data\.round/);
  assert.doesNotMatch(open.split('\n')[0] ?? '', /colour/);
  const rest = await runTrueup(installation, 'drift', ...app, '--accept', '--reason', 'so be it');
  assert.equal(rest.code, 0, rest.err);
  const clean = await runTrueup(installation, 'drift', ...app, '--now');
  assert.equal(clean.code, 0, clean.out + clean.err);
  assert.deepEqual(
    (await stage.records.drifts(target)).map(({ value }) => value.state).filter((state) => state === 'open'),
    [],
  );
  const none = await runTrueup(installation, 'drift', ...app, '--accept');
  assert.deepEqual([none.code, /no open drift of desk/.test(none.err)], [2, true]);
});

test('rollback goes back and stays there, and --lift follows commits again', async () => {
  const second = await push('2');
  await watchRun(stage, second, target);
  const third = await push('3');
  await watchRun(stage, third, target);
  assert.equal(await live('colour'), 'blue', 'accepted drift outlives a push');
  const startedAt = new Date().toISOString();
  const back = await runTrueup(installation, 'rollback', ...app, '--reason', 'three is broken');
  assert.equal(back.code, 0, back.err);
  assert.match(back.out, new RegExp(`from ${third.sha.slice(0, 7)} back to ${second.sha.slice(0, 7)}`));
  const run = await runSince(startedAt);
  assert.deepEqual([run.outcome?.kind, run.commit.sha], ['applied', second.sha], run.outcome?.message);
  assert.match(run.requestedBy, /^arn:aws/);

  const fourth = await push('4');
  await until('the fourth commit examined', async () =>
    (await stage.records.desired(target))?.examined.sha === fourth.sha ? true : undefined,
  );
  assert.equal((await stage.records.desired(target))?.commit.sha, second.sha);
  const status = await runTrueup(installation, 'status', ...app);
  assert.match(status.out, /three is broken/);

  const liftedAt = new Date().toISOString();
  const lifted = await runTrueup(installation, 'rollback', ...app, '--lift');
  assert.equal(lifted.code, 0, lifted.err);
  const last = await runSince(liftedAt);
  assert.deepEqual([last.outcome?.kind, last.commit.sha], ['applied', fourth.sha], last.outcome?.message);
  const again = await runTrueup(installation, 'rollback', ...app, '--lift');
  assert.deepEqual([again.code, /nothing to lift/.test(again.err)], [2, true]);
  const to = await runTrueup(installation, 'rollback', ...app, '--to', 'ffffffff');
  assert.equal(to.code, 2);
  assert.match(to.err, new RegExp(second.sha.slice(0, 7)));
});
