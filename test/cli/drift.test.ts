import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { drift } from '../../cli/drift.ts';
import { configMap, deployment, webAddress } from '../core/sweep/sweep-world.ts';
import { cliWorld, linesOf, type CliWorld } from './cli-world.ts';

const minute = 60_000;
const observe = { drift: 'observe' } as const;

let cli: CliWorld;
beforeEach(() => {
  cli = cliWorld();
});

describe('trueup drift', () => {
  it('is status 0 and says so where there is none', async () => {
    await cli.world.deploy('web', [deployment('front')]);
    await cli.world.sweepAll();
    const report = await drift(cli.session, {});
    assert.deepEqual(
      [report.exitCode, linesOf(report)],
      [0, ['no drift, open or closed, in the last 7 days']],
    );
  });

  it('is status 3 for what was never applied: nothing could be compared', async () => {
    await cli.world.push('web', [deployment('front')]);
    await cli.world.sweepAll();
    const report = await drift(cli.session, {});
    assert.equal(report.exitCode, 3);
    assert.match(
      report.notes?.join() ?? '',
      /east\/web could not be checked: commit c0ffee0 is not applied yet/,
    );
  });

  it('prints fields, values, who and since when; open drift is status 1, drift put back is not', async () => {
    const { world, session } = cli;
    await world.deploy('web', [deployment('front')], observe);
    world.cluster.edit(webAddress, { spec: { replicas: 9 } });
    await world.sweepAll();
    const report = await drift(session, { app: 'web' });
    assert.equal(report.exitCode, 1);
    assert.deepEqual(linesOf(report), [
      'east/web  Deployment web/front  open since 60m ago (observe)',
      '  CLASS    FIELD          DESIRED  LIVE  MANAGER       SINCE',
      '  changed  spec.replicas  2        9     kubectl-edit  60m',
    ]);
    world.clock.advance(5 * minute);
    world.cluster.edit(webAddress, { spec: { replicas: 2 } }, 'trueup');
    await world.sweepAll();
    world.clock.advance(minute);
    const later = await drift(session, {});
    assert.equal(later.exitCode, 0);
    assert.equal(linesOf(later)[0], 'east/web  Deployment web/front  reverted 60s ago, after 65m');
  });

  it('shows foreign fields and missing objects; only the latter is status 1', async () => {
    const { world, session } = cli;
    await world.deploy('web', [deployment('front'), configMap('front')], observe);
    world.cluster.edit(webAddress, { metadata: { annotations: { note: 'x' } } });
    await world.sweepAll();
    const foreign = await drift(session, {});
    assert.equal(foreign.exitCode, 0);
    assert.match(foreign.text, /foreign +metadata\.annotations\.note +- +"x" +kubectl-edit/);
    await world.cluster.delete({ apiVersion: 'v1', plural: 'configmaps', namespace: 'web', name: 'front' });
    await world.sweepAll();
    const missing = await drift(session, {});
    assert.equal(missing.exitCode, 1);
    assert.match(missing.text, /ConfigMap web\/front is missing/);
  });

  it('is status 3 where nothing is found and something could not be checked', async () => {
    const { world, session } = cli;
    await world.deploy('web', [deployment('front')]);
    world.cluster.unreachable = 'no answer within 5 s';
    await world.sweepAll();
    const report = await drift(session, {});
    assert.equal(report.exitCode, 3);
    assert.match(report.notes?.[0] ?? '', /^east\/web could not be checked: .*no answer within 5 s/);
  });

  it('--now looks first, and waits for its own sweep, not for one that was under way; what is not due yet is looked at too', async () => {
    const { world, session } = cli;
    await world.deploy('web', [deployment('front')], { ...observe, intervalSeconds: 3600 });
    await world.sweepAll();
    const sweep = cli.onSweep;
    cli.onSweep = async (request) => {
      // The schedule's sweep ends first, and has not seen the edit.
      await world.sweepAll();
      world.cluster.edit(webAddress, { spec: { replicas: 9 } });
      await sweep(request);
    };
    assert.equal((await drift(session, { now: true })).exitCode, 1);
  });

  it('--now gives up with advice when no sweep ends', async () => {
    await cli.world.deploy('web', [deployment('front')]);
    cli.onSweep = async () => undefined;
    await assert.rejects(
      drift(cli.session, { now: true }),
      /No sweep of east ended within 6 minutes. Look at the log/,
    );
  });
});
