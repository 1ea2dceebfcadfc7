import assert from 'node:assert/strict';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { testAws } from '../aws/test-aws.ts';
import { at } from '../cluster/cluster-client.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { delivery, examplesOf } from '../fakes/github-delivery.ts';
import { git } from '../git/git-command.ts';
import { cloneWorktree, commitFiles, push } from '../git/worktree.ts';
import { gitHubRoutes } from '../host-apis/github-api.ts';
import { startHostServer } from '../host-apis/host-server.ts';
import { HostWorld, type WorldPull } from '../host-apis/host-world.ts';
import { OpenApi } from '../host-apis/openapi.ts';
import { install, type Installation } from './installation.ts';
import { trueup } from './stage.ts';
import { until } from './until.ts';

const filesFor = (name: string) => ({
  [`applications/${name}.yaml`]: `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: ${name}}
spec:
  source:
    path: app
    substitute: {variables: {HOST: shop.example.com}}
  clusters: {names: [local]}
  namespace: ${name}
  previewEnvironments:
    label: preview
    variables: {HOST: 'pr-\${PR_NUMBER}.example.com'}
    url: https://pr-\${PR_NUMBER}.example.com
`,
  'app/kustomization.yaml': `namespace: ${name}
resources: [map.yaml]
`,
  'app/map.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
data: {host: '\${HOST}', colour: red}
`,
});

/** What GitHub says when somebody does something to a pull request. */
async function tell(
  { clients, output, hookUrl, git: host, repository }: Installation,
  action: 'opened' | 'synchronize' | 'closed' | 'labeled',
  { number, branch, sha, state }: WorldPull,
): Promise<void> {
  const client = new SecretsManagerClient(clients);
  const SecretId = `${output('hookSecretPrefix')}/github`;
  const { SecretString: secret = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
  client.destroy();
  const [example] = examplesOf('pull_request').filter((one) => one['action'] === 'opened');
  const url = host.url(repository);
  const fullName = new URL(url).pathname.slice(1).replace(/\.git$/, '');
  const own = { full_name: fullName, clone_url: url, html_url: url.replace(/\.git$/, '') };
  const payload = JSON.parse(JSON.stringify(example));
  Object.assign(payload, { action, number });
  Object.assign(payload.repository, own);
  Object.assign(payload.pull_request, { number, state: state === 'open' ? 'open' : 'closed' });
  Object.assign(payload.pull_request.head, { ref: branch, sha });
  Object.assign(payload.pull_request.head.repo, own);
  Object.assign(payload.pull_request.base, { ref: 'main' });
  Object.assign(payload.pull_request.base.repo, own);
  const body = JSON.stringify(payload);
  const signed = delivery({ id: randomUUID(), event: 'pull_request', body, secret });
  const headers = Object.entries(signed.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
  const answer = await fetch(hookUrl, { method: 'POST', headers, body });
  assert.equal(answer.status, 202, await answer.text());
}

/** From GitHub's webhook to a namespace of its own and back, with the rights the functions really have. */
test('a pull request runs on the cluster until it is closed', { timeout: 600_000 }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'trueup-environments-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const cluster = await testCluster('environments');
  t.after(() => cluster.stop());
  const name = cluster.namespace;
  const { aws } = await testAws();
  const from = join(dir, 'from');
  for (const [file, text] of Object.entries(filesFor(name))) {
    await mkdir(dirname(join(from, file)), { recursive: true });
    await writeFile(join(from, file), text);
  }
  const world = new HostWorld();
  const api = new OpenApi('github');
  const host = await startHostServer({ prefix: '/api/v3', routes: gitHubRoutes(world, api), api });
  t.after(() => host[Symbol.asyncDispose]());
  const installation = await install({
    fleet: 'environments',
    dir,
    from,
    clusters: [{ name: 'local', labels: {}, cluster }],
    progress: (line) => t.diagnostic(line),
    aws,
    repository: { environments: { clusters: ['local'] }, host: { apiUrl: `${host.origin}/api/v3` } },
  });
  const namespace = `${name}-pr-1`;
  t.after(() => installation.stop());
  const clone = join(dir, 'clone');
  await cloneWorktree(installation.cloneUrlWithToken, clone);
  await git(clone, ['checkout', '--quiet', '-b', 'feature/blue']);
  const mapOf = (colour: string) => filesFor(name)['app/map.yaml'].replace('red', colour);
  const pushed = async (colour: string) => {
    const sha = await commitFiles(clone, { 'app/map.yaml': mapOf(colour) }, colour);
    await push(clone, 'feature/blue');
    return sha;
  };
  const dataOf = async (home: string) => {
    const found = await cluster.admin.get(`/api/v1/namespaces/${home}/configmaps/shop`).catch(() => ({}));
    return at(found, 'data');
  };
  const shows = async (colour: string) =>
    until(`${colour} in ${namespace}`, async () => {
      const data = await dataOf(namespace);
      return at(data, 'colour') === colour ? data : undefined;
    });

  const pull = world.open({ branch: 'feature/blue', sha: await pushed('blue') });
  await tell(installation, 'opened', pull);
  pull.labels.push('preview');
  await tell(installation, 'labeled', pull);
  assert.deepEqual(await shows('blue'), { host: 'pr-1.example.com', colour: 'blue' });
  const [comment] = await until('a comment', async () =>
    world.comments.length > 0 ? world.comments : undefined,
  );
  assert.match(comment?.text ?? '', /-pr-1\*\* on `local` at <https:\/\/pr-1\.example\.com>, commit `/);
  assert.match(await trueup(installation, 'status'), new RegExp(`local +${namespace} `));

  pull.sha = await pushed('green');
  await tell(installation, 'synchronize', pull);
  await shows('green');
  assert.equal(world.comments.length, 1, 'one comment, kept current');

  pull.state = 'closed';
  await tell(installation, 'closed', pull);
  await until('its objects gone', async () => ((await dataOf(namespace)) === undefined ? true : undefined));
  // Ten minutes later a sweep asks for this run; a person may ask for it now.
  await trueup(installation, 'sync', '--app', namespace, '--cluster', 'local', '--confirm-prune', '1');
  await until('its namespace gone', async () => {
    const found = await cluster.admin.get(`/api/v1/namespaces/${namespace}`).catch(() => undefined);
    return found === undefined || at(found, 'metadata', 'deletionTimestamp') !== undefined ? true : undefined;
  });
  assert.ok(await cluster.admin.get(`/api/v1/namespaces/${name}`), 'and of nobody else');
  assert.deepEqual(host.complaints, []);
});
