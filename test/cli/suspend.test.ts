import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { history } from '../../cli/history.ts';
import { promoteStage } from '../../cli/promote.ts';
import { rollBackStack } from '../../cli/rollback.ts';
import { status } from '../../cli/status.ts';
import { resumeTargets, suspendTargets } from '../../cli/suspend.ts';
import { sync } from '../../cli/sync.ts';
import type { RunRequest } from '../../core/model/run.ts';
import { configMap } from '../core/sweep/sweep-world.ts';
import { cliWorld, linesOf, type CliWorld } from './cli-world.ts';

const alice = 'arn:aws:sts::123456789012:assumed-role/Admin/alice';
const hour = 3_600_000;

let cli: CliWorld;
let asked: RunRequest[];
beforeEach(async () => {
  cli = cliWorld();
  asked = [];
  cli.onRun = async (request) => void asked.push(request);
  await cli.world.deploy('web', [configMap('front')]);
  await cli.world.deploy('shop', [configMap('shop')]);
  await cli.world.sweepAll();
});

describe('trueup suspend and resume', () => {
  const told = `application web is suspended by ${alice} since 2026-11-23T12:00:00.000Z, until somebody resumes it: incident`;

  it('tells what it is about, in the status and in the history as well, with who and why', async () => {
    const { session } = cli;
    const suspended = await suspendTargets(session, { app: 'web', reason: 'incident' });
    assert.deepEqual(linesOf(suspended), [told, '1 targets: east/web']);
    assert.equal(linesOf(await status(session, { app: 'web' })).at(-1), `east/web: ${told}`);
    assert.equal(linesOf(await history(session, { app: 'web' })).at(-1), told);
    assert.doesNotMatch((await status(session, { app: 'shop' })).text, /suspended/);
    cli.world.clock.advance(hour);
    const resumed = await resumeTargets(session, { app: 'web' });
    assert.deepEqual(linesOf(resumed), [`resumed: ${told}`]);
    assert.deepEqual(
      asked.map(({ target, reason }) => `${target.application} ${reason}`),
      ['web pending'],
    );
    const line = linesOf(await history(session, { app: 'web' })).at(-1) ?? '';
    assert.equal(line, `${told}; ended at 2026-11-23T13:00:00.000Z, resumed by ${alice}`);
  });

  it('lets nobody sync or roll back what is suspended, and says what to do', async () => {
    const { session } = cli;
    await suspendTargets(session, { cluster: 'east', reason: 'upgrade', until: '2026-11-23T14:00:00Z' });
    const refusal = /cluster east is suspended by .*until 2026-11-23T14:00:00.000Z: upgrade.*`trueup resume`/;
    await assert.rejects(sync(session, { app: 'web' }), refusal);
    await assert.rejects(rollBackStack(session, { app: 'web' }), refusal);
    assert.deepEqual(asked, []);
    cli.world.clock.advance(2 * hour);
    await sync(session, { app: 'web' });
    assert.equal(asked.length, 1);
    assert.doesNotMatch((await status(session, {})).text, /suspended/);
  });

  it('ends exactly what was suspended, and names what still holds', async () => {
    const { session } = cli;
    await suspendTargets(session, { cluster: 'east', reason: 'upgrade' });
    await assert.rejects(
      resumeTargets(session, { app: 'web' }),
      /not suspended as such. east\/web: cluster east is/,
    );
    await suspendTargets(session, { app: 'web', cluster: 'east', reason: 'incident' });
    const [, still] = linesOf(await resumeTargets(session, { cluster: 'east' }));
    assert.match(still ?? '', /^still east\/web: application web on east is suspended/);
  });

  it('refuses an end that is over, one that is no time, and nothing at all', async () => {
    const { session } = cli;
    const suspend = async (options: object) => suspendTargets(session, { reason: 'x', ...options });
    await assert.rejects(suspend({ app: 'web', until: '2026-11-23T11:00:00Z' }), /which is over/);
    await assert.rejects(suspend({ app: 'web', until: 'soon' }), /--until soon: it must be a time/);
    await assert.rejects(suspend({}), /Say what: --app NAME, --cluster NAME/);
    await assert.rejects(suspend({ app: 'wbe' }), /There is no application wbe/);
  });
});

describe('an application with a rollout', () => {
  const rollout = { stages: [{ name: 'canary', pause: true as const }, { name: 'prod' }], alarms: [] };

  it('is synced in the order of its stages unless a cluster is named', async () => {
    const { session, world } = cli;
    await world.push('web', [configMap('front', { a: '2' })], { rollout });
    await sync(session, { app: 'web' });
    await sync(session, { app: 'web', cluster: 'east', confirmPrune: 7 });
    assert.deepEqual(
      asked.map(({ staged, confirmPrune }) => [staged, confirmPrune]),
      [
        [true, undefined],
        [undefined, 7],
      ],
    );
    await assert.rejects(sync(session, { app: 'web', confirmPrune: 7 }), /Say of which --cluster/);
  });

  it('says in the status what it waits for, and promoting asks those that wait to look', async () => {
    const { session, world } = cli;
    await assert.rejects(promoteStage(session, { app: 'web' }), /nothing of it waits for a stage/);
    await world.push('web', [configMap('front', { a: '2' })], { rollout });
    const waiting = { revision: 2, since: '2026-11-23T12:00:00.000Z', reason: 'waits for stage canary' };
    await world.changeInventory('web', () => ({ waiting: { ...waiting, on: 'rollout' as const } }));
    assert.equal(linesOf(await status(session, { app: 'web' })).at(-1), 'east/web: waits for stage canary');
    const promoted = await promoteStage(session, { app: 'web', stage: 'canary', reason: 'looked' });
    assert.deepEqual(linesOf(promoted), ['promoted stage canary', 'east/web: asked to look again']);
    assert.deepEqual(
      asked.map(({ reason }) => reason),
      ['promote'],
    );
  });
});
