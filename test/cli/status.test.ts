import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { status } from '../../cli/status.ts';
import { configMap, deployment, webAddress } from '../core/sweep/sweep-world.ts';
import { cliWorld, linesOf, type CliWorld } from './cli-world.ts';

let cli: CliWorld;
beforeEach(() => {
  cli = cliWorld();
});

describe('trueup status', () => {
  it('prints a line for each target, aligned, and below them what is wrong', async () => {
    const { world, session } = cli;
    await world.deploy('web', [deployment('front')]);
    await world.deploy('shop', [configMap('shop')]);
    world.cluster.edit(webAddress, { spec: { replicas: 9 } });
    await world.sweepAll();
    world.clock.advance(300_000);
    assert.deepEqual(linesOf(await status(session, {})), [
      'CLUSTER  APPLICATION  REVISION  COMMIT        SYNC     HEALTH       DRIFT  CHECKED',
      'east     shop         c0ffee0   change (Ada)  Synced   Healthy      0      5m',
      'east     web          c0ffee0   change (Ada)  Drifted  Progressing  1      5m',
      '',
      'east/web: 1 of its objects differ from what was applied; Deployment web/front: NotObserved: its controller has not seen generation 2 yet',
    ]);
  });

  it('says Pending, and why, as soon as the pointer has moved', async () => {
    const { world, session } = cli;
    await world.deploy('web', [configMap('front')]);
    await world.sweepAll();
    await world.push('web', [configMap('front', { a: '2' })]);
    const { data } = await status(session, { app: 'web' });
    assert.deepEqual(data, [
      {
        cluster: 'east',
        application: 'web',
        revision: 'c0ffee0',
        subject: 'change',
        author: 'Ada',
        sync: 'Pending',
        health: 'Healthy',
        drift: 0,
        checkedAt: '2026-11-23T12:00:00.000Z',
        message: 'not applied yet',
      },
    ]);
  });

  it('says Synced after a run that no sweep has followed yet, and Unknown while the cluster does not answer', async () => {
    const { world, session } = cli;
    await world.deploy('web', [configMap('front')]);
    const [, line = ''] = linesOf(await status(session, {}));
    assert.match(line, /Synced/);
    world.cluster.unreachable = 'no answer within 5 s';
    await world.sweepAll();
    assert.match(linesOf(await status(session, {}))[1] ?? '', /Unknown +Unknown/);
  });

  it('names a commit that cannot be rendered; the target stays at its last good one', async () => {
    const { world, session } = cli;
    await world.deploy('web', [configMap('front')]);
    const faults = [{ subject: 'apps/web/a.yaml:3', message: 'cannot be read as YAML' }];
    await world.changePointer('web', {
      failed: { sha: 'b'.repeat(40), at: '2026-11-23T12:00:00.000Z', faults },
    });
    const lines = linesOf(await status(session, {}));
    assert.equal(
      lines.at(-1),
      'east/web: commit bbbbbbb cannot be rendered: apps/web/a.yaml:3: cannot be read as YAML',
    );
  });

  it('tells the known names for one that is not', async () => {
    const { world, session } = cli;
    await assert.rejects(status(session, {}), /No application is known yet. Push a commit/);
    await world.deploy('web', [configMap('front')]);
    await world.deploy('shop', [configMap('shop')]);
    await assert.rejects(status(session, { app: 'wbe' }), /There is no application wbe. Known: shop, web\./);
    await assert.rejects(
      status(session, { cluster: 'north' }),
      /No application is on a cluster north. Known: east\./,
    );
  });
});
