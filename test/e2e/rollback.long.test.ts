import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { testAws } from '../aws/test-aws.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { git } from '../git/git-command.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { gitHubRoutes } from '../host-apis/github-api.ts';
import { startHostServer } from '../host-apis/host-server.ts';
import { HostWorld } from '../host-apis/host-world.ts';
import { OpenApi } from '../host-apis/openapi.ts';
import { install } from './installation.ts';
import { narrator } from './narrator.ts';
import { pushFiles, watchRun } from './push-chapter.ts';
import { recordsOf } from './records.ts';
import { kubectlOf, trueup, type Stage } from './stage.ts';
import { until } from './until.ts';

const deployment = (image: string, pod = '') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 1
  progressDeadlineSeconds: 5
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      ${pod}
      containers: [{name: shop, image: ${image}}]
`;

const filesFor = (namespace: string) => ({
  'applications/shop.yaml': `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: watched}
spec:
  source: {path: apps/shop}
  clusters: {names: [local]}
  namespace: ${namespace}
  rollback: {onFailure: {window: 10m}, revertPullRequest: true}
`,
  'apps/shop/shop.yaml': deployment('shop:1'),
});

/** A commit that no node takes: off the cluster by itself, taken back by a pull request, with the rights the functions really have. */
test(
  'a bad revision is rolled back by itself, and its revert proposed and merged',
  { timeout: 600_000 },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'trueup-rollback-'));
    const cluster = await testCluster('rollback');
    const { namespace } = cluster;
    const { aws } = await testAws();
    const from = join(dir, 'from');
    for (const [file, text] of Object.entries(filesFor(namespace))) {
      await mkdir(dirname(join(from, file)), { recursive: true });
      await writeFile(join(from, file), text);
    }
    const world = new HostWorld();
    const api = new OpenApi('github');
    const host = await startHostServer({ prefix: '/api/v3', routes: gitHubRoutes(world, api), api });
    const progress = (line: string) => t.diagnostic(line);
    const installation = await install({
      fleet: 'rollback',
      dir,
      from,
      clusters: [{ name: 'local', labels: {}, cluster }],
      progress,
      aws,
      repository: { reverts: {}, host: { apiUrl: `${host.origin}/api/v3` } },
    });
    t.after(async () => {
      await installation.stop();
      await cluster.stop();
      await host[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    });
    const clone = join(dir, 'clone');
    await cloneWorktree(installation.cloneUrlWithToken, clone);
    const records = recordsOf(installation);
    const kubectl = kubectlOf(installation.tools.kubectl, cluster.kubeconfigPath);
    const stage: Stage = {
      installation,
      records,
      clone,
      narrator: narrator(progress),
      cluster: 'local',
      kubectl,
    };
    const target = { cluster: 'local', application: 'watched' };
    const good = await pushFiles(stage, 'shop: one that works', {
      'apps/shop/shop.yaml': deployment('shop:2'),
    });
    await watchRun(stage, good, target);
    const broken = deployment('shop:3', 'nodeSelector: {disk: none}');
    const bad = await pushFiles(stage, 'shop: one that no node takes', { 'apps/shop/shop.yaml': broken });

    const pin = await until('the rollback', async () => (await records.desired(target))?.pin, {
      seconds: 240,
    });
    assert.deepEqual([pin.by, pin.rejects?.commit.sha], ['trueup', bad.sha]);
    assert.match(pin.reason, /^it is Degraded since .*ProgressDeadlineExceeded/);
    const back = await until('a healthy run', async () =>
      (await records.runs(target)).find(
        ({ value }) => value.rollback !== undefined && value.health?.status === 'Healthy',
      ),
    );
    assert.deepEqual([back.value.commit.sha, back.value.rollback?.by], [good.sha, 'trueup']);
    assert.match(
      await trueup(installation, 'status', '--app', 'watched'),
      /by trueup since .*until a commit gives other/s,
    );
    assert.match(
      await trueup(installation, 'history', '--app', 'watched'),
      /rolled back by trueup: it is Degraded/,
    );

    const pull = await until('the revert proposed', async () => world.pulls[0]);
    const { branch } = pull;
    const [change, whose] = branch.split('/').reverse();
    assert.equal(change, `watched-${bad.sha.slice(0, 7)}-to-${good.sha.slice(0, 7)}`);
    assert.match(whose ?? '', /^rollback-[0-9a-f]{8}$/);
    assert.deepEqual([pull.into, world.pulls.length], ['main', 1]);
    assert.match(pull.body, /^\*\*watched\*\* was rolled back on local, from/);
    await git(clone, ['fetch', '--quiet', 'origin']);
    assert.equal(await git(clone, ['diff', good.sha, `origin/${branch}`]), '', 'Git would say what runs');
    const revision = (await records.desired(target))?.revision;
    await git(clone, ['push', '--quiet', 'origin', `origin/${branch}:main`]);
    const merged = await until('the pin lifted', async () => {
      const pointer = await records.desired(target);
      return pointer?.pin === undefined ? pointer : undefined;
    });
    assert.deepEqual(
      [merged.revision, merged.commit.sha],
      [revision, good.sha],
      'nothing is to be applied for it',
    );
    assert.deepEqual(host.complaints, []);
  },
);
