import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { clientConfig } from '../aws/deploy.ts';
import { testAws } from '../aws/test-aws.ts';
import { at } from '../cluster/cluster-client.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { git } from '../git/git-command.ts';
import { cloneWorktree, commitFiles } from '../git/worktree.ts';
import { gitHubRoutes } from '../host-apis/github-api.ts';
import { startHostServer } from '../host-apis/host-server.ts';
import { HostWorld } from '../host-apis/host-world.ts';
import { OpenApi } from '../host-apis/openapi.ts';
import { install, type Installation } from './installation.ts';
import { narrator } from './narrator.ts';
import { pushFiles } from './push-chapter.ts';
import { recordsOf } from './records.ts';
import { kubectlOf } from './stage.ts';
import { until } from './until.ts';

const deployment = (image: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 0
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: ${image}}]}
`;
const secret = (value: string) => `apiVersion: v1
kind: Secret
metadata: {name: shop}
stringData: {password: ${value}}
`;

const filesFor = (namespace: string) => ({
  'applications/shop.yaml': `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: previewed}
spec:
  source: {path: apps/shop}
  clusters: {names: [local]}
  namespace: ${namespace}
`,
  'apps/shop/shop.yaml': deployment('shop:1.0.0'),
  'apps/shop/secret.yaml': secret('correct-horse'),
});

/** A webhook of a pull request as GitHub sends it, truly signed. */
async function tell(
  { hookUrl, output, clients, git: host, repository }: Installation,
  pull: { readonly number: number; readonly sha: string; readonly action: string },
): Promise<void> {
  const secrets = new SecretsManagerClient(clients);
  const SecretId = `${output('hookSecretPrefix')}/github`;
  const { SecretString: key = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  const { number, sha, action } = pull;
  const clone_url = host.url(repository);
  const body = JSON.stringify({
    action,
    number,
    pull_request: { number, head: { ref: 'topic', sha }, base: { ref: 'main' } },
    repository: { full_name: new URL(clone_url).pathname.slice(1).replace(/\.git$/, ''), clone_url },
  });
  const response = await fetch(hookUrl, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'pull_request',
      'x-github-delivery': `${sha.slice(0, 8)}-${action}`,
      'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
    },
  });
  assert.equal(response.status, 202, await response.text());
}

/** From the webhook of a pull request to the comment that says what the cluster says, with the rights that the functions really have. */
test('a pull request is told what it would change', { timeout: 600_000 }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'trueup-preview-'));
  const cluster = await testCluster('preview');
  const { namespace } = cluster;
  const { aws } = await testAws();
  const world = new HostWorld();
  const api = new OpenApi('github');
  const server = await startHostServer({ prefix: '', routes: gitHubRoutes(world, api), api });
  const from = join(dir, 'from');
  for (const [file, text] of Object.entries(filesFor(namespace))) {
    await mkdir(dirname(join(from, file)), { recursive: true });
    await writeFile(join(from, file), text);
  }
  const secrets = new SecretsManagerClient(clientConfig(aws));
  await secrets.send(new CreateSecretCommand({ Name: 'preview/host', SecretString: 'may-comment' }));
  const progress = (line: string) => t.diagnostic(line);
  const clusters = [{ name: 'local', labels: {}, cluster }];
  const repository = { host: { apiUrl: server.origin, tokenSecret: 'preview/host' }, preview: {} };
  const installation = await install({ fleet: 'preview', dir, from, clusters, progress, aws, repository });
  t.after(async () => {
    await installation.stop();
    await server[Symbol.asyncDispose]();
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const clone = join(dir, 'clone');
  await cloneWorktree(installation.cloneUrlWithToken, clone);
  const kubectl = kubectlOf(installation.tools.kubectl, cluster.kubeconfigPath);
  const records = recordsOf(installation);
  const stage = { installation, records, clone, narrator: narrator(progress), cluster: 'local', kubectl };
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/shop`;
  const image = async () =>
    at(await cluster.admin.get(path).catch(() => ({})), 'spec', 'template', 'spec', 'containers', 0, 'image');
  await pushFiles(stage, 'previewed: first', { 'README.md': 'previewed' });
  await until('the first version on the cluster', async () =>
    (await image()) === 'shop:1.0.0' ? true : undefined,
  );

  await git(clone, ['checkout', '--quiet', '-b', 'topic']);
  const change = {
    'apps/shop/shop.yaml': deployment('shop:2.0.0'),
    'apps/shop/secret.yaml': secret('battery-staple'),
    'apps/shop/quota.yaml':
      'apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: 99999}]}\n',
  };
  const sha = await commitFiles(clone, change, 'A change');
  await git(clone, ['push', '--quiet', 'origin', 'HEAD:refs/heads/topic']);
  const { number } = world.open({ branch: 'topic', sha });
  const started = Date.now();
  await tell(installation, { number, sha, action: 'opened' });
  const commented = async (words: RegExp) =>
    until(`a comment with ${words}`, async () => {
      const [comment, ...more] = world.commentsOf(number);
      assert.deepEqual(more, [], 'one comment');
      return comment !== undefined && words.test(comment.text) ? comment.text : undefined;
    });
  await commented(/is being asked|As the clusters are now/);
  t.diagnostic(`webhook → comment: ${Date.now() - started} ms`);
  const text = await commented(/As the clusters are now[\s\S]*\| `previewed` \| `local` \| \d/);
  t.diagnostic(`webhook → comment with the cluster's answer: ${Date.now() - started} ms`);
  assert.match(text, /-     "shop:1\.0\.0"\n\+     "shop:2\.0\.0"/);
  assert.match(text, /⛔ `previewed` on `local`: `Service [^`]*shop` would be refused: .*99999/);
  assert.doesNotMatch(text, /correct-horse|battery-staple/);
  assert.equal(await image(), 'shop:1.0.0', 'nothing was changed');
  const statuses = () => world.statuses.filter((one) => one.sha === sha).map(({ state }) => state);
  assert.deepEqual([statuses()[0], statuses().at(-1)].includes(undefined), false);
  assert.equal(statuses()[0], 'pending');

  const mended = await commitFiles(clone, { 'apps/shop/quota.yaml': null }, 'Without it');
  await git(clone, ['push', '--quiet', 'origin', 'HEAD:refs/heads/topic']);
  const pull = world.find(number);
  assert.ok(pull);
  pull.sha = mended;
  await tell(installation, { number, sha: mended, action: 'synchronize' });
  const after = await commented(new RegExp(`→ \`${mended.slice(0, 7)}\``));
  assert.doesNotMatch(after, /99999/);
  await commented(/As the clusters are now[\s\S]*\| `previewed` \| `local` \| 0 \| 2 \|/);
  const last = await until('a status of the newest head', async () =>
    world.statuses.findLast((one) => one.sha === mended && one.state !== 'pending'),
  );
  assert.equal(last.state, 'success');
  assert.deepEqual(server.complaints, []);
});
