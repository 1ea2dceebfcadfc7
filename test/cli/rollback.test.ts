import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { CliError } from '../../cli/cli-error.ts';
import { history } from '../../cli/history.ts';
import { rollBackStack } from '../../cli/rollback.ts';
import { status } from '../../cli/status.ts';
import { Blocked } from '../../core/errors.ts';
import type { RunRequest } from '../../core/model/run.ts';
import { configMap } from '../core/sweep/sweep-world.ts';
import { cliWorld, linesOf, putRun, type CliWorld } from './cli-world.ts';

const alice = 'arn:aws:sts::123456789012:assumed-role/Admin/alice';
let cli: CliWorld;
let asked: RunRequest[];

beforeEach(async () => {
  asked = [];
  cli = cliWorld();
  cli.onRun = async (request) => void asked.push(request);
  for (const value of ['1', '2']) {
    const { revision, snapshot, commit } = await cli.world.deploy('web', [configMap('a', { value })]);
    await putRun(cli.world, { revision, snapshot, commit });
    cli.world.clock.advance(60_000);
  }
});

const said = () =>
  cli.world.bus.events.filter(({ type }) => type === 'RolledBack').map(({ detail }) => detail);

describe('trueup rollback', () => {
  it('is told on the bus, after the run was asked for; a pull request is wanted where somebody says so', async () => {
    await rollBackStack(cli.session, { app: 'web', reason: 'two is broken', revertPr: true });
    const [detail, ...more] = said();
    assert.ok(detail !== undefined && 'automatic' in detail && more.length === 0);
    const { by, reason, automatic, revertPullRequest, revision } = detail;
    assert.deepEqual(
      [by, reason, automatic, revertPullRequest, revision],
      [alice, 'two is broken', false, true, 3],
    );
    assert.equal(asked.length, 1);
  });

  it('of several targets moves none where one has nothing to go back to', async () => {
    const { store } = cli.world;
    const text = (await store.get('desired/east/web.json'))?.text ?? '';
    await store.put('desired/west/web.json', text.replaceAll('"east"', '"west"'), 'absent');
    await assert.rejects(rollBackStack(cli.session, { app: 'web' }), /west\/web: nothing was applied before/);
    await assert.rejects(rollBackStack(cli.session, { app: 'web', prune: true }), /--prune is for --store/);
    assert.deepEqual([asked, said()], [[], []]);
    assert.equal((await store.get('desired/east/web.json'))?.text, text);
  });

  it('waits for its own run with --wait, and says how it ended', async () => {
    cli.onRun = async ({ requestedBy }) => void (await putRun(cli.world, { requestedBy, reason: 'sync' }));
    const { text, exitCode } = await rollBackStack(cli.session, { app: 'web', wait: true });
    assert.match(text, /from .* back to .*\neast\/web: .*applied.*; .*Healthy/);
    assert.equal(exitCode, 0);
  });

  it('opens a pull request where the Application wants one beside every rollback', async () => {
    const settings = { rollback: { revertPullRequest: true as const } };
    const { revision, snapshot, commit } = await cli.world.deploy(
      'web',
      [configMap('a', { value: '3' })],
      settings,
    );
    await putRun(cli.world, { revision, snapshot, commit });
    await rollBackStack(cli.session, { app: 'web' });
    const [detail] = said();
    assert.ok(detail !== undefined && 'automatic' in detail);
    assert.equal(detail.revertPullRequest, true);
  });

  it('is done though nobody can be told, and says so', async () => {
    const publish = async () => {
      throw new Blocked({ subject: 'event bus', message: 'refuses events:PutEvents' });
    };
    await assert.rejects(
      rollBackStack({ ...cli.session, bus: { publish } }, { app: 'web' }),
      (error) =>
        error instanceof CliError &&
        /from .* back to .*\nIt is done, and nobody was told/s.test(error.message),
    );
    assert.equal(asked.length, 1);
  });
});

it('a rollback of trueup itself stands in status, and its run in the history', async () => {
  const { revision, snapshot, commit } = await cli.world.deploy('web', [configMap('a', { value: '3' })]);
  const reason = 'it is Degraded since 12:00: Deployment web: timed out';
  const pin = {
    by: 'trueup',
    reason,
    at: '2026-11-23T12:00:00.000Z',
    rejects: { revision, snapshot, commit },
  };
  await cli.world.changePointer('web', { pin });
  await putRun(cli.world, { rollback: { by: 'trueup', reason } });
  assert.match(
    linesOf(await status(cli.session, {})).join('\n'),
    /pinned to commit [0-9a-f]{7} by trueup since 2026-11-23T12:00:00.000Z, until a commit gives other objects than [0-9a-f]{7}, or it is lifted \(it is Degraded/,
  );
  assert.match(
    linesOf(await history(cli.session, { app: 'web' })).join('\n'),
    /rolled back by trueup: it is Degraded/,
  );
});
