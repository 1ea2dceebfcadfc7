import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientConfig } from '../aws/deploy.ts';
import { testAws } from '../aws/test-aws.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { install } from './installation.ts';
import { narrator } from './narrator.ts';
import { pushFiles, type Push } from './push-chapter.ts';
import { recordsOf } from './records.ts';
import { kubectlOf } from './stage.ts';
import { startStatusApi } from './status-api.ts';
import { until } from './until.ts';

const filesFor = (namespace: string) => ({
  'applications/shop.yaml': `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: told}
spec:
  source: {path: apps/shop}
  clusters: {names: [local]}
  namespace: ${namespace}
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

/** From `git push` to the status that stands at the commit, with the rights that the functions really have. */
test('what becomes of commits is told to the Git host', { timeout: 600_000 }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'trueup-status-'));
  const cluster = await testCluster('status');
  const { namespace } = cluster;
  const { aws } = await testAws();
  const api = await startStatusApi('may-tell');
  const from = join(dir, 'from');
  for (const [file, text] of Object.entries(filesFor(namespace))) {
    await mkdir(dirname(join(from, file)), { recursive: true });
    await writeFile(join(from, file), text);
  }
  const secrets = new SecretsManagerClient(clientConfig(aws));
  await secrets.send(new CreateSecretCommand({ Name: 'status/host', SecretString: 'may-tell' }));
  const progress = (line: string) => t.diagnostic(line);
  const clusters = [{ name: 'local', labels: { env: 'test' }, cluster }];
  const status = { deployments: true, environmentLabel: 'env' };
  const repository = { host: { apiUrl: api.url, tokenSecret: 'status/host' }, status };
  const installation = await install({ fleet: 'status', dir, from, clusters, progress, aws, repository });
  t.after(async () => {
    await installation.stop();
    await api.stop();
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const clone = join(dir, 'clone');
  await cloneWorktree(installation.cloneUrlWithToken, clone);
  const kubectl = kubectlOf(installation.tools.kubectl, cluster.kubeconfigPath);
  const records = recordsOf(installation);
  const stage = { installation, records, clone, narrator: narrator(progress), cluster: 'local', kubectl };
  const told = async ({ sha, startedAt }: Push, name: string, state: string) => {
    const found = await until(`${name} ${state} at ${sha}`, async () =>
      api.told.find((one) => one.sha === sha && one.name === name && one.state === state),
    );
    t.diagnostic(`git push → ${name} ${state}: ${found.at - Date.parse(startedAt)} ms`);
    return found.description;
  };

  const first = await pushFiles(stage, 'told: first', { 'README.md': 'told' });
  assert.equal(await told(first, 'trueup/local', 'success'), '1 application healthy');
  assert.equal(await told(first, 'trueup/render', 'success'), '1 application for 1 cluster');
  await told(first, 'test', 'success');

  const broken = await pushFiles(stage, 'told: broken', { 'apps/shop/more.yaml': 'kind: [' });
  assert.match(await told(broken, 'trueup/render', 'failure'), /^apps\/shop\/more\.yaml:\d+: cannot be read/);
  assert.match(await told(broken, 'trueup/local', 'failure'), /^told: stays at /);

  // An object that the API server refuses.
  const refused = 'apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: 99999}]}\n';
  const invalid = await pushFiles(stage, 'told: invalid', { 'apps/shop/more.yaml': refused });
  assert.match(await told(invalid, 'trueup/local', 'failure'), /^told: 1 objects failed or are blocked/);
  await told(invalid, 'test', 'failure');

  const mended = await pushFiles(stage, 'told: mended', {
    'apps/shop/more.yaml': refused.replace('99999', '80'),
  });
  await told(mended, 'trueup/local', 'success');
  await told(mended, 'test', 'success');
  const states = (name: string) =>
    api.told.filter((one) => one.sha === mended.sha && one.name === name).map(({ state }) => state);
  assert.deepEqual(states('trueup/render'), ['success'], 'nothing is told twice');
  assert.equal(states('trueup/local').at(-1), 'success');
});
