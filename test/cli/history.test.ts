import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { history } from '../../cli/history.ts';
import { sync } from '../../cli/sync.ts';
import type { RunRecord, RunRequest } from '../../core/model/run.ts';
import { configMap } from '../core/sweep/sweep-world.ts';
import { cliWorld, linesOf, putRun, type CliWorld } from './cli-world.ts';

const day = 86_400_000;
function failed(at: string, message: string): NonNullable<RunRecord['outcome']> {
  const counts = { created: 0, updated: 0, unchanged: 0, pruned: 0, failed: 1 };
  return { kind: 'failed', at, message, counts, objects: [], faults: [] };
}

let cli: CliWorld;
beforeEach(async () => {
  cli = cliWorld();
  await cli.world.deploy('web', [configMap('front')]);
});

describe('trueup history', () => {
  it('prints runs, newest first, over days, and why one failed', async () => {
    const { world, session } = cli;
    await putRun(world, {
      requestedBy: 'arn:aws:sts::123456789012:assumed-role/Admin/alice 01234567-89ab-7cde-8f01-23456789abcd',
    });
    world.clock.advance(3 * day);
    const at = new Date(world.clock.now() + 10_000).toISOString();
    const outcome = failed(at, 'Deployment web/front: denied');
    const { health: _, ...ended } = await putRun(world);
    const run: RunRecord = { ...ended, id: 'id-9999', outcome };
    await world.store.put('runs/date=2026-11-26/east/web/id-9999.json', JSON.stringify(run), 'any');
    const lines = linesOf(await history(session, { app: 'web' }));
    assert.deepEqual(
      lines.map((line) => line.replaceAll(/ {2,}/g, '  ')),
      [
        'STARTED  CLUSTER  REASON  BY  REVISION  COMMIT  OUTCOME  TOOK  CHANGES  HEALTH',
        '10s ago  east  push  webhook  c0ffee0  change (Ada)  failed  10s  1 failed  -',
        '10s ago  east  push  webhook  c0ffee0  change (Ada)  applied  10s  1 created, 2 pruned  Healthy',
        '3d ago  east  push  alice  c0ffee0  change (Ada)  applied  10s  1 created, 2 pruned  Healthy',
        '',
        'run id-9999: Deployment web/front: denied',
      ],
    );
  });

  it('says so when there were none', async () => {
    assert.deepEqual(linesOf(await history(cli.session, { app: 'web' })), ['no runs in the last 30 days']);
  });
});

describe('trueup sync', () => {
  it('asks for a run in the name of whoever asks', async () => {
    const asked: RunRequest[] = [];
    cli.onRun = async (request) => void asked.push(request);
    const report = await sync(cli.session, { app: 'web' });
    assert.deepEqual(linesOf(report), ['east/web: asked for a run']);
    assert.deepEqual([asked[0]?.reason, asked[0]?.target.application], ['sync', 'web']);
    assert.match(asked[0]?.requestedBy ?? '', /^arn:aws:sts::123456789012:assumed-role\/Admin\/alice id-/);
  });

  it('--wait tells how its own run ended, and is status 1 when it failed', async () => {
    const { world, session } = cli;
    await putRun(world);
    cli.onRun = async ({ requestedBy }) => void (await putRun(world, { reason: 'sync', requestedBy }));
    const good = await sync(session, { app: 'web', wait: true });
    assert.deepEqual([good.exitCode, linesOf(good)], [0, ['east/web: applied; Healthy']]);
    cli.onRun = async ({ requestedBy }) => {
      const at = new Date(world.clock.now()).toISOString();
      const outcome = failed(at, 'denied');
      await putRun(world, { reason: 'sync', requestedBy, outcome });
    };
    const bad = await sync(session, { app: 'web', wait: true });
    assert.deepEqual([bad.exitCode, linesOf(bad)], [1, ['east/web: failed, denied; Healthy']]);
  });

  it('--wait gives up with advice when no run ends', async () => {
    await assert.rejects(
      sync(cli.session, { app: 'web', wait: true }),
      /After 10 minutes there is no end of: east\/web/,
    );
  });
});
