import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { emitServiceEvent } from '../aws/emulator.ts';
import { testAws } from '../aws/test-aws.ts';
import { at } from '../cluster/cluster-client.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { git } from '../git/git-command.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { install } from './installation.ts';
import { narrator } from './narrator.ts';
import { pushFiles } from './push-chapter.ts';
import { recordsOf } from './records.ts';
import { kubectlOf } from './stage.ts';
import { until } from './until.ts';

const registry = '000000000000.dkr.ecr.us-east-1.amazonaws.com';

const filesFor = (namespace: string) => ({
  'applications/shop.yaml': `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: pictured}
spec:
  source: {path: apps/shop}
  clusters: {names: [local]}
  namespace: ${namespace}
  images:
    - {image: ${registry}/shop, policy: {semver: {range: 1.x}}, digest: always}
`,
  'apps/shop/kustomization.yaml': `resources: [shop.yaml]
images:
  - name: shop # by us
    newName: ${registry}/shop
    newTag: 1.0.0
`,
  'apps/shop/shop.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 0
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: shop}]}
`,
});

/** From the registry's event to the commit, the webhook that it causes, and the cluster; with the rights the functions really have. */
test('an image in ECR is committed and applied', { timeout: 600_000 }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'trueup-images-'));
  const cluster = await testCluster('images');
  const { namespace } = cluster;
  const { aws } = await testAws();
  const from = join(dir, 'from');
  for (const [file, text] of Object.entries(filesFor(namespace))) {
    await mkdir(dirname(join(from, file)), { recursive: true });
    await writeFile(join(from, file), text);
  }
  const progress = (line: string) => t.diagnostic(line);
  const clusters = [{ name: 'local', labels: {}, cluster }];
  const repository = { images: {} };
  const installation = await install({ fleet: 'images', dir, from, clusters, progress, aws, repository });
  t.after(async () => {
    await installation.stop();
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const clone = join(dir, 'clone');
  await cloneWorktree(installation.cloneUrlWithToken, clone);
  const kubectl = kubectlOf(installation.tools.kubectl, cluster.kubeconfigPath);
  const records = recordsOf(installation);
  const stage = { installation, records, clone, narrator: narrator(progress), cluster: 'local', kubectl };
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/shop`;
  const running = async (image: string) =>
    until(`${image} on the cluster`, async () => {
      const found = await cluster.admin.get(path).catch(() => ({}));
      const seen = at(found, 'spec', 'template', 'spec', 'containers', 0, 'image');
      return seen === image ? seen : undefined;
    });
  await pushFiles(stage, 'pictured: first', { 'README.md': 'pictured' });
  await running(`${registry}/shop:1.0.0`);

  const digest = `sha256:${'ab'.repeat(32)}`;
  const started = Date.now();
  const detail = {
    result: 'SUCCESS',
    'action-type': 'PUSH',
    'repository-name': 'shop',
    'image-tag': '1.1.0',
    'image-digest': digest,
  };
  await emitServiceEvent(aws, { source: 'aws.ecr', detailType: 'ECR Image Action', detail });
  await running(`${registry}/shop:1.1.0@${digest}`);
  t.diagnostic(`image pushed → applied: ${Date.now() - started} ms`);
  await git(clone, ['fetch', '--quiet', 'origin']);
  const log = await git(clone, ['log', '-1', '--format=%an: %s', 'origin/main']);
  assert.equal(log, 'trueup: Set shop to 1.1.0');
  const text = await git(clone, ['show', 'origin/main:apps/shop/kustomization.yaml']);
  assert.equal(
    text,
    `resources: [shop.yaml]
images:
  - name: shop # by us
    newName: ${registry}/shop
    newTag: 1.1.0
    digest: ${digest}`,
  );
});
