import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { testAws } from '../aws/test-aws.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { sweepNow } from './drift-chapter.ts';
import { install } from './installation.ts';
import { narrator } from './narrator.ts';
import { pushFiles, watchRun } from './push-chapter.ts';
import { recordsOf } from './records.ts';
import { edited, kubectlOf, runTrueup, targetsOf, trueup } from './stage.ts';
import { until } from './until.ts';

const rollout = `  rollout:
    stages:
      - { name: canary, clusters: { names: [east] }, pause: true }
      - { name: rest }
    alarms: [storefront-errors]
`;

/** Issue 6: one installation, two real control planes; the second gets a commit when a person and an alarm let it. */
test(
  'a rollout waits for a person and an alarm; a suspension holds it all',
  { timeout: 600_000 },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'trueup-staged-'));
    const progress = (line: string) => t.diagnostic(line);
    const [east, west] = await Promise.all([
      startControlPlane({ name: 'east', progress }),
      startControlPlane({ name: 'west', progress }),
    ]);
    t.after(() => Promise.all([east.stop(), west.stop(), rm(dir, { recursive: true, force: true })]));
    const { aws } = await testAws();
    const labels = { environment: 'production' };
    const installation = await install({
      fleet: 'staged',
      dir,
      from: resolve(import.meta.dirname, '../../examples/quickstart'),
      clusters: [
        { name: 'east', labels, cluster: east },
        { name: 'west', labels, cluster: west },
      ],
      progress,
      aws,
    });
    t.after(() => installation.stop());
    const clone = join(dir, 'clone');
    await cloneWorktree(installation.cloneUrlWithToken, clone);
    const stage = {
      installation,
      records: recordsOf(installation),
      clone,
      narrator: narrator(progress),
      cluster: 'east',
      kubectl: kubectlOf(installation.tools.kubectl, east.kubeconfigPath),
    };
    const statusOfWest = async (): Promise<string> =>
      trueup(installation, 'status', '--app', 'storefront', '--cluster', 'west');
    const waitsFor = async (what: RegExp): Promise<string> =>
      until(`west waits: ${what}`, async () => {
        const said = await statusOfWest();
        return what.test(said) ? said : undefined;
      });

    const changed = await edited(
      stage,
      'applications/storefront.yaml',
      '  drift: heal',
      `${rollout}  drift: heal`,
    );
    const push = await pushFiles(stage, 'storefront: in stages', changed);
    await watchRun(stage, push, targetsOf('east').healed);
    await waitsFor(/stage canary is in; it waits for `trueup promote --app storefront --stage canary`/);

    const promoted = await trueup(installation, 'promote', '--app', 'storefront', '--reason', 'looks good');
    assert.match(promoted, /^promoted stage canary/);
    await waitsFor(/there is no alarm storefront-errors/);
    const alarms = new CloudWatchClient(installation.clients);
    await alarms.send(
      new PutMetricAlarmCommand({
        AlarmName: 'storefront-errors',
        Namespace: 'Shop',
        MetricName: 'Errors',
        Statistic: 'Sum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'ignore',
      }),
    );
    const state = { AlarmName: 'storefront-errors', StateReason: 'test' };

    await trueup(installation, 'suspend', '--cluster', 'west', '--reason', 'upgrade of the control plane');
    await alarms.send(new SetAlarmStateCommand({ ...state, StateValue: 'OK' }));
    await sweepNow({ ...stage, cluster: 'west' });
    assert.match(await statusOfWest(), /cluster west is suspended by .*: upgrade of the control plane/);
    const refused = await runTrueup(installation, 'sync', '--app', 'storefront', '--cluster', 'west');
    assert.equal(refused.code, 2);
    assert.match(refused.err, /suspended by .*`trueup resume`/);

    await trueup(installation, 'resume', '--cluster', 'west');
    await until('west applied', async () =>
      (await stage.records.runs(targetsOf('west').healed)).find(
        ({ value }) => value.commit.sha === push.sha && value.outcome?.kind === 'applied',
      ),
    );
    assert.match(await trueup(installation, 'history', '--app', 'storefront'), /; ended at .*, resumed by /);
  },
);
