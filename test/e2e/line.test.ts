import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { testAws } from '../aws/test-aws.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { demoRepository } from './demo-repository.ts';
import { install } from './installation.ts';
import { narrator } from './narrator.ts';
import { recordsOf } from './records.ts';
import { kubectlOf } from './stage.ts';
import { tellStory } from './story.ts';

/** One pass of the demo's line: the same story, on the control plane and the local AWS that all tests share. */
test(
  'a push, an upgrade, drift in both modes, a broken commit and a rollback',
  { timeout: 600_000 },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'trueup-line-'));
    const cluster = await testCluster('line');
    const { aws } = await testAws();
    const story = narrator((line) => t.diagnostic(line));
    const installation = await install({
      fleet: 'line',
      dir,
      ...(await demoRepository(join(dir, 'from'))),
      clusters: [{ name: 'local', labels: { environment: 'production' }, cluster }],
      progress: (line) => t.diagnostic(line),
      aws,
    });
    t.after(async () => {
      await installation.stop();
      await cluster.stop();
      await rm(dir, { recursive: true, force: true });
    });
    const clone = join(dir, 'clone');
    await cloneWorktree(installation.cloneUrlWithToken, clone);
    const kubectl = kubectlOf(installation.tools.kubectl, cluster.kubeconfigPath);
    const records = recordsOf(installation);
    await tellStory({ installation, records, clone, narrator: story, cluster: 'local', kubectl });
    for (const step of [
      'webhook accepted',
      'event on the bus',
      'commit fetched',
      'snapshot',
      'applied',
      'healthy',
    ]) {
      assert.ok(story.seen.filter((seen) => seen === step).length >= 3, `${step} was not seen for each push`);
    }
    for (const step of [
      'drift recorded',
      'alarm',
      'healed',
      'left alone',
      'alarm over',
      'refused',
      'rolled back',
    ]) {
      assert.ok(story.seen.includes(step), `${step} was not seen`);
    }
  },
);
