import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { at } from '../cluster/cluster-client.ts';
import { git } from '../git/git-command.ts';
import { commitFiles } from '../git/worktree.ts';
import { gitHubRoutes } from '../host-apis/github-api.ts';
import { startHostServer } from '../host-apis/host-server.ts';
import { HostWorld } from '../host-apis/host-world.ts';
import { OpenApi } from '../host-apis/openapi.ts';
import { openStage } from './open-stage.ts';
import { pushFiles } from './push-chapter.ts';
import { tellPull } from './tell-pull.ts';
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

/** From the webhook of a pull request to the comment that says what the cluster says, with the rights that the functions really have. */
test('a pull request is told what it would change', { timeout: 600_000 }, async (t) => {
  const world = new HostWorld();
  const api = new OpenApi('github');
  const server = await startHostServer({ prefix: '', routes: gitHubRoutes(world, api), api });
  t.after(() => server[Symbol.asyncDispose]());
  const repository = { host: { apiUrl: server.origin, tokenSecret: 'preview/host' }, preview: {} };
  const opened = await openStage('preview', [], undefined, { files: filesFor, repository });
  t.after(() => opened.close());
  const { stage, cluster } = opened;
  const { installation, clone } = stage;
  const secrets = new SecretsManagerClient(installation.clients);
  await secrets.send(new CreateSecretCommand({ Name: 'preview/host', SecretString: 'may-comment' }));
  const path = `/apis/apps/v1/namespaces/${cluster.namespace}/deployments/shop`;
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
  const pull = world.open({ branch: 'topic', sha });
  const { number } = pull;
  const started = Date.now();
  await tellPull(installation, 'opened', pull);
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
  pull.sha = mended;
  await tellPull(installation, 'synchronize', pull);
  const after = await commented(new RegExp(`→ \`${mended.slice(0, 7)}\``));
  assert.doesNotMatch(after, /99999/);
  await commented(/As the clusters are now[\s\S]*\| `previewed` \| `local` \| 0 \| 2 \|/);
  const last = await until('a status of the newest head', async () =>
    world.statuses.findLast((one) => one.sha === mended && one.state !== 'pending'),
  );
  assert.equal(last.state, 'success');
  assert.deepEqual(server.complaints, []);
});
