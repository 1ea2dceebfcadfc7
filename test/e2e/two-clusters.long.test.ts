import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { testAws } from '../aws/test-aws.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { sweepNow } from './drift-chapter.ts';
import { install } from './installation.ts';
import { narrator } from './narrator.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { pushFiles, watchPush, watchRun } from './push-chapter.ts';
import { recordsOf } from './records.ts';
import { edited, kubectlOf, targetsOf } from './stage.ts';
import { until } from './until.ts';

const manifest = 'apps/storefront/web.yaml';

/** Issue 3: one installation, two real control planes, one of which stops half-way. */
test(
  'a cluster that stops is Unknown with its reason; the other goes on',
  { timeout: 600_000 },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'trueup-two-'));
    const progress = (line: string) => t.diagnostic(line);
    const [east, west] = await Promise.all([
      startControlPlane({ name: 'east', progress }),
      startControlPlane({ name: 'west', progress }),
    ]);
    t.after(() => Promise.all([east.stop(), west.stop(), rm(dir, { recursive: true, force: true })]));
    const { aws } = await testAws();
    const installation = await install({
      fleet: 'two',
      dir,
      from: resolve(import.meta.dirname, '../../examples/quickstart'),
      clusters: [
        { name: 'east', labels: { environment: 'production' }, cluster: east },
        { name: 'west', labels: { environment: 'production' }, cluster: west },
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
    const first = targetsOf('east').healed;
    const second = targetsOf('west').healed;
    const both = await edited(stage, manifest, '<h1>storefront</h1>', '<h1>both</h1>');
    await watchPush(stage, await pushFiles(stage, 'storefront: both coasts', both), [first, second]);

    // Accepts connections and never answers, as behind a broken network path: the worse kind of gone.
    west.pauseApiserver();
    const upgrade = await edited(stage, manifest, 'nginx:1.29.1', 'nginx:1.29.2');
    const push = await pushFiles(stage, 'storefront: nginx 1.29.2', upgrade);
    await watchRun(stage, push, first);
    await sweepNow(stage);
    await sweepNow({ ...stage, cluster: 'west' });

    const lost = await until('west Unknown', async () => {
      const check = await stage.records.check('west');
      return check?.unreachable === undefined ? undefined : check;
    });
    const state = lost.targets['storefront'];
    assert.equal(state?.sync, 'Unknown');
    assert.match(lost.unreachable ?? '', /within 5 s|timed out|no answer/i);
    t.diagnostic(`west: ${state.sync}: ${state.reason}`);
    const kept = await until('east checked', async () => {
      const check = await stage.records.check('east');
      return check?.targets['storefront']?.sync === 'Synced' ? check : undefined;
    });
    assert.equal(kept.unreachable, undefined);

    // The runs that failed meanwhile stay in the records; their retry, or the sweep, is what completes the work.
    west.resumeApiserver();
    const late = await until(
      'west applied',
      async () =>
        (await stage.records.runs(second)).find(
          ({ value }) => value.commit.sha === push.sha && value.outcome?.kind === 'applied',
        ),
      { seconds: 240 },
    );
    progress(`west, after it came back: ${late.value.reason}, ${late.value.outcome?.message}`);
  },
);
